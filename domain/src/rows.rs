//! Rows that a mapping made, by table, with where they came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::Value;

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
}

impl Rows {
    /// Rows pushed from here on come from this raw row.
    pub fn from_origin(&mut self, origin: Origin) {
        self.origin = Arc::new(origin);
    }

    /// Adds a row to its table.
    pub fn push<R: Row>(&mut self, row: R) {
        let values = storable(row.into_values());
        add(&mut self.tables, R::table(), values, &self.origin);
    }

    /// Adds a row whose key is a hash of its content: it is written only when absent.
    pub fn push_shared<R: Row>(&mut self, row: R) {
        let values = storable(row.into_values());
        add(&mut self.shared, R::table(), values, &self.origin);
    }

    /// Notes that this item names an account; accounts are computed from all such mentions.
    pub fn mention(&mut self, source: &str, item: &Item<'_>, profile: Profile) {
        if profile.account_id.is_empty() {
            return;
        }
        let row = profile.into_row(item.scope.connection_id);
        self.push(row.mentioned_by(source, item));
        self.push_shared(row);
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
