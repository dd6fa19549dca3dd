//! Rows that a mapping made, by table, with where they came from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::Value;

use crate::column_limits::{self, OverlongKey};
use crate::headwater::account_profile::Profile;
use crate::table::{Row, Table};
use crate::{Item, Origin};

/// One row as values in column order, with its origin.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// Values in the order of the table's columns.
    pub values: Vec<Value>,
    /// The raw row it was made of.
    pub origin: Arc<Origin>,
}

/// The rows of one table.
#[derive(Debug)]
pub struct TableRows {
    /// The table.
    pub table: &'static Table,
    /// Its new rows, in the order they were made.
    pub rows: Vec<NewRow>,
}

/// A batch of rows for any tables, in a fixed order of tables so that writers never deadlock.
#[derive(Debug, Default)]
pub struct Rows {
    origin: Arc<Origin>,
    tables: BTreeMap<&'static str, TableRows>,
    /// Rows named by their own content: written when absent, never changed.
    shared: BTreeMap<&'static str, TableRows>,
    mentions: Vec<Mention>,
    described: HashMap<(String, u128), Arc<Described>>,
    refused: Option<Refused>,
    /// Bytes that the texts of a row may have; none for no limit.
    longest: Option<usize>,
}

/// Why a row was left out of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its key would not fit.
    Key(OverlongKey),
    /// It is longer than the database takes.
    Row {
        /// The table it was meant for.
        table: &'static str,
        /// Bytes of its texts.
        bytes: usize,
        /// How many there may be.
        longest: usize,
    },
}

impl Refused {
    /// The column or table it was meant for.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Key(overlong) => &overlong.column,
            Self::Row { table, .. } => table,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(overlong) => overlong.fmt(out),
            Self::Row { bytes, longest, .. } => write!(
                out,
                "the row has {bytes} bytes, and the database server takes {longest}: raise its \
                 max_allowed_packet"
            ),
        }
    }
}

/// An account and one description of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Described {
    /// The account.
    pub account_id: String,
    /// Content hash of the description.
    pub profile_id: String,
}

/// One item naming one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Raw id of the item.
    pub raw_id: i64,
    /// Key of the item: parent and own key.
    pub item: String,
    /// When the source says that the item last changed (UTC); none where it says nothing.
    pub seen_at: Option<DateTime<Utc>>,
    /// The account, and what the item says about it.
    pub described: Arc<Described>,
}

impl Rows {
    /// Rows pushed from here on come from this raw row.
    pub fn from_origin(&mut self, origin: Origin) {
        self.origin = Arc::new(origin);
    }

    /// A batch that takes no row with more bytes of text than these.
    #[must_use]
    pub fn within(longest: Option<usize>) -> Self {
        Self {
            longest,
            ..Self::default()
        }
    }

    /// Adds a row to its table, made to fit every database. A row that does not fit is left out,
    /// and [`Rows::take_refused`] says why.
    pub fn push<R: Row>(&mut self, row: R) {
        match self.fitted(row) {
            Ok(values) => add(&mut self.tables, R::table(), values, &self.origin),
            Err(refused) => self.refused = Some(refused),
        }
    }

    fn fitted<R: Row>(&self, row: R) -> Result<Vec<Value>, Refused> {
        let values = column_limits::fit(R::table(), row.into_values()).map_err(Refused::Key)?;
        let Some(longest) = self.longest else {
            return Ok(values);
        };
        let bytes = column_limits::bytes_of_text(&values);
        if bytes <= longest {
            return Ok(values);
        }
        let table = R::table().name;
        Err(Refused::Row {
            table,
            bytes,
            longest,
        })
    }

    /// Adds a row whose key is a hash of its content: it is written only when absent.
    pub fn push_shared<R: Row>(&mut self, row: R) {
        match self.fitted(row) {
            Ok(values) => add(&mut self.shared, R::table(), values, &self.origin),
            Err(refused) => self.refused = Some(refused),
        }
    }

    /// Why a row of this batch was left out, if one was.
    pub fn take_refused(&mut self) -> Option<Refused> {
        self.refused.take()
    }

    /// Takes back what came from the raw row at hand: of an item all rows are written or none.
    pub fn undo(&mut self) {
        let origin = &self.origin;
        let others = |row: &NewRow| !Arc::ptr_eq(&row.origin, origin);
        for table in self.tables.values_mut().chain(self.shared.values_mut()) {
            let kept = table
                .rows
                .iter()
                .rposition(others)
                .map_or(0, |last| last + 1);
            table.rows.truncate(kept);
        }
        self.tables.retain(|_, table| !table.rows.is_empty());
        self.shared.retain(|_, table| !table.rows.is_empty());
        self.mentions.retain(|mention| mention.raw_id != origin.id);
        // Descriptions taken back are made again for the next item that gives them.
        self.described.clear();
    }

    /// Notes that this item names an account; accounts are computed from all such mentions.
    ///
    /// `said_at` is the item's own time of its last change, in UTC, and never the time at which it
    /// was fetched: what an account is must follow from what is stored.
    pub fn mention(
        &mut self,
        item: &Item<'_>,
        said_at: Option<DateTime<Utc>>,
        profile: Profile<'_>,
    ) {
        if profile.account_id.is_empty() {
            return;
        }
        // Ids are stored in lines; a hostile one must not break out of its own.
        let account_id = profile.account_id.replace(char::is_control, "\u{fffd}");
        if let Err(overlong) = column_limits::check_key_text(
            "account_id",
            [item.scope.full_name.as_str(), account_id.as_str()],
        ) {
            self.refused = Some(Refused::Key(overlong));
            return;
        }
        let profile = Profile {
            account_id: &account_id,
            ..profile
        };
        let key = (account_id.clone(), profile.content_hash());
        // The same description comes with almost every item: its row is made once in a batch.
        let described = if let Some(known) = self.described.get(&key) {
            Arc::clone(known)
        } else {
            let row = profile.to_row(item.scope.connection_id);
            let described = Arc::new(Described {
                account_id: row.account_id.clone(),
                profile_id: row.profile_id.clone(),
            });
            self.push_shared(row);
            self.described.insert(key, Arc::clone(&described));
            described
        };
        self.mentions.push(Mention {
            raw_id: item.origin.id,
            item: item.path(),
            seen_at: said_at,
            described,
        });
    }

    /// Takes the mentions out.
    pub fn take_mentions(&mut self) -> Vec<Mention> {
        std::mem::take(&mut self.mentions)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.values().map(|t| t.rows.len()).sum()
    }

    /// True when nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the rows of one table out.
    pub fn take(&mut self, table: &Table) -> Vec<NewRow> {
        let taken = self.tables.remove(table.name);
        taken.map(|t| t.rows).unwrap_or_default()
    }

    /// The rows of one table, in the order they were made.
    pub fn of_mut(&mut self, table: &Table) -> &mut [NewRow] {
        let rows = self.tables.get_mut(table.name);
        rows.map(|t| t.rows.as_mut_slice()).unwrap_or_default()
    }

    /// Takes the rows named by content out.
    pub fn take_shared(&mut self) -> Vec<TableRows> {
        std::mem::take(&mut self.shared).into_values().collect()
    }

    /// Tables that have rows, in name order.
    pub fn tables(&self) -> impl Iterator<Item = &TableRows> {
        self.tables.values()
    }
}

fn add(
    tables: &mut BTreeMap<&'static str, TableRows>,
    table: &'static Table,
    values: Vec<Value>,
    origin: &Arc<Origin>,
) {
    let batch = tables.entry(table.name).or_insert_with(|| TableRows {
        table,
        rows: Vec::new(),
    });
    batch.rows.push(NewRow {
        values,
        origin: Arc::clone(origin),
    });
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::Scope;
    use crate::code::repo;
    use crate::rules::Rules;
    use crate::ticket::board;

    fn origin(id: i64) -> Origin {
        Origin {
            id,
            ..Origin::default()
        }
    }

    fn named(id: &str) -> repo::Model {
        repo::Model {
            id: id.to_owned(),
            ..repo::Model::default()
        }
    }

    #[test]
    fn rows_keep_their_order_their_table_and_their_raw_row() {
        let mut rows = Rows::default();
        rows.from_origin(origin(1));
        rows.push(named("b"));
        rows.push(board::Model::default());
        rows.from_origin(origin(2));
        rows.push(named("a"));
        assert_eq!(rows.len(), 3);
        let names: Vec<&str> = rows.tables().map(|rows| rows.table.name).collect();
        assert_eq!(
            names,
            ["boards", "repos"],
            "in one order, so that writers never deadlock"
        );
        let taken = rows.take(Table::of::<repo::Entity>());
        let shown: Vec<_> = taken
            .iter()
            .map(|row| (&row.values[0], row.origin.id))
            .collect();
        assert_eq!(shown, [(&Value::from("b"), 1), (&Value::from("a"), 2)]);
        assert_eq!(rows.len(), 1);
        assert!(rows.take(Table::of::<repo::Entity>()).is_empty());
    }

    #[test]
    fn values_are_made_to_fit_every_database() {
        let mut rows = Rows::default();
        rows.push(repo::Model {
            name: "a\0b\0".to_owned(),
            language: "🚀".repeat(300),
            created_date: DateTime::from_timestamp(1, 999_999_999),
            ..repo::Model::default()
        });
        let table = Table::of::<repo::Entity>();
        let row = rows.take(table).remove(0);
        let of = |column| &row.values[table.position(column).unwrap()];
        assert_eq!(of("name"), &Value::from("a\u{fffd}b\u{fffd}"));
        assert_eq!(of("language"), &Value::from("🚀".repeat(255)));
        let cut = DateTime::from_timestamp(1, 999_000_000);
        assert_eq!(of("created_date"), &Value::ChronoDateTimeUtc(cut));
        assert_eq!(of("updated_date"), &Value::ChronoDateTimeUtc(None));
    }

    #[test]
    fn of_an_item_whose_key_does_not_fit_nothing_stays() {
        let scope = Scope::new(1, "acme/rocket");
        let rules = Rules::default();
        let item = |id| Item {
            rules: &rules,
            scope: &scope,
            parent: "12",
            key: "301",
            origin: origin(id),
        };
        let mut rows = Rows::default();
        rows.from_origin(origin(1));
        rows.push(named("a"));
        rows.mention(&item(1), None, profile("ann", "Ann"));
        rows.from_origin(origin(2));
        rows.push(named("b"));
        rows.mention(&item(2), None, profile("bob", "Bob"));
        rows.push(named(&"c".repeat(256)));
        let refused = rows.take_refused().unwrap();
        assert_eq!(refused.place(), "id");
        rows.undo();
        rows.from_origin(origin(3));
        rows.mention(&item(3), None, profile("bob", "Bob"));
        let taken = rows.take(Table::of::<repo::Entity>());
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].values[0], Value::from("a"));
        let mentions: Vec<i64> = rows.take_mentions().iter().map(|m| m.raw_id).collect();
        assert_eq!(mentions, [1, 3]);
        let described: usize = rows
            .take_shared()
            .iter()
            .map(|table| table.rows.len())
            .sum();
        assert_eq!(
            described, 2,
            "Bob's description comes with the item that stays"
        );
        assert!(rows.take_refused().is_none());
    }

    #[test]
    fn a_row_with_more_text_than_the_database_takes_is_refused() {
        for (length, longest, fits) in [
            (100, None, true),
            (100, Some(101), true),
            (100, Some(100), false),
        ] {
            let mut rows = Rows::within(longest);
            rows.push(board::Model {
                id: "b".to_owned(),
                name: "n".repeat(length),
                ..board::Model::default()
            });
            let refused = rows.take_refused();
            assert_eq!(rows.len(), usize::from(fits), "{length} {longest:?}");
            assert_eq!(
                refused.map(|refused| refused.to_string()),
                (!fits).then(|| {
                    "the row has 101 bytes, and the database server takes 100: raise its \
                     max_allowed_packet"
                        .to_owned()
                })
            );
        }
    }

    fn profile<'a>(account_id: &'a str, display_name: &'a str) -> Profile<'a> {
        Profile {
            account_id,
            display_name,
            ..Profile::default()
        }
    }

    #[test]
    fn a_mention_comes_with_a_shared_description_and_nobody_is_mentioned() {
        let scope = Scope::new(1, "acme/rocket");
        let rules = Rules::default();
        let item = Item {
            rules: &rules,
            scope: &scope,
            parent: "12",
            key: "301",
            origin: Origin::default(),
        };
        let mut rows = Rows::default();
        rows.mention(&item, None, profile("", "Former user"));
        assert!(rows.take_mentions().is_empty() && rows.take_shared().is_empty());
        rows.mention(&item, None, profile("ann", "Ann"));
        rows.mention(&item, None, profile("ann", "Ann B"));
        let mentions = rows.take_mentions();
        assert_eq!(
            (
                mentions[0].item.as_str(),
                mentions[0].described.account_id.as_str()
            ),
            ("12/301", "ann")
        );
        assert_ne!(mentions[0].described, mentions[1].described);
        assert!(rows.take_mentions().is_empty());
        let shared = rows.take_shared();
        assert_eq!((shared.len(), shared[0].rows.len()), (1, 2));
    }

    #[test]
    fn descriptions_that_read_alike_when_joined_have_different_ids() {
        let id = |user_name: &str, status: &str| {
            let profile = Profile {
                account_id: "ann",
                user_name,
                account_status: status,
                ..Profile::default()
            };
            profile.to_row(1).profile_id
        };
        assert_ne!(id("a", ""), id("", "a"));
        assert_ne!(id("ab", ""), id("a", "b"));
        assert_eq!(id("a", "b"), id("a", "b"));
    }
}
