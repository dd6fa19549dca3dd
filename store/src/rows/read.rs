//! Typed reads of tool rows, with their origin.

use std::collections::{BTreeSet, HashSet};

use sea_orm::sea_query::ColumnType;
use sea_orm::{DbErr, EntityTrait, Iterable, ModelTrait, Value};

use headwater_domain::{Origin, Scope, Sourced, Table};

use crate::Store;
use crate::database::Row;
use crate::database::sql::{LENGTHS, column_list, key_list, list_of};
use crate::database::values;
use crate::error::{During, StoreError};
use crate::run_blocking::run_blocking;

impl Store {
    /// Rows of a tool table whose column holds one of these keys, within a scope.
    ///
    /// A table without `repo_id` is read over the whole connection.
    pub async fn rows_by_key<E>(
        &self,
        scope: &Scope,
        column: &str,
        keys: &[String],
    ) -> Result<Vec<Sourced<E::Model>>, StoreError>
    where
        E: EntityTrait<Model: Default + Send>,
    {
        let table = Table::of::<E>();
        let kind = kind_of(table, column)?;
        let mut rows = Vec::with_capacity(keys.len());
        for group in keys.chunks(LENGTHS[0]) {
            let keys = group.iter().map(|key| values::key_value(key, kind));
            let (list, keys) = key_list(keys.collect());
            let (condition, mut values) = within(table, scope);
            let text = format!("{} WHERE {condition} AND {column} IN {list}", select(table));
            values.extend(keys);
            rows.extend(self.query_all(&text, values).await?);
        }
        let read = run_blocking(move || rows.iter().map(|row| sourced::<E>(table, row)).collect());
        let read: Result<_, DbErr> = read.await?;
        read.during(&format!("reading {}", table.name))
    }

    /// Rows of a table whose column holds one of these keys, of all scopes.
    ///
    /// # Errors
    /// When the database fails, or the table has no such column.
    pub async fn rows_holding<E>(
        &self,
        column: &str,
        keys: &[String],
    ) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait<Model: Default>,
    {
        let table = Table::of::<E>();
        let kind = kind_of(table, column)?;
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| values::key_value(key, kind))
            .collect();
        let text = format!("{} WHERE {column} IN ", select(table));
        let rows = self.rows_in(&text, &[], &keys).await?;
        let read = rows.iter().map(|row| model::<E>(table, row));
        read.collect::<Result<_, _>>().during(&text)
    }

    /// The row with this key in one of these repositories: the first one that has it.
    ///
    /// # Errors
    /// When the database fails, or the table has no such column.
    pub async fn first_row_by_key<E>(
        &self,
        scopes: Vec<Scope>,
        column: &str,
        key: &str,
    ) -> Result<Option<(Scope, Sourced<E::Model>)>, StoreError>
    where
        E: EntityTrait<Model: Default + Send>,
    {
        let keys = [key.to_owned()];
        for scope in scopes {
            let rows = self.rows_by_key::<E>(&scope, column, &keys).await?;
            if let Some(row) = rows.into_iter().next() {
                return Ok(Some((scope, row)));
            }
        }
        Ok(None)
    }
}

/// A tool table whose rows name those of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The table that names; it has the columns `connection_id` and `repo_id`.
    pub table: &'static str,
    /// Its column with the name.
    pub from: &'static str,
    /// Its column with the key that is looked for.
    pub to: &'static str,
}

impl Store {
    /// Keys of the rows that hold one of these names, within a scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys_naming(
        &self,
        scope: &Scope,
        way: &Way,
        names: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let columns = (way.to, way.from);
        self.other_column(scope, way.table, columns, names).await
    }

    /// Names that the rows with these keys hold, within a scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_of(
        &self,
        scope: &Scope,
        way: &Way,
        keys: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let columns = (way.from, way.to);
        self.other_column(scope, way.table, columns, keys).await
    }

    /// Distinct texts of one column in the rows whose other column holds one of these texts.
    async fn other_column(
        &self,
        scope: &Scope,
        table: &str,
        (wanted, known): (&str, &str),
        texts: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let text = format!(
            "SELECT DISTINCT {wanted} FROM {table} \
             WHERE connection_id = ? AND repo_id = ? AND {known} IN "
        );
        let within = [scope.connection_id.into(), scope.full_name.clone().into()];
        let rows = self.rows_in(&text, &within, texts).await?;
        let mut found = BTreeSet::new();
        for row in rows {
            let text: Option<String> = row.get(0).during(&format!("reading {table}"))?;
            found.extend(text.filter(|text| !text.is_empty()));
        }
        Ok(found.into_iter().collect())
    }
}

impl Store {
    /// Rows of a statement that ends where a list of keys is to follow, for all of these keys;
    /// `first` are the values that come before them.
    pub(crate) async fn rows_in<K: Clone + Into<Value>>(
        &self,
        text: &str,
        first: &[Value],
        keys: &[K],
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let values = first.iter().cloned().chain(keys).collect();
            rows.extend(self.query_all(&format!("{text}{list}"), values).await?);
        }
        Ok(rows)
    }

    /// Which of these keys a column of a tool table holds in other scopes.
    ///
    /// Reads the whole table: it is asked when a scope has lost keys, which is rare.
    pub async fn keys_elsewhere(
        &self,
        scope: &Scope,
        (table, column): (&Table, &str),
        keys: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let mut found = HashSet::new();
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let (within, mut values) = within(table, scope);
            let text = format!(
                "SELECT DISTINCT {column} FROM {} WHERE NOT ({within}) AND {column} IN {list}",
                table.name
            );
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                found.insert(row.get(0).during(&format!("reading {}", table.name))?);
            }
        }
        Ok(found)
    }
}

fn kind_of<'t>(table: &'t Table, column: &str) -> Result<&'t ColumnType, StoreError> {
    let place = table.position(column);
    let kind = place.map(|place| &table.columns[place].column_type);
    kind.ok_or_else(|| {
        StoreError::refused(
            format!("reading {}", table.name),
            format!("it has no column {column}"),
        )
    })
}

pub(crate) fn within(table: &Table, scope: &Scope) -> (&'static str, Vec<Value>) {
    let connection = scope.connection_id.into();
    if table.has("repo_id") {
        let name = scope.full_name.clone().into();
        ("connection_id = ? AND repo_id = ?", vec![connection, name])
    } else {
        ("connection_id = ?", vec![connection])
    }
}

/// Reads a table's columns and where each row came from.
pub(crate) fn select(table: &Table) -> String {
    let names = table.columns.iter().map(|column| column.name.as_str());
    format!(
        "SELECT {}, _raw_data_params, _raw_data_table, _raw_data_id FROM {}",
        column_list(table.name, names),
        table.name
    )
}

pub(crate) fn sourced<E>(table: &Table, row: &Row) -> Result<Sourced<E::Model>, DbErr>
where
    E: EntityTrait<Model: Default>,
{
    let origin = table.columns.len();
    Ok(Sourced {
        row: model::<E>(table, row)?,
        origin: Origin {
            params: row.get(origin)?,
            table: row.get(origin + 1)?,
            id: row.get(origin + 2)?,
        },
    })
}

/// A row whose first cells are the table's columns, in their order. NULL where a row of ours has a
/// value, as imported rows have it, reads as that column's default: empty text, 0, false.
pub(crate) fn model<E>(table: &Table, row: &Row) -> Result<E::Model, DbErr>
where
    E: EntityTrait<Model: Default>,
{
    let mut model = E::Model::default();
    for (place, column) in E::Column::iter().enumerate() {
        let value = values::read(row, place, &table.columns[place].column_type)?;
        let is_null = is_null(&value);
        match model.try_set(column, value) {
            Err(_) if is_null => {}
            set => set?,
        }
    }
    Ok(model)
}

fn is_null(value: &Value) -> bool {
    matches!(
        value,
        Value::String(None)
            | Value::BigInt(None)
            | Value::Bool(None)
            | Value::Double(None)
            | Value::ChronoDateTimeUtc(None)
    )
}
