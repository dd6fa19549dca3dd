//! Pages of rows that are bounded by their bytes, too: a row may be as long as an answer.

use std::collections::HashMap;

use headwater_domain::{Scope, Table};
use sea_orm::sea_query::ColumnType;
use sea_orm::{DbBackend, DbErr, Value};

use crate::Store;
use crate::database::sql::{LENGTHS, key_list};
use crate::database::values;
use crate::error::{During, StoreError};
use crate::rows::read::within;

/// Bytes of rows that are read in one go; a longer row is read alone.
pub const PAGE_BYTES: i64 = 16 << 20;

/// How many of the first rows fit into a page, of rows with these lengths in bytes: at least one.
pub(crate) fn fitting(lengths: impl IntoIterator<Item = i64>) -> usize {
    let mut left = PAGE_BYTES;
    let fit = lengths.into_iter().take_while(|length| {
        left = left.saturating_sub(*length);
        left >= 0
    });
    fit.count().max(1)
}

impl Store {
    /// How many raw rows of a page are read in one go. The statement gives their lengths, one a row.
    pub(crate) async fn fitting_rows(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<usize, StoreError> {
        let rows = self.query_all(text, values).await?;
        let lengths = rows.iter().map(|row| row.get::<Option<i64>>(0));
        let lengths: Result<Vec<Option<i64>>, DbErr> = lengths.collect();
        let lengths = lengths.during(text)?;
        Ok(fitting(lengths.into_iter().map(Option::unwrap_or_default)))
    }

    /// How many of these raw rows are read in one go, the first ones first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fitting_ids(&self, table: &str, ids: &[i64]) -> Result<usize, StoreError> {
        let group = &ids[..ids.len().min(LENGTHS[0])];
        let (list, values) = key_list(group.iter().map(|&id| id.into()).collect());
        let text = format!("SELECT id, OCTET_LENGTH(data) FROM {table} WHERE id IN {list}");
        let mut lengths: HashMap<i64, i64> = HashMap::new();
        for row in self.query_all(&text, values).await? {
            let read = || -> Result<(i64, Option<i64>), DbErr> { Ok((row.get(0)?, row.get(1)?)) };
            let (id, length) = read().during(&text)?;
            lengths.insert(id, length.unwrap_or_default());
        }
        let of = |id| lengths.get(id).copied().unwrap_or_default();
        Ok(fitting(group.iter().map(of)).min(group.len()))
    }

    /// How many of these keys have rows that are read in one go, the first ones first. Only what
    /// may be long is looked at: texts without a width.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fitting_keys(
        &self,
        scope: &Scope,
        tables: &[(&Table, &str)],
        keys: &[String],
    ) -> Result<usize, StoreError> {
        let mut lengths: HashMap<String, i64> = HashMap::new();
        let whole = match self.backend() {
            DbBackend::MySql => "SIGNED",
            _ => "BIGINT",
        };
        for (table, column) in tables {
            let is_long =
                |it: &&headwater_domain::table::Column| it.column_type == ColumnType::Text;
            let long = table.columns.iter().filter(is_long);
            let sum: Vec<String> = long
                .map(|it| format!("COALESCE(OCTET_LENGTH(\"{}\"), 0)", it.name))
                .collect();
            let Some(place) = table.position(column).filter(|_| !sum.is_empty()) else {
                continue;
            };
            let kind = &table.columns[place].column_type;
            for group in keys.chunks(LENGTHS[0]) {
                let group = group.iter().map(|key| values::key_value(key, kind));
                let (list, bound) = key_list(group.collect());
                let (condition, mut all) = within(table, scope);
                all.extend(bound);
                let text = format!(
                    "SELECT {column}, CAST(SUM({}) AS {whole}) FROM {} \
                     WHERE {condition} AND {column} IN {list} GROUP BY {column}",
                    sum.join(" + "),
                    table.name
                );
                for row in self.query_all(&text, all).await? {
                    let read = || -> Result<(Value, Option<i64>), DbErr> {
                        Ok((values::read(&row, 0, kind)?, row.get(1)?))
                    };
                    let (key, length) = read().during(&text)?;
                    let known = lengths.entry(values::key_text(&key)).or_default();
                    *known = known.saturating_add(length.unwrap_or_default());
                }
            }
        }
        let of = |key: &String| lengths.get(key).copied().unwrap_or_default();
        Ok(fitting(keys.iter().map(of)).min(keys.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_fits_and_never_nothing() {
        let half = PAGE_BYTES / 2;
        for (lengths, expected) in [
            (vec![], 1),
            (vec![1, 2, 3], 3),
            (vec![half, half, 1], 2),
            (vec![half, half + 1], 1),
            (vec![PAGE_BYTES * 9, 1], 1),
            (vec![1, PAGE_BYTES, 1], 1),
            (vec![i64::MAX, i64::MAX], 1),
        ] {
            assert_eq!(fitting(lengths.clone()), expected, "{lengths:?}");
        }
    }
}
