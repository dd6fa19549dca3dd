//! Raw rows on their way out to files.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use crate::Store;
use crate::database::Row;
use crate::error::{During, StoreError};

/// A raw row with the columns that a file of raw rows has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRow {
    /// Id in its raw table.
    pub id: i64,
    /// The scope.
    pub params: String,
    /// The item's JSON as received.
    pub data: Vec<u8>,
    /// Address of the list it is in.
    pub url: String,
    /// JSON of what the request was made for.
    pub input: String,
    /// Server time at which the item was last seen to change (UTC).
    pub created_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Rows of a raw table after an id, in id order; of one scope, or of all.
    pub async fn rows_to_export(
        &self,
        table: &str,
        params: Option<&str>,
        after_id: i64,
        limit: usize,
    ) -> Result<Vec<ExportedRow>, StoreError> {
        let condition = if params.is_some() {
            "params = ? AND"
        } else {
            ""
        };
        let page = format!("FROM {table} WHERE {condition} id > ? ORDER BY id LIMIT ?");
        let values = |limit: usize| {
            let mut values: Vec<Value> = params.iter().map(|&params| params.into()).collect();
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            values.extend([after_id.into(), limit.into()]);
            values
        };
        let lengths = format!("SELECT OCTET_LENGTH(data) {page}");
        let fitting = self.fitting_rows(&lengths, values(limit)).await?;
        let text = format!("SELECT id, params, data, url, input, created_at {page}");
        let rows = self.query_all(&text, values(fitting)).await?;
        let read = |row: &Row| {
            Ok(ExportedRow {
                id: row.get(0)?,
                params: row.get(1)?,
                data: row.get(2)?,
                url: row.get(3)?,
                input: row.get(4)?,
                created_at: row.get(5)?,
            })
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, DbErr>>()
            .during("exporting raw rows")
    }

    /// The highest id of a raw table; 0 for an empty one.
    pub async fn highest_id(&self, table: &str) -> Result<i64, StoreError> {
        let rows = self
            .query_all(&format!("SELECT MAX(id) FROM {table}"), Vec::new())
            .await?;
        let highest: Option<i64> = match rows.first() {
            Some(row) => row.get(0).during("reading the highest id")?,
            None => None,
        };
        Ok(highest.unwrap_or_default())
    }
}
