//! Typed reads of tool rows, with their origin.

use sea_orm::{EntityTrait, FromQueryResult, QueryResult, Value};

use headwater_domain::{Origin, Scope, Sourced, Table};

use crate::Store;
use crate::error::{During, StoreError};
use crate::sql::{LENGTHS, key_list};
use crate::value;

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
        E: EntityTrait,
    {
        let table = Table::of::<E>();
        let Some(place) = table.position(column) else {
            return Err(StoreError::refused(
                format!("reading {}", table.name),
                format!("it has no column {column}"),
            ));
        };
        let kind = &table.columns[place].column_type;
        let mut found = Vec::with_capacity(keys.len());
        for group in keys.chunks(LENGTHS[0]) {
            let keys = group.iter().map(|key| value::key_value(key, kind));
            let (list, keys) = key_list(keys.collect());
            let (condition, mut values) = within(table, scope);
            let text = format!("{} WHERE {condition} AND {column} IN {list}", select(table));
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                let read = sourced::<E::Model>(&row);
                found.push(read.during(&format!("reading {}", table.name))?);
            }
        }
        Ok(found)
    }
}

fn within(table: &Table, scope: &Scope) -> (&'static str, Vec<Value>) {
    let connection = scope.connection_id.into();
    if table.has("repo_id") {
        let name = scope.full_name.clone().into();
        ("connection_id = ? AND repo_id = ?", vec![connection, name])
    } else {
        ("connection_id = ?", vec![connection])
    }
}

fn select(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    format!(
        "SELECT {}, _raw_data_params, _raw_data_table, _raw_data_id FROM {}",
        columns.join(", "),
        table.name
    )
}

fn sourced<M: FromQueryResult>(row: &QueryResult) -> Result<Sourced<M>, sea_orm::DbErr> {
    Ok(Sourced {
        row: M::from_query_result(row, "")?,
        origin: Origin {
            params: row.try_get("", "_raw_data_params")?,
            table: row.try_get("", "_raw_data_table")?,
            id: row.try_get("", "_raw_data_id")?,
        },
    })
}
