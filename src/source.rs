//! A source: its streams and conversions, joined over the three stages.

use std::marker::PhantomData;

use headwater_collectors::{Client, Collect, Collection, Dialect, Listing, Repositories};
use headwater_converters::{Compute, Conversion, Convert, Derivation, Derive, hashes};
use headwater_domain::id::Ids;
use headwater_domain::{Scope, Table};
use headwater_extractors::accounts::AccountTable;
use headwater_extractors::{Extract, Extraction};
use headwater_migrations::ChangeName;
use headwater_store::Store;
use headwater_store::compare::Tables;
use headwater_store::derivations as declared;

use crate::config::{ConnectionKind, Entity};
use crate::projects;

/// The stream whose one item is the repository itself. Every source with an API has it.
pub const REPOSITORIES: &str = "repositories";

/// What reading a mirror is called where streams are: in plans, in the log of runs, on the command
/// line.
pub const GIT: &str = "git";

/// One stream over collection and extraction.
pub struct StreamEntry {
    /// How it is collected.
    pub collection: Collection,
    /// How it is extracted.
    pub extraction: Extraction,
    /// Name of the conversion its rows reach; empty for none.
    pub converted_by: &'static str,
    /// The change of the schema that made its tables.
    pub created_by: ChangeName,
    /// It runs only where the configuration asks for it.
    pub opt_in: bool,
    /// The entity of a scope config that it belongs to; none for what every scope has, whatever is
    /// configured.
    pub entity: Option<Entity>,
}

impl StreamEntry {
    /// Whether it fills this raw table, whose name may lack its prefix.
    #[must_use]
    pub fn fills(&self, table: &str) -> bool {
        self.collection.raw_table == table || self.collection.stream == table
    }
}

/// A source's table of contents.
pub struct Source {
    /// Its name, as raw and tool tables spell it.
    pub name: &'static str,
    /// Kind of the connections that it is read through.
    pub kind: ConnectionKind,
    /// How its domain ids are spelt.
    pub ids: &'static Ids,
    /// Its API; none where git alone is read.
    pub api: Option<Api>,
    /// Its streams, parents before children.
    pub streams: Vec<StreamEntry>,
    /// Its conversions, in the order they run.
    pub conversions: Vec<Conversion>,
    /// The tool table of accounts, which is merged from mentions in many items, with the name of
    /// its conversion.
    pub accounts: Option<(&'static AccountTable, &'static str)>,
    /// Tables that are filled from mirrors of git, or computed of commits.
    pub of_git: Vec<&'static Table>,
    /// What is derived from stored rows.
    pub derivations: Vec<Derivation>,
}

/// How the API of a source is spoken, and how repositories are found in it.
#[derive(Clone, Copy)]
pub struct Api {
    /// Name of the product, for people.
    pub product: &'static str,
    /// Pages, filters, times and errors.
    pub dialect: &'static Dialect,
    /// The repositories.
    pub listing: &'static Listing,
}

/// Where a stream's rows go on.
pub trait Destination {
    /// Name of the conversion that reads them.
    const NAME: &'static str;

    /// The conversion, when it is this stream's own.
    fn conversion(ids: &'static Ids) -> Option<Conversion>;
}

/// The rows have a conversion of their own.
pub struct To<C>(PhantomData<C>);

impl<C: Convert> Destination for To<C> {
    const NAME: &'static str = C::NAME;

    fn conversion(ids: &'static Ids) -> Option<Conversion> {
        Some(Conversion::of::<C>(ids))
    }
}

/// The rows are read by the conversion of another stream.
pub struct Feeds<C>(PhantomData<C>);

impl<C: Convert> Destination for Feeds<C> {
    const NAME: &'static str = C::NAME;

    fn conversion(_: &'static Ids) -> Option<Conversion> {
        None
    }
}

/// The rows are facts of their own: nothing in the domain is made of them.
pub struct Stays;

impl Destination for Stays {
    const NAME: &'static str = "";

    fn conversion(_: &'static Ids) -> Option<Conversion> {
        None
    }
}

impl Source {
    /// A source without streams.
    #[must_use]
    pub fn new(name: &'static str, kind: ConnectionKind, ids: &'static Ids) -> Self {
        Self {
            name,
            kind,
            ids,
            api: None,
            streams: Vec::new(),
            conversions: Vec::new(),
            accounts: None,
            of_git: Vec::new(),
            derivations: Vec::new(),
        }
    }

    /// Says how its API is spoken.
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// The repositories that a client of one of its connections can see; none without an API.
    #[must_use]
    pub fn repositories<'a>(&self, client: &'a Client) -> Option<Repositories<'a>> {
        self.api.map(|api| Repositories::new(client, api.listing))
    }

    /// Adds a stream: its collection, its extraction, where its rows go, the entity of a scope
    /// config that it belongs to (none where every scope has it), and the change of the schema that
    /// made its tables. A stream that lacks one of these does not compile.
    #[must_use]
    pub fn stream<S, D>(mut self, entity: impl Into<Option<Entity>>, created_by: ChangeName) -> Self
    where
        S: Collect + Extract,
        D: Destination,
    {
        self.streams.push(StreamEntry {
            collection: Collection::of::<S>(),
            extraction: Extraction::of::<S>(),
            converted_by: D::NAME,
            created_by,
            opt_in: false,
            entity: entity.into(),
        });
        self.conversions.extend(D::conversion(self.ids));
        self
    }

    /// Adds a stream that runs only where the configuration asks for it, because it costs much.
    #[must_use]
    pub fn opt_in<S, D>(self, entity: impl Into<Option<Entity>>, created_by: ChangeName) -> Self
    where
        S: Collect + Extract,
        D: Destination,
    {
        let mut source = self.stream::<S, D>(entity, created_by);
        if let Some(entry) = source.streams.last_mut() {
            entry.opt_in = true;
        }
        source
    }

    /// Adds a further conversion of what the streams before it bring.
    #[must_use]
    pub fn also<C: Convert>(mut self) -> Self {
        self.conversions.push(Conversion::of::<C>(self.ids));
        self
    }

    /// Says how accounts are merged from mentions in many items, with their conversion.
    #[must_use]
    pub fn accounts<C: Convert>(mut self, table: &'static AccountTable) -> Self {
        self.accounts = Some((table, C::NAME));
        self.conversions.push(Conversion::of::<C>(self.ids));
        self
    }

    /// Adds what is derived from stored rows by an engine of its own.
    #[must_use]
    pub fn derived<D: Derive>(mut self) -> Self {
        self.derivations.push(Derivation::of::<D>());
        self
    }

    /// Adds what is computed from stored rows key by key.
    #[must_use]
    pub fn computed<C: Compute>(mut self) -> Self {
        self.derivations.push(Derivation::computed::<C>());
        self
    }

    /// The same store, whose transactions note what their changes make stale of what is derived.
    #[must_use]
    pub fn followed_by(&self, store: &Store) -> Store {
        store.following(self.declared())
    }

    /// What is derived in this source, as transactions follow it.
    pub(crate) fn declared(&self) -> Vec<declared::Derivation> {
        let derivations = self.derivations.iter();
        let mut declared: Vec<_> = derivations.map(|it| it.declared.clone()).collect();
        if self.conversions.iter().any(Conversion::resolves_hashes) {
            declared.push(hashes::derivation());
        }
        declared.push(projects::declared());
        declared
    }

    /// Adds tables that are filled from mirrors of git, or computed of commits.
    #[must_use]
    pub fn git(mut self, tables: Vec<&'static Table>) -> Self {
        self.of_git.extend(tables);
        self
    }

    /// The stream of this name.
    #[must_use]
    pub fn find(&self, stream: &str) -> Option<&StreamEntry> {
        self.streams
            .iter()
            .find(|entry| entry.collection.stream == stream)
    }

    /// Names of the streams, [`GIT`] at the end where mirrors are read.
    #[must_use]
    pub fn stream_names(&self) -> Vec<&'static str> {
        let streams = self.streams.iter();
        let streams = streams.map(|entry| entry.collection.stream);
        let git = (!self.of_git.is_empty()).then_some(GIT);
        streams.chain(git).collect()
    }

    /// Collections of the streams whose items hang on this one's.
    #[must_use]
    pub fn children_of(&self, stream: &str) -> Vec<Collection> {
        let collections = self.streams.iter().map(|entry| &entry.collection);
        let hangs = |collection: &&Collection| {
            collection
                .parent
                .as_ref()
                .is_some_and(|(parent, _)| parent.stream == stream)
        };
        collections.filter(hangs).cloned().collect()
    }

    /// Streams whose items are of this scope: of a repository, or of a workspace.
    pub fn streams_of(&self, scope: &Scope) -> impl Iterator<Item = &StreamEntry> {
        let of_workspace = scope.is_workspace();
        let streams = self.streams.iter();
        streams.filter(move |entry| entry.collection.of_workspace == of_workspace)
    }

    /// Conversions that rows of this scope can reach. Those of a workspace reach few: their own,
    /// and what is merged from mentions.
    pub fn conversions_of(&self, scope: &Scope) -> impl Iterator<Item = &Conversion> {
        let is_reached = |conversion: &&Conversion| {
            let mut streams = self.streams_of(scope);
            let own = streams.any(|entry| entry.converted_by == conversion.name);
            own || self
                .accounts
                .is_some_and(|(_, name)| name == conversion.name)
        };
        let of_workspace = scope.is_workspace();
        let conversions = self.conversions.iter();
        conversions.filter(move |conversion| !of_workspace || is_reached(conversion))
    }

    /// Names of all steps that read changes and removals of this scope.
    #[must_use]
    pub fn reading_steps(&self, scope: &Scope) -> Vec<String> {
        let streams = self.streams_of(scope);
        let mut steps: Vec<String> = streams.map(|entry| entry.extraction.step()).collect();
        if self.accounts.is_some() {
            steps.push(headwater_extractors::accounts::STEP.to_owned());
        }
        steps.extend(self.conversions_of(scope).map(Conversion::step));
        steps
    }

    /// Every raw, tool and domain table, for comparing databases.
    #[must_use]
    pub fn tables(&self) -> Tables {
        let raw = self
            .streams
            .iter()
            .map(|entry| entry.collection.raw_table.clone());
        let mut rows: Vec<&'static Table> = Vec::new();
        for entry in &self.streams {
            rows.extend(&entry.extraction.tables);
        }
        rows.extend(self.accounts.map(|(accounts, _)| (accounts.table)()));
        rows.extend(&self.of_git);
        for conversion in &self.conversions {
            rows.extend(conversion.tables());
        }
        for derivation in &self.derivations {
            rows.extend(derivation.declared.writes.iter().map(|it| it.table));
        }
        rows.sort_by_key(|table| table.name);
        rows.dedup_by_key(|table| table.name);
        // Headwater's own bookkeeping tables are not described to users.
        rows.retain(|table| !table.name.starts_with("_headwater_"));
        Tables {
            raw: raw.collect(),
            rows,
        }
    }
}
