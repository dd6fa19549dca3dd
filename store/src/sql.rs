//! Text of statements: built once per table and length, then only values change.
//!
//! Building an upsert costs more than running it, and a cached text is prepared once by the
//! driver. So rows go in groups of a few fixed lengths, and lists of keys are padded to them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sea_query::{
    Alias, MysqlQueryBuilder, OnConflict, PostgresQueryBuilder, Query, SqliteQueryBuilder,
};
use sea_orm::{DbBackend, DbErr, Value};

use crate::shape::Shape;

/// Lengths a group of rows may have; the largest is measured, the others finish the tail.
pub(crate) const LENGTHS: [usize; 5] = [256, 64, 16, 4, 1];

/// Bind variables one statement may have: SQLite takes 32,766, the servers twice that.
const MAX_VARIABLES: usize = 32_000;

/// Bytes of values one statement may carry, well below a server's packet limit.
const MAX_BYTES: usize = 4 << 20;

type Known = HashMap<(Shape, usize), Arc<str>>;

/// Upsert texts made so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(Arc<Mutex<Known>>);

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

/// A hand-written text as the database wants it: PostgreSQL numbers its markers.
pub(crate) fn numbered(backend: DbBackend, text: &str) -> Cow<'_, str> {
    if backend != DbBackend::Postgres {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        numbered.push('$');
        numbered.push_str(&(index + 1).to_string());
        numbered.push_str(part);
    }
    Cow::Owned(numbered)
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
pub(crate) fn next_length(rows: &[Vec<Value>], columns: usize) -> usize {
    let by_variables = MAX_VARIABLES / columns.max(1);
    let mut bytes = 0;
    let by_bytes = rows
        .iter()
        .take(LENGTHS[0])
        .take_while(|row| {
            bytes += row.iter().map(size).sum::<usize>();
            bytes <= MAX_BYTES
        })
        .count();
    let most = by_variables.min(by_bytes).max(1);
    let fitting = LENGTHS.iter().find(|&&length| length <= most);
    fitting.copied().unwrap_or(1)
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}
