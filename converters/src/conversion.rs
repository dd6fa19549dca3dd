//! What a conversion must say: its driver, what it reads beside it, what it writes.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use headwater_domain::code::{repo_commit, short_hash};
use headwater_domain::id::Ids;
use headwater_domain::{Origin, Rows, Scope, Sourced, Table};
use headwater_store::{Store, StoreError, Way, run_blocking};
use sea_orm::EntityTrait;

use crate::rules::Rules;

/// Conversion of one kind of tool row, the *driver*, to domain rows.
pub trait Convert: 'static {
    /// The driver's table.
    type Driver: EntityTrait<Model: Default + Send>;

    /// Name of the conversion, plural, unique within the source.
    const NAME: &'static str;

    /// Raise it when the mapping changes: everything is converted again, offline.
    const VERSION: u32 = 1;

    /// Column of the driver's table that identifies a row within its scope.
    const KEY: &'static str;

    /// Tables whose changes make a driver row stale, the driver's own among them.
    fn reads() -> Vec<Read>;

    /// Tables written, each with the column that says whose rows they are.
    fn writes() -> Vec<Write>;

    /// What the owner column of every written table holds for this driver key.
    fn owner(scope: &Scope, key: &str) -> String;

    /// The part of the rules that the mapping looks at, as text: when it changes, everything is
    /// converted again, offline. [`Related::rules`] hands the rules to the mapping.
    #[must_use]
    fn fingerprint(_: &Rules) -> String {
        String::new()
    }

    /// True for what several scopes have in common and describe alike, as commits: its rows go
    /// when the last scope that has the driver's key has lost it.
    const IN_COMMON: bool = false;

    /// What is converted for a key that has no driver row, for whatever related rows it has; none
    /// where such a key makes no rows. The driver row may never come: it may be a dead letter, or
    /// missing in an import.
    #[must_use]
    fn without_driver(_scope: &Scope, _key: &str) -> Option<<Self::Driver as EntityTrait>::Model> {
        None
    }

    /// Turns one driver row, with what is related to it, into rows. Pure.
    fn convert(
        scope: &Scope,
        driver: Sourced<<Self::Driver as EntityTrait>::Model>,
        related: &Related,
        rows: &mut Rows,
    );
}

type Loaded = Box<dyn Any + Send + Sync>;
type Loader = for<'a> fn(
    &'a Store,
    &'a Scope,
    &'static str,
    &'a [String],
) -> BoxFuture<'a, Result<(TypeId, Loaded), StoreError>>;

/// An input of a conversion: a table, and its column that holds the driver's key.
pub struct Read {
    pub(crate) table: &'static Table,
    pub(crate) column: &'static str,
    /// The table that leads from the column to the driver's key; none where the column holds it.
    pub(crate) way: Option<Way>,
    pub(crate) load: Option<Loader>,
}

impl Read {
    /// The driver's own table, or one that only says which driver rows changed.
    #[must_use]
    pub fn trigger<E: EntityTrait>(column: &'static str) -> Self {
        Self {
            table: Table::of::<E>(),
            column,
            way: None,
            load: None,
        }
    }

    /// A table whose rows are handed to the conversion as [`Related`]; `key` reads the column.
    #[must_use]
    pub fn related<K: RelatedRow>(column: &'static str) -> Self {
        Self {
            table: Table::of::<K::Entity>(),
            column,
            way: None,
            load: Some(load::<K>),
        }
    }

    /// A table whose rows other rows name: those of `W` hold in `from` what is in its `column`,
    /// and in `to` the driver's key.
    #[must_use]
    pub fn named_by<K: RelatedRow, W: EntityTrait>(
        column: &'static str,
        (from, to): (&'static str, &'static str),
    ) -> Self {
        let way = Way {
            table: Table::of::<W>().name,
            from,
            to,
        };
        Self {
            way: Some(way),
            ..Self::related::<K>(column)
        }
    }
}

/// A row that is joined to a driver row.
pub trait RelatedRow: 'static {
    /// Its table.
    type Entity: EntityTrait<Model: Default + Send + Sync>;

    /// The driver key it belongs to; of rows that others name, the key by which they do.
    fn driver_key(row: &<Self::Entity as EntityTrait>::Model) -> String;
}

type ByKey<M> = HashMap<String, Vec<Sourced<M>>>;

fn load<'a, K: RelatedRow>(
    store: &'a Store,
    scope: &'a Scope,
    column: &'static str,
    keys: &'a [String],
) -> BoxFuture<'a, Result<(TypeId, Loaded), StoreError>> {
    Box::pin(async move {
        let rows = store.rows_by_key::<K::Entity>(scope, column, keys).await?;
        let mut by_key: ByKey<<K::Entity as EntityTrait>::Model> = HashMap::new();
        for row in rows {
            by_key.entry(K::driver_key(&row.row)).or_default().push(row);
        }
        let loaded: Loaded = Box::new(by_key);
        Ok((TypeId::of::<K::Entity>(), loaded))
    })
}

/// Rows of other tables that belong to the driver rows at hand.
#[derive(Default)]
pub struct Related {
    loaded: HashMap<TypeId, Loaded>,
    rules: Arc<Rules>,
}

impl Related {
    /// The rules of the scope's configuration.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The rows of a table that belong to this driver key.
    #[must_use]
    pub fn of<E>(&self, key: &str) -> &[Sourced<E::Model>]
    where
        E: EntityTrait<Model: Send + Sync>,
    {
        let loaded = self.loaded.get(&TypeId::of::<E>());
        let by_key = loaded.and_then(|rows| rows.downcast_ref::<ByKey<E::Model>>());
        by_key
            .and_then(|rows| rows.get(key))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

#[cfg(test)]
impl Related {
    /// The same with rows of another table, as the engine would load them.
    pub(crate) fn with<K>(mut self, rows: Vec<Sourced<<K::Entity as EntityTrait>::Model>>) -> Self
    where
        K: RelatedRow,
    {
        let mut by_key: ByKey<<K::Entity as EntityTrait>::Model> = HashMap::new();
        for row in rows {
            by_key.entry(K::driver_key(&row.row)).or_default().push(row);
        }
        self.loaded
            .insert(TypeId::of::<K::Entity>(), Box::new(by_key));
        self
    }

    /// The same under these rules.
    pub(crate) fn under(mut self, rules: Rules) -> Self {
        self.rules = Arc::new(rules);
        self
    }
}

/// A table a conversion writes.
pub struct Write {
    pub(crate) table: &'static Table,
    pub(crate) owner: &'static str,
    /// Columns of commit hashes that may be short.
    pub(crate) hashes: &'static [&'static str],
}

impl Write {
    /// A table whose `owner` column holds what [`Convert::owner`] says.
    #[must_use]
    pub fn to<E: EntityTrait>(owner: &'static str) -> Self {
        Self {
            table: Table::of::<E>(),
            owner,
            hashes: &[],
        }
    }

    /// The same table with columns in which a short hash becomes the full one, where exactly one
    /// commit of the repository begins with it.
    #[must_use]
    pub fn resolving(mut self, columns: &'static [&'static str]) -> Self {
        self.hashes = columns;
        self
    }
}

type ConvertKeys = for<'a> fn(
    &'a Store,
    &'a Scope,
    &'a [String],
    Related,
) -> BoxFuture<'a, Result<Converted, StoreError>>;

/// What became of some driver keys.
pub(crate) struct Converted {
    pub(crate) rows: Rows,
    /// Not every key has a driver row.
    pub(crate) some_are_gone: bool,
}

/// A [`Convert`] as the engine sees it, whatever its driver.
pub struct Conversion {
    /// Its name.
    pub name: &'static str,
    /// Version of the mapping.
    pub version: u32,
    /// How the source spells domain ids.
    pub(crate) ids: &'static Ids,
    /// Other scopes write the same rows: none of them can be taken for new.
    pub(crate) shared: bool,
    /// Other scopes may have the same driver key, and the rows are theirs too.
    pub(crate) in_common: bool,
    /// The driver's table, and its column that identifies a row.
    pub(crate) driver: (&'static Table, &'static str),
    pub(crate) reads: Vec<Read>,
    pub(crate) writes: Vec<Write>,
    pub(crate) owner: fn(&Scope, &str) -> String,
    pub(crate) fingerprint: fn(&Rules) -> String,
    pub(crate) convert: ConvertKeys,
}

impl Conversion {
    /// The conversion declared by a type, of a source that spells ids so.
    #[must_use]
    pub fn of<C>(ids: &'static Ids) -> Self
    where
        C: Convert,
    {
        let driver = Table::of::<C::Driver>();
        Self {
            name: C::NAME,
            version: C::VERSION,
            ids,
            shared: !C::reads().iter().any(|read| read.table.name == driver.name),
            in_common: C::IN_COMMON,
            driver: (driver, C::KEY),
            reads: C::reads(),
            writes: C::writes(),
            owner: C::owner,
            fingerprint: C::fingerprint,
            convert: convert::<C>,
        }
    }

    /// True when all driver rows of a scope can be read in the order of the keys, so that these
    /// need not be listed when everything is to be converted. Keys without a driver row make no
    /// rows; those that have lost theirs are listed as removed.
    pub(crate) fn may_pass_everything(&self) -> bool {
        let (driver, key) = self.driver;
        let keys = driver.columns.iter().filter(|column| column.key);
        let mut keys = keys.map(|column| column.name.as_str());
        let ordered = ["connection_id", "repo_id", key];
        !self.shared && ordered.iter().all(|name| keys.next() == Some(name))
    }

    /// Name of the step in checkpoints.
    #[must_use]
    pub fn step(&self) -> String {
        format!("convert:{}", self.name)
    }

    /// Tables that make a row stale, each with the column that holds the driver's key.
    #[must_use]
    pub fn inputs(&self) -> Vec<(&'static Table, &'static str)> {
        self.reads
            .iter()
            .map(|read| (read.table, read.column))
            .collect()
    }

    /// Tables it writes.
    #[must_use]
    pub fn tables(&self) -> Vec<&'static Table> {
        let hashes = self.resolves_hashes();
        let hashes = hashes.then(Table::of::<short_hash::Entity>);
        let writes = self.writes.iter().map(|write| write.table);
        writes.chain(hashes).collect()
    }

    /// True when it reads which commits the repository has, to know short hashes in full.
    #[must_use]
    pub fn resolves_hashes(&self) -> bool {
        self.writes.iter().any(|write| !write.hashes.is_empty())
    }

    /// Tables that it reads: its inputs, and which commits the repository has, where it knows
    /// short hashes in full.
    #[must_use]
    pub fn reads_from(&self) -> BTreeSet<&'static str> {
        let commits = Table::of::<repo_commit::Entity>().name;
        let commits = self.resolves_hashes().then_some(commits);
        let inputs = self.reads.iter().map(|read| read.table.name);
        inputs.chain(commits).collect()
    }

    /// True when other scopes of the connection write the same rows.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// How many of the first keys have rows that are read in one go.
    pub(crate) async fn fitting(
        &self,
        store: &Store,
        scope: &Scope,
        keys: &[String],
    ) -> Result<usize, StoreError> {
        let loaded = self.reads.iter();
        let loaded = loaded.filter(|read| read.load.is_some() && read.way.is_none());
        let loaded = loaded.map(|read| (read.table, read.column));
        let tables: Vec<_> = loaded.chain([self.driver]).collect();
        store.fitting_keys(scope, &tables, keys).await
    }

    pub(crate) async fn load_related(
        &self,
        store: &Store,
        scope: &Scope,
        keys: &[String],
        rules: &Arc<Rules>,
    ) -> Result<Related, StoreError> {
        let mut related = Related {
            rules: Arc::clone(rules),
            ..Related::default()
        };
        for read in &self.reads {
            let Some(load) = read.load else {
                continue;
            };
            let named = match &read.way {
                Some(way) => Some(store.names_of(scope, way, keys).await?),
                None => None,
            };
            let keys = named.as_deref().unwrap_or(keys);
            let (kind, rows) = load(store, scope, read.column, keys).await?;
            related.loaded.insert(kind, rows);
        }
        Ok(related)
    }
}

fn convert<'a, C: Convert>(
    store: &'a Store,
    scope: &'a Scope,
    keys: &'a [String],
    related: Related,
) -> BoxFuture<'a, Result<Converted, StoreError>> {
    Box::pin(async move {
        let mut drivers = store.rows_by_key::<C::Driver>(scope, C::KEY, keys).await?;
        if drivers.len() < keys.len() {
            drivers.extend(absent_drivers::<C>(store, scope, keys).await?);
        }
        let some_are_gone = drivers.len() < keys.len();
        let scope = scope.clone();
        let rows = run_blocking(move || {
            let mut rows = Rows::default();
            for driver in drivers {
                rows.from_origin(driver.origin.clone());
                C::convert(&scope, driver, &related, &mut rows);
            }
            rows
        });
        let rows = rows.await?;
        Ok(Converted {
            rows,
            some_are_gone,
        })
    })
}

type Driver<C> = <<C as Convert>::Driver as EntityTrait>::Model;

/// What is converted for keys that have no driver row.
async fn absent_drivers<C: Convert>(
    store: &Store,
    scope: &Scope,
    keys: &[String],
) -> Result<Vec<Sourced<Driver<C>>>, StoreError> {
    let mut absent = Vec::new();
    for key in keys {
        let Some(row) = C::without_driver(scope, key) else {
            continue;
        };
        let key = std::slice::from_ref(key);
        let there = store.rows_by_key::<C::Driver>(scope, C::KEY, key).await?;
        if there.is_empty() {
            let origin = Origin {
                params: scope.params(),
                table: String::new(),
                id: 0,
            };
            absent.push(Sourced { row, origin });
        }
    }
    Ok(absent)
}
