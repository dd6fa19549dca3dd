//! Domain rows from files: columns that the file has are written, the others of a row stay.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::Value;

use headwater_domain::rows::NewRow;
use headwater_domain::table::Column;
use headwater_domain::{Origin, Scope, Table};

use crate::database::dialect::quoted;
use crate::database::sql::{LENGTHS, behind_key, key_list};
use crate::database::transaction::Transaction;
use crate::derived::derivations::{Image, RowChange};
use crate::error::{During, StoreError};
use crate::rows::read::select;
use crate::rows::replace::{FullRow, key_of, read_full_row};
use crate::{Changes, Store};

/// What imported rows say in `_raw_data_table`.
pub const IMPORT_ORIGIN: &str = "import";

/// Rows that are copied in one transaction.
const COPIED: usize = 512;

/// Rows that are looked up in one statement.
const GROUP: usize = 64;

/// Which columns of which table are imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The table, of the domain layer.
    pub table: &'static Table,
    /// Places of the columns that the rows have, among the table's; those of the key are among
    /// them.
    pub places: Vec<usize>,
    /// The table has no row yet, so that nothing is looked up.
    pub first: bool,
}

impl Store {
    /// Whether a table has no row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_no_rows(&self, table: &Table) -> Result<bool, StoreError> {
        let text = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        Ok(self.query_all(&text, Vec::new()).await?.is_empty())
    }
}

impl Store {
    /// Imports the rows of a table that were imported here into another database, too. Columns that
    /// an import changed of other rows are not among them.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn copy_imports(
        &self,
        to: &Self,
        table: &'static Table,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let of = Imported {
            table,
            places: (0..table.columns.len()).collect(),
            first: false,
        };
        let keys: Vec<&str> = table
            .columns
            .iter()
            .filter(|it| it.key)
            .map(|it| it.name.as_str())
            .collect();
        let mut last: Option<Vec<Value>> = None;
        loop {
            let mut condition = "_raw_data_params = ? AND _raw_data_table = ?".to_owned();
            let mut values: Vec<Value> = vec!["".into(), IMPORT_ORIGIN.into()];
            if let Some(last) = &last {
                let (behind, key) = behind_key(self.dialect(), &keys, last);
                condition = format!("{condition} AND ({behind})");
                values.extend(key);
            }
            let order = quoted(&keys).join(", ");
            let text = format!(
                "{} WHERE {condition} ORDER BY {order} LIMIT {COPIED}",
                select(table)
            );
            let rows = self.query_all(&text, values).await?;
            let read = rows.iter().map(|row| read_full_row(table, row));
            let mut rows: Vec<FullRow> = read.collect::<Result<_, _>>().during(&text)?;
            let Some(end) = rows.last() else {
                return Ok(());
            };
            last = Some(key_of(table, end));
            for row in &mut rows {
                row.truncate(table.columns.len());
            }
            let mut page = to.begin(&Scope::everywhere(), now).await?;
            page.import(&of, rows).await?;
            page.commit().await?;
        }
    }
}

impl Transaction<'_> {
    /// Writes rows by key: of a row that is there the columns at hand change, a new one gets
    /// defaults in the others. No two of them have one key.
    ///
    /// What follows from them is derived again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn import(
        &mut self,
        of: &Imported,
        rows: Vec<Vec<Value>>,
    ) -> Result<Changes, StoreError> {
        let table = of.table;
        let origin = Arc::new(Origin {
            params: String::new(),
            table: IMPORT_ORIGIN.to_owned(),
            id: 0,
        });
        let made = Scope::everywhere().params();
        let full = rows.into_iter().map(|row| of.completed(row));
        let mut full: Vec<(Vec<Value>, Vec<Value>)> = full.collect();
        let mut stored = if of.first {
            HashMap::new()
        } else {
            self.stored(table, full.iter().map(|(row, _)| row)).await?
        };
        let mut changes = Changes::default();
        let mut different = Vec::new();
        let mut before = Vec::new();
        for (values, own) in &mut full {
            let old = stored.remove(&key_of(table, values));
            let mut new_row = NewRow {
                values: std::mem::take(values),
                origin: Arc::clone(&origin),
            };
            if let Some(old) = &old {
                new_row.values = old[..table.columns.len()].to_vec();
                // What a source says goes on to be the source's; what Headwater made itself is
                // the import's from here on.
                let known = origin_in(&old[table.columns.len()..]);
                let is_made = known.params == made;
                if !is_made {
                    new_row.origin = Arc::new(known);
                }
                for (place, value) in of.places.iter().zip(own) {
                    new_row.values[*place] = value.clone();
                }
                if !is_made && new_row.values == old[..table.columns.len()] {
                    changes.unchanged += 1;
                    continue;
                }
            }
            different.push(new_row);
            before.push(old);
        }
        changes.written = different.len() as u64;
        let pairs = before.iter().zip(&different).map(|(before, after)| {
            let before = before.as_deref().map_or(Image::Absent, Image::Row);
            RowChange::new(table, before, Image::Row(&after.values))
        });
        self.note_imported(table, pairs).await?;
        self.put_noted(table, different, &before).await?;
        Ok(changes)
    }

    /// Rows that are stored under the keys of these, by key.
    async fn stored(
        &self,
        table: &Table,
        rows: impl Iterator<Item = &Vec<Value>>,
    ) -> Result<HashMap<Vec<Value>, FullRow>, StoreError> {
        let keys: Vec<Vec<Value>> = rows.map(|row| key_of(table, row)).collect();
        let names: Vec<&str> = table
            .columns
            .iter()
            .filter(|column| column.key)
            .map(|column| column.name.as_str())
            .collect();
        let mut found = HashMap::with_capacity(keys.len());
        let select = select(table);
        let group = if names.len() == 1 { LENGTHS[0] } else { GROUP };
        for keys in keys.chunks(group) {
            let (condition, values) = condition(&names, keys);
            let text = format!("{select} WHERE {condition}");
            for row in self.query_all(&text, values).await? {
                let row = read_full_row(table, &row).during("reading rows to import over")?;
                found.insert(key_of(table, &row), row);
            }
        }
        Ok(found)
    }
}

impl Imported {
    /// A row with defaults in the columns that are not at hand, and the values at hand.
    fn completed(&self, row: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
        let columns = self.table.columns.iter();
        let mut values: Vec<Value> = columns.map(Column::default_value).collect();
        for (place, value) in self.places.iter().zip(&row) {
            values[*place] = value.clone();
        }
        (values, row)
    }
}

fn origin_in(behind: &[Value]) -> Origin {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(Some(text))) => text.clone(),
        _ => String::new(),
    };
    Origin {
        params: text(behind.first()),
        table: text(behind.get(1)),
        id: match behind.get(2) {
            Some(Value::BigInt(Some(id))) => *id,
            _ => 0,
        },
    }
}

/// What holds for the rows with these keys.
fn condition(names: &[&str], keys: &[Vec<Value>]) -> (String, Vec<Value>) {
    if let [name] = names {
        let (list, values) = key_list(keys.concat());
        return (format!("\"{name}\" IN {list}"), values);
    }
    let one: Vec<String> = names.iter().map(|name| format!("\"{name}\" = ?")).collect();
    let one = format!("({})", one.join(" AND "));
    (vec![one.as_str(); keys.len()].join(" OR "), keys.concat())
}
