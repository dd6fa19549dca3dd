//! Rows that a mapping made, by table, with where they came from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::Value;
use sea_orm::sea_query::{ColumnType, StringLen};

use crate::table::{Row, Table};
use crate::tool::bitbucket::account_profile::Profile;
use crate::{Item, Origin, timestamp};

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
    /// Mentions there were before the raw row under way.
    mentioned_before: usize,
    too_long: Option<TooLong>,
}

/// A key that no database would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Table and column, as `table.column`.
    pub column: String,
    /// Characters it may have.
    pub most: usize,
    /// Characters it has.
    pub length: usize,
}

/// Longest id of an account, in characters: the domain id made of it has to fit a key.
const LONGEST_ACCOUNT_ID: usize = 200;

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
    /// Server time at which the item was last seen to change (UTC).
    pub seen_at: Option<DateTime<Utc>>,
    /// The account, and what the item says about it.
    pub described: Arc<Described>,
}

impl Rows {
    /// Rows pushed from here on come from this raw row.
    pub fn from_origin(&mut self, origin: Origin) {
        self.origin = Arc::new(origin);
        self.mentioned_before = self.mentions.len();
    }

    /// Takes back what this raw row gave when one of its keys is too long for a database. Tells
    /// which, once.
    pub fn take_back_too_long(&mut self) -> Option<TooLong> {
        let too_long = self.too_long.take()?;
        for batch in self.tables.values_mut() {
            let own = |row: &NewRow| Arc::ptr_eq(&row.origin, &self.origin);
            while batch.rows.last().is_some_and(own) {
                batch.rows.pop();
            }
        }
        self.tables.retain(|_, batch| !batch.rows.is_empty());
        self.mentions.truncate(self.mentioned_before);
        Some(too_long)
    }

    /// Adds a row to its table.
    pub fn push<R: Row>(&mut self, row: R) {
        let values = storable(row.into_values());
        self.too_long = self
            .too_long
            .take()
            .or_else(|| too_long(R::table(), &values));
        add(&mut self.tables, R::table(), values, &self.origin);
    }

    /// Adds a row whose key is a hash of its content: it is written only when absent.
    pub fn push_shared<R: Row>(&mut self, row: R) {
        let values = storable(row.into_values());
        add(&mut self.shared, R::table(), values, &self.origin);
    }

    /// Notes that this item names an account; accounts are computed from all such mentions.
    pub fn mention(&mut self, item: &Item<'_>, profile: Profile<'_>) {
        if profile.account_id.is_empty() {
            return;
        }
        let length = profile.account_id.chars().count();
        if length > LONGEST_ACCOUNT_ID {
            self.too_long.get_or_insert_with(|| TooLong {
                column: "_tool_bitbucket_accounts.account_id".to_owned(),
                most: LONGEST_ACCOUNT_ID,
                length,
            });
            return;
        }
        // Ids are stored in lines; a hostile one must not break out of its own.
        let account_id = profile.account_id.replace(char::is_control, "\u{fffd}");
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
            seen_at: item.seen_at,
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

/// The first key column that holds more characters than it may.
fn too_long(table: &Table, values: &[Value]) -> Option<TooLong> {
    let columns = table.columns.iter().zip(values);
    columns.filter(|(column, _)| column.key).find_map(|pair| {
        let (column, Value::String(Some(text))) = pair else {
            return None;
        };
        let ColumnType::String(StringLen::N(most)) = column.column_type else {
            return None;
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        // Bytes are quickly told, and as many characters or more.
        if text.len() <= most {
            return None;
        }
        let length = text.chars().count();
        (length > most).then(|| TooLong {
            column: format!("{}.{}", table.name, column.name),
            most,
            length,
        })
    })
}

/// Makes values fit every database: no U+0000 in text, times in whole milliseconds.
fn storable(mut values: Vec<Value>) -> Vec<Value> {
    for value in &mut values {
        match value {
            Value::String(Some(text)) if text.contains('\0') => {
                *text = text.replace('\0', "\u{fffd}");
            }
            Value::ChronoDateTimeUtc(Some(time)) => *time = timestamp::to_milliseconds(*time),
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::Scope;
    use crate::code::repo;
    use crate::ticket::board;
    use crate::tool::bitbucket::pull_request_commit;

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
            created_date: DateTime::from_timestamp(1, 999_999_999),
            ..repo::Model::default()
        });
        let table = Table::of::<repo::Entity>();
        let row = rows.take(table).remove(0);
        let of = |column| &row.values[table.position(column).unwrap()];
        assert_eq!(of("name"), &Value::from("a\u{fffd}b\u{fffd}"));
        let cut = DateTime::from_timestamp(1, 999_000_000);
        assert_eq!(of("created_date"), &Value::ChronoDateTimeUtc(cut));
        assert_eq!(of("updated_date"), &Value::ChronoDateTimeUtc(None));
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
        let item = Item {
            scope: &scope,
            parent: "12",
            key: "301",
            seen_at: None,
            origin: Origin::default(),
        };
        let mut rows = Rows::default();
        rows.mention(&item, profile("", "Former user"));
        assert!(rows.take_mentions().is_empty() && rows.take_shared().is_empty());
        rows.mention(&item, profile("ann", "Ann"));
        rows.mention(&item, profile("ann", "Ann B"));
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

    #[test]
    fn an_item_with_a_key_too_long_for_a_database_gives_nothing_and_its_neighbours_all() {
        let mut rows = Rows::default();
        for (id, length) in [(1, 40), (2, 41), (3, 40)] {
            rows.from_origin(origin(id));
            rows.push(pull_request_commit::Model {
                commit_sha: "ä".repeat(length),
                ..pull_request_commit::Model::default()
            });
            let told = rows.take_back_too_long();
            let expected = (length > 40).then(|| TooLong {
                column: "_tool_bitbucket_pull_request_commits.commit_sha".to_owned(),
                most: 40,
                length: 41,
            });
            assert_eq!(told, expected);
        }
        assert_eq!(rows.len(), 2);
        assert_eq!(rows.take_back_too_long(), None);
    }
}
