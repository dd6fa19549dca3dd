//! Replacing all rows of some owners as a set: what is gone goes, what is equal stays untouched.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sea_orm::Value;

use crate::database::Row;

use headwater_domain::rows::{NewRow, TableRows};
use headwater_domain::table::Layer;
use headwater_domain::{Origin, Rows, Table};

use crate::database::sql::{LENGTHS, key_list, removal_text};
use crate::database::transaction::{Transaction, last_of_each_key};
use crate::database::values::{self, KeyValue};
use crate::derived::derivations::{Image, RowChange};
use crate::derived::diffs::ParentChanges;
use crate::error::{During, StoreError};
use crate::rows::read::select;
use crate::rows::shape::Shape;

/// What a replacement did to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows inserted or updated.
    pub written: u64,
    /// Rows removed.
    pub removed: u64,
    /// Rows found to be the same already.
    pub unchanged: u64,
}

impl std::ops::AddAssign for Changes {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.removed += other.removed;
        self.unchanged += other.unchanged;
    }
}

/// Whose rows are replaced.
#[derive(Clone, Debug)]
pub enum Owner {
    /// Rows made of these raw rows.
    RawRows {
        /// Their raw table.
        table: String,
        /// Their ids.
        ids: Vec<i64>,
    },
    /// Rows that hold one of these values in a column.
    Column {
        /// The column.
        name: &'static str,
        /// The values, as text.
        values: Vec<String>,
        /// Only rows of this connection; none for columns that hold domain ids.
        connection_id: Option<i64>,
    },
    /// Rows that fulfil a condition of this store.
    Within {
        /// The condition, in SQL with `?`.
        condition: String,
        /// Its values.
        values: Vec<Value>,
    },
}

/// All rows of one table for some owners.
#[derive(Debug)]
pub struct Replacement {
    /// The table.
    pub table: &'static Table,
    /// Whose rows these are.
    pub owner: Owner,
    /// The rows that should be there afterwards, and no others of these owners.
    pub rows: Vec<NewRow>,
    /// Nothing of these owners can be there yet, so nothing is looked up.
    pub first: bool,
}

/// Values with the origin behind them, as they are compared and written.
pub(crate) type FullRow = Vec<Value>;

impl Transaction<'_> {
    /// Makes a table hold exactly these rows for these owners.
    pub async fn replace(&mut self, replacement: Replacement) -> Result<Changes, StoreError> {
        let Replacement {
            table,
            owner,
            rows,
            first,
        } = replacement;
        let places: Vec<usize> = table.key_positions().collect();
        let rows = last_of_each_key(&places, rows, |row| &row.values);
        if first {
            let written = self.write_new(table, rows).await?;
            return Ok(Changes {
                written,
                ..Changes::default()
            });
        }
        let mut existing = self.owned(table, &owner).await?;
        let mut changes = Changes::default();
        let mut different = Vec::new();
        let mut before = Vec::new();
        for row in rows {
            match existing.remove(&key_of(table, &row.values)) {
                Some(old) if is_same(&old, &row) => changes.unchanged += 1,
                old => {
                    different.push(row);
                    before.push(old);
                }
            }
        }
        changes.written = different.len() as u64;
        changes.removed = existing.len() as u64;
        let mut parents = ParentChanges::of(table, &different, &before);
        if table.name == "commit_parents" {
            for row in existing.values() {
                parents.note(row, true);
            }
        }
        let written = before.iter().zip(&different).map(|(before, after)| {
            let before = before.as_deref().map_or(Image::Absent, Image::Row);
            RowChange::new(table, before, Image::Row(&after.values))
        });
        let gone = existing.values();
        let gone = gone.map(|row| RowChange::new(table, Image::Row(row), Image::Absent));
        self.note(table, written.chain(gone)).await?;
        self.put(table, different).await?;
        self.take_away(table, existing.into_keys().collect())
            .await?;
        if !parents.is_empty() {
            self.parents_changed(parents).await?;
        }
        Ok(changes)
    }

    /// Writes rows whose changes were noted; `before` are those that they replace.
    pub(crate) async fn put_noted(
        &mut self,
        table: &Table,
        rows: Vec<NewRow>,
        before: &[Option<FullRow>],
    ) -> Result<(), StoreError> {
        let parents = ParentChanges::of(table, &rows, before);
        self.put(table, rows).await?;
        if !parents.is_empty() {
            self.parents_changed(parents).await?;
        }
        Ok(())
    }

    /// Writes rows named by their content where they are absent.
    pub async fn write_shared(&mut self, shared: TableRows) -> Result<(), StoreError> {
        let rows = shared.rows.into_iter().map(|row| row.values).collect();
        self.upsert(&Shape::shared(shared.table), rows).await
    }

    /// A batch for rows that a step makes of many others: they come from the scope, and from no
    /// raw row.
    pub(crate) fn rows_of_step(&self, origin: &str) -> Rows {
        let mut rows = Rows::default();
        rows.from_origin(Origin {
            params: self.params.clone(),
            table: origin.to_owned(),
            id: 0,
        });
        rows
    }

    /// Writes rows of which none can be there yet. Returns how many.
    pub(crate) async fn write_new(
        &mut self,
        table: &Table,
        rows: Vec<NewRow>,
    ) -> Result<u64, StoreError> {
        self.write_over(table, rows, Image::Absent).await
    }

    /// Writes rows whatever is there. Returns how many.
    pub(crate) async fn write(
        &mut self,
        table: &Table,
        rows: Vec<NewRow>,
    ) -> Result<u64, StoreError> {
        self.write_over(table, rows, Image::Unknown).await
    }

    async fn write_over(
        &mut self,
        table: &Table,
        rows: Vec<NewRow>,
        before: Image<'_>,
    ) -> Result<u64, StoreError> {
        let count = rows.len() as u64;
        let changes = rows
            .iter()
            .map(|row| RowChange::new(table, before, Image::Row(&row.values)));
        self.note(table, changes).await?;
        self.put(table, rows).await?;
        Ok(count)
    }

    /// Upserts rows with their origin and this page's time and sequence.
    async fn put(&mut self, table: &Table, rows: Vec<NewRow>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let tracked = table.layer() != Layer::Domain;
        let shape = Shape::sourced(table);
        // Rows of one raw table share everything but their own values and the raw id.
        let mut groups: BTreeMap<(String, String), Vec<Vec<Value>>> = BTreeMap::new();
        let mut last: Option<(Arc<Origin>, (String, String))> = None;
        for row in rows {
            let key = match &last {
                Some((origin, key)) if is_same_source(origin, &row.origin) => key.clone(),
                _ => (row.origin.params.clone(), row.origin.table.clone()),
            };
            last = Some((Arc::clone(&row.origin), key.clone()));
            let mut values = row.values;
            values.push(Value::BigInt(Some(row.origin.id)));
            groups.entry(key).or_default().push(values);
        }
        for ((params, raw_table), rows) in groups {
            let now = Value::ChronoDateTimeUtc(Some(self.now));
            let mut shared = vec![params.into(), raw_table.into(), now.clone(), now];
            if tracked {
                shared.push(self.seq.into());
            }
            self.upsert_sharing(&shape, rows, shared).await?;
        }
        if tracked {
            self.mark_changed();
        }
        Ok(())
    }

    /// Removes rows by key.
    pub(crate) async fn remove(
        &mut self,
        table: &Table,
        keys: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        let names: Vec<&str> = key_names(table).collect();
        self.note_removed(table, &names, &keys).await?;
        self.take_away(table, keys).await
    }

    /// Removes rows by key and, in tracked tables, notes the removal for later stages.
    async fn take_away(&mut self, table: &Table, keys: Vec<Vec<Value>>) -> Result<(), StoreError> {
        let names: Vec<&str> = key_names(table).collect();
        for group in keys.chunks(LENGTHS[1]) {
            let text = removal_text(table.name, &names, group.len());
            self.execute(&text, group.concat()).await?;
        }
        if table.layer() == Layer::Domain || keys.is_empty() {
            return Ok(());
        }
        let keys = keys.iter().map(|key| {
            let pairs = names.iter().zip(key);
            let object = pairs.map(|(&name, value)| (name, values::key_text(value)));
            let object: serde_json::Map<_, _> = object
                .map(|(name, text)| (name.to_owned(), text.into()))
                .collect();
            serde_json::Value::Object(object).to_string()
        });
        let keys: Vec<KeyValue> = keys.collect();
        self.note_deleted(table.name, keys).await
    }

    /// Rows of these owners by key.
    async fn owned(
        &self,
        table: &Table,
        owner: &Owner,
    ) -> Result<HashMap<Vec<Value>, FullRow>, StoreError> {
        let select = select(table);
        let mut found = HashMap::new();
        for (condition, values) in conditions(table, owner) {
            let text = format!("{select} WHERE {condition}");
            for row in self.query_all(&text, values).await? {
                let row = read_full_row(table, &row).during("reading rows to replace")?;
                found.insert(key_of(table, &row), row);
            }
        }
        Ok(found)
    }
}

/// Conditions that together cover all owners, in groups of a fixed length.
fn conditions(table: &Table, owner: &Owner) -> Vec<(String, Vec<Value>)> {
    match owner {
        Owner::RawRows {
            table: raw_table,
            ids,
        } => ids
            .chunks(LENGTHS[0])
            .map(|group| {
                let ids = group.iter().map(|&id| Value::BigInt(Some(id)));
                let (list, mut values) = key_list(ids.collect());
                values.push(raw_table.clone().into());
                (
                    format!("_raw_data_id IN {list} AND _raw_data_table = ?"),
                    values,
                )
            })
            .collect(),
        Owner::Within { condition, values } => vec![(condition.clone(), values.clone())],
        Owner::Column {
            name,
            values,
            connection_id,
        } => {
            let place = table.position(name).unwrap_or_default();
            let kind = &table.columns[place].column_type;
            values
                .chunks(LENGTHS[0])
                .map(|group| {
                    let keys = group.iter().map(|text| values::key_value(text, kind));
                    let (list, mut values) = key_list(keys.collect());
                    let mut condition = format!("\"{name}\" IN {list}");
                    if let Some(connection_id) = connection_id {
                        condition.push_str(" AND connection_id = ?");
                        values.push((*connection_id).into());
                    }
                    (condition, values)
                })
                .collect()
        }
    }
}

impl ParentChanges {
    /// Commits whose parents change when these rows are written over those.
    fn of(table: &Table, rows: &[NewRow], before: &[Option<FullRow>]) -> Self {
        let mut parents = Self::default();
        if table.name != "commit_parents" {
            return parents;
        }
        for (row, before) in rows.iter().zip(before) {
            match before {
                Some(before) if !before.starts_with(&row.values) => parents.note(&row.values, true),
                // Another origin, which says nothing of the parents.
                Some(_) => {}
                None => parents.note(&row.values, false),
            }
        }
        parents
    }
}

fn key_names(table: &Table) -> impl Iterator<Item = &str> {
    let keys = table.columns.iter().filter(|column| column.key);
    keys.map(|column| column.name.as_str())
}

pub(crate) fn key_of(table: &Table, row: &[Value]) -> Vec<Value> {
    let places = table.key_positions();
    places.map(|place| row[place].clone()).collect()
}

fn is_same_source(left: &Arc<Origin>, right: &Arc<Origin>) -> bool {
    Arc::ptr_eq(left, right) || (left.params == right.params && left.table == right.table)
}

/// True when a stored row has the same values and origin as a new one.
fn is_same(stored: &[Value], new: &NewRow) -> bool {
    let (values, origin) = stored.split_at(new.values.len());
    let text = |value: &Value, text: &str| matches!(value, Value::String(Some(t)) if t == text);
    let id = Value::BigInt(Some(new.origin.id));
    values == new.values.as_slice()
        && matches!(origin, [params, table, raw_id]
            if text(params, &new.origin.params) && text(table, &new.origin.table) && *raw_id == id)
}

pub(crate) fn read_full_row(table: &Table, row: &Row) -> Result<FullRow, sea_orm::DbErr> {
    let mut values = Vec::with_capacity(table.columns.len() + 3);
    for (place, column) in table.columns.iter().enumerate() {
        values.push(values::read(row, place, &column.column_type)?);
    }
    let origin = table.columns.len();
    values.push(Value::String(row.get(origin)?));
    values.push(Value::String(row.get(origin + 1)?));
    values.push(Value::BigInt(row.get(origin + 2)?));
    Ok(values)
}
