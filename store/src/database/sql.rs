//! Text of statements: built once per table and length, then only values change.
//!
//! Building an upsert costs more than running it, and a cached text is prepared once by the
//! driver. So rows go in groups of a few fixed lengths, and lists of keys are padded to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sea_query::{
    Alias, MysqlQueryBuilder, OnConflict, PostgresQueryBuilder, Query, SqliteQueryBuilder,
};
use sea_orm::{DbBackend, DbErr, Value};

use crate::database::dialect::{SqlDialect, quoted};
use crate::rows::shape::Shape;

/// Lengths a group of rows may have; the largest is measured, the others finish the tail.
pub(crate) const LENGTHS: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// Bind variables one statement may have: SQLite takes 32,766, the servers twice that.
const MAX_VARIABLES: usize = 32_000;

/// Bytes of values one statement carries together, however much a server would take.
const MAX_BYTES: usize = 4 << 20;

/// Bytes of a statement that are not values: its head, and what a driver says of each value.
const HEAD: usize = 1024;

/// Bytes that a driver needs beside each value, for its type and length.
const BESIDE_VALUE: usize = 12;

type UpsertTexts = HashMap<(Shape, usize), Arc<str>>;

/// Upsert texts made so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(Arc<Mutex<UpsertTexts>>);

impl Texts {
    /// The upsert of `length` rows of this shape.
    pub(crate) fn upsert(
        &self,
        backend: DbBackend,
        shape: &Shape,
        length: usize,
    ) -> Result<Arc<str>, DbErr> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&(shape.clone(), length)) {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = upsert_text(backend, shape, length)?.into();
        known.insert((shape.clone(), length), Arc::clone(&text));
        Ok(text)
    }
}

fn upsert_text(backend: DbBackend, shape: &Shape, length: usize) -> Result<String, DbErr> {
    let alias = |name: &String| Alias::new(name.as_str());
    let mut insert = Query::insert();
    insert.into_table(alias(&shape.table));
    insert.columns(shape.columns.iter().map(alias));
    for _ in 0..length {
        let row = shape.columns.iter().map(|_| Value::Int(Some(0)).into());
        insert
            .values(row)
            .map_err(|error| DbErr::Custom(error.to_string()))?;
    }
    let changing: Vec<Alias> = shape
        .columns
        .iter()
        .filter(|column| !shape.keys.contains(column) && !shape.set_once.contains(column))
        .map(alias)
        .collect();
    let mut conflict = OnConflict::columns(shape.keys.iter().map(alias));
    if changing.is_empty() || shape.keep_existing {
        // `DO NOTHING` alone is not valid on MySQL; naming the keys is.
        conflict.do_nothing_on(shape.keys.iter().map(alias));
    } else {
        conflict.update_columns(changing);
    }
    insert.on_conflict(conflict);
    let (text, _) = match backend {
        DbBackend::MySql => insert.build(MysqlQueryBuilder),
        DbBackend::Postgres => insert.build(PostgresQueryBuilder),
        _ => insert.build(SqliteQueryBuilder),
    };
    Ok(text)
}

/// The removal of this many rows by key.
pub(crate) fn removal_text(table: &str, keys: &[&str], rows: usize) -> String {
    let one: Vec<String> = keys.iter().map(|key| format!("\"{key}\" = ?")).collect();
    let one = format!("({})", one.join(" AND "));
    let any = vec![one.as_str(); rows].join(" OR ");
    format!("DELETE FROM {table} WHERE {any}")
}

/// A page of a scope's raw rows in the order of their changes: after scope, sequence, the same
/// sequence and id, at most so many.
///
/// Not `(changed_seq, id) > (?, ?)`: MySQL and MariaDB would read all rows of the scope for it.
pub(crate) fn changed_page_text(table: &str) -> String {
    format!(
        "SELECT id, parent, item_key, data, created_at, changed_seq FROM {table} \
         WHERE params = ? AND changed_seq >= ? AND (changed_seq > ? OR id > ?) \
         ORDER BY changed_seq, id LIMIT ?"
    )
}

/// The lengths of the rows of such a page.
pub(crate) fn changed_lengths_text(table: &str) -> String {
    format!(
        "SELECT OCTET_LENGTH(data) FROM {table} \
         WHERE params = ? AND changed_seq >= ? AND (changed_seq > ? OR id > ?) \
         ORDER BY changed_seq, id LIMIT ?"
    )
}

/// Rows behind a whole key, in the form in which the database finds them by its index, with the
/// values to bind.
pub(crate) fn behind_key(sql: SqlDialect, key: &[&str], last: &[Value]) -> (String, Vec<Value>) {
    if sql.seeks_whole_keys() {
        let marks = vec!["?"; key.len()].join(", ");
        let condition = format!("({}) > ({marks})", quoted(key).join(", "));
        return (condition, last[..key.len()].to_vec());
    }
    let mut values = Vec::new();
    let alternatives: Vec<String> = (0..key.len())
        .map(|place| {
            values.extend_from_slice(&last[..=place]);
            let equal = key[..place].iter().map(|name| format!("\"{name}\" = ?"));
            let greater = std::iter::once(format!("\"{}\" > ?", key[place]));
            let all: Vec<String> = equal.chain(greater).collect();
            format!("({})", all.join(" AND "))
        })
        .collect();
    (format!("({})", alternatives.join(" OR ")), values)
}

/// `table."name", ...`.
pub(crate) fn column_list<'a>(table: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("{table}.\"{name}\"")).collect();
    names.join(", ")
}

/// [`key_list`] of keys that are not values yet.
pub(crate) fn list_of<K: Clone + Into<Value>>(keys: &[K]) -> (String, Vec<Value>) {
    key_list(keys.iter().cloned().map(Into::into).collect())
}

/// `(?, ?, ...)` for a list of keys, padded to a fixed length by repeating the last one.
pub(crate) fn key_list(mut keys: Vec<Value>) -> (String, Vec<Value>) {
    let length = padded_length(keys.len());
    if let Some(last) = keys.last().cloned() {
        keys.resize(length, last);
    }
    let marks = vec!["?"; keys.len()].join(", ");
    (format!("({marks})"), keys)
}

/// The shortest fixed length that holds this many.
pub(crate) fn padded_length(wanted: usize) -> usize {
    let fitting = LENGTHS.iter().rev().find(|&&length| length >= wanted);
    fitting.copied().unwrap_or(wanted)
}

/// How many of the remaining rows go into the next statement.
///
/// `longest` is the longest statement that the database takes, in bytes. A row that is longer goes
/// alone, and is refused.
pub(crate) fn next_length(rows: &[Vec<Value>], columns: usize, longest: usize) -> usize {
    let most_bytes = MAX_BYTES.min(longest.saturating_sub(HEAD));
    let by_variables = MAX_VARIABLES / columns.max(1);
    let mut bytes = 0;
    let by_bytes = rows
        .iter()
        .take(LENGTHS[0])
        .take_while(|row| {
            bytes += size_of_row(row);
            bytes <= most_bytes
        })
        .count();
    let most = by_variables.min(by_bytes).max(1);
    let fitting = LENGTHS.iter().find(|&&length| length <= most);
    fitting.copied().unwrap_or(1)
}

/// Bytes of a row's values in a statement.
pub(crate) fn size_of_row(row: &[Value]) -> usize {
    let size = |value: &Value| match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    };
    row.iter().map(|value| size(value) + BESIDE_VALUE).sum()
}

/// True when a row does not fit into a statement of this many bytes, not even alone.
pub(crate) fn is_too_long(row: &[Value], longest: usize) -> bool {
    size_of_row(row) > longest.saturating_sub(HEAD)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const BACKENDS: [DbBackend; 3] = [DbBackend::Sqlite, DbBackend::Postgres, DbBackend::MySql];

    fn on_each(shape: &Shape, length: usize) -> String {
        let texts = BACKENDS.map(|backend| {
            let text = upsert_text(backend, shape, length).unwrap();
            format!("{backend:?}:\n{text}\n")
        });
        texts.concat()
    }

    fn shape() -> Shape {
        Shape::plain("repos", &["id", "name", "created_at"], &["id"])
    }

    #[test]
    fn an_upsert_updates_what_is_no_key() {
        assert_snapshot!(on_each(&shape(), 2));
    }

    #[test]
    fn an_upsert_leaves_a_column_that_is_set_once() {
        let shape = Shape {
            set_once: vec!["created_at".to_owned()],
            ..shape()
        };
        assert_snapshot!(on_each(&shape, 1));
    }

    #[test]
    fn an_upsert_of_rows_named_by_their_content_keeps_what_is_there() {
        let shape = Shape {
            keep_existing: true,
            ..shape()
        };
        assert_snapshot!(on_each(&shape, 1));
    }

    #[test]
    fn an_upsert_of_keys_alone_does_nothing_where_they_are_known() {
        let names = ["params", "step", "row_key"];
        assert_snapshot!(on_each(&Shape::plain("_headwater_work", &names, &names), 1));
    }

    /// A hand-written text in each dialect.
    fn numbered_on_each(text: impl Fn(DbBackend) -> String) -> String {
        let texts = BACKENDS.map(|backend| {
            let text = text(backend);
            format!(
                "{backend:?}:\n{}\n",
                SqlDialect::from(backend).marked(&text)
            )
        });
        texts.concat()
    }

    #[test]
    fn a_page_of_changes_is_found_by_the_index_on_every_database() {
        let text = |_| changed_page_text("_raw_bitbucket_api_pull_requests");
        assert_snapshot!(numbered_on_each(text));
    }

    #[test]
    fn a_page_of_a_whole_table_begins_behind_the_last_key() {
        let last = [1i64.into(), "a/b".into(), 12i64.into()];
        let text = |backend: DbBackend| {
            let names = ["connection_id", "repo_id", "bitbucket_id"];
            let (condition, values) = behind_key(backend.into(), &names, &last);
            assert_eq!(condition.matches('?').count(), values.len());
            format!("SELECT title FROM _tool_bitbucket_pull_requests WHERE {condition}")
        };
        assert_snapshot!(numbered_on_each(text));
    }

    #[test]
    fn rows_are_removed_by_key_several_at_once() {
        let keys = ["pull_request_id", "reviewer_id"];
        let text = |_| removal_text("pull_request_reviewers", &keys, 2);
        assert_snapshot!(numbered_on_each(text));
    }

    #[test]
    fn a_text_is_built_once_per_shape_and_length() {
        let texts = Texts::default();
        let first = texts.upsert(DbBackend::Sqlite, &shape(), 4).unwrap();
        let again = texts.upsert(DbBackend::Sqlite, &shape(), 4).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let longer = texts.upsert(DbBackend::Sqlite, &shape(), 16).unwrap();
        assert_ne!(first, longer);
    }

    #[test]
    fn a_row_too_large_for_any_statement_still_goes_alone() {
        let large = || vec![Value::Bytes(Some(vec![0; MAX_BYTES + 1]))];
        assert_eq!(next_length(&[large(), large()], 1, usize::MAX), 1);
        let half = || {
            vec![Value::String(Some(
                "x".repeat(MAX_BYTES / 2 - BESIDE_VALUE),
            ))]
        };
        let halves = [half(), half(), half(), half()];
        assert_eq!(next_length(&halves, 1, usize::MAX), 2);
    }

    #[test]
    fn rows_go_in_statements_that_the_server_takes() {
        let row = || vec![Value::String(Some("x".repeat(1000 - BESIDE_VALUE)))];
        let rows = vec![row(); 64];
        for (longest, length) in [
            (usize::MAX, 64),
            (HEAD + 64_000, 64),
            (HEAD + 63_999, 32),
            (HEAD + 4000, 4),
            (HEAD + 1000, 1),
            (0, 1),
        ] {
            assert_eq!(next_length(&rows, 1, longest), length, "{longest}");
            let fits = length > 1 || longest == HEAD + 1000;
            assert_eq!(is_too_long(&rows[0], longest), !fits, "{longest}");
        }
    }

    proptest! {
        #[test]
        fn a_list_of_keys_is_padded_with_its_own_last_key(count in 0usize..300) {
            let keys: Vec<Value> = (0..).take(count).map(|key| Value::BigInt(Some(key))).collect();
            let (list, padded) = key_list(keys.clone());
            prop_assert_eq!(list.matches('?').count(), padded.len());
            prop_assert_eq!(&padded[..count], &keys[..]);
            prop_assert!(padded[count..].iter().all(|key| Some(key) == keys.last()));
            prop_assert!(count == 0 || count > LENGTHS[0] || LENGTHS.contains(&padded.len()));
        }

        #[test]
        fn groups_have_known_lengths_stay_within_limits_and_leave_nothing(
            count in 0usize..600,
            columns in 1usize..200,
        ) {
            let row = vec![Value::BigInt(Some(1)); columns];
            let mut rest = vec![row; count];
            while !rest.is_empty() {
                let length = next_length(&rest, columns, usize::MAX);
                prop_assert!(LENGTHS.contains(&length));
                prop_assert!(length <= rest.len());
                prop_assert!(length * columns <= MAX_VARIABLES);
                rest.truncate(rest.len() - length);
            }
        }
    }
}
