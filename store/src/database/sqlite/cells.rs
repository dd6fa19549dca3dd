//! Values as SQLite stores them, and cells as it gives them back.

use headwater_domain::timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, Value as SqliteValue, ValueRef};
use sea_orm::Value;

use crate::database::Cell;

/// Text that is not UTF-8 can only come from a damaged file; it is read as well as it can be.
pub(super) fn owned(cell: ValueRef<'_>) -> Cell {
    match cell {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(text).into_owned(),
        }),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

/// Binds values from a place on.
pub(super) fn bind(
    statement: &mut rusqlite::Statement<'_>,
    from: usize,
    values: &[Value],
) -> rusqlite::Result<()> {
    for (place, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(from + place + 1, Bound(value))?;
    }
    Ok(())
}

/// A value as SQLite stores it: truth as 1 and 0, times as fixed-width text.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = |cell| Ok(ToSqlOutput::Borrowed(cell));
        let integer = |number: i64| Ok(ToSqlOutput::Owned(SqliteValue::Integer(number)));
        match self.0 {
            Value::BigInt(Some(number)) => integer(*number),
            Value::Int(Some(number)) => integer(i64::from(*number)),
            Value::Bool(Some(flag)) => integer(i64::from(*flag)),
            Value::Double(Some(number)) => Ok(ToSqlOutput::Owned(SqliteValue::Real(*number))),
            Value::String(Some(text)) => borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(Some(bytes)) => borrowed(ValueRef::Blob(bytes)),
            Value::ChronoDateTimeUtc(Some(time)) => Ok(ToSqlOutput::Owned(SqliteValue::Text(
                timestamp::to_stored_text(*time),
            ))),
            Value::BigInt(None)
            | Value::Int(None)
            | Value::Bool(None)
            | Value::Double(None)
            | Value::String(None)
            | Value::Bytes(None)
            | Value::ChronoDateTimeUtc(None) => borrowed(ValueRef::Null),
            other => Err(rusqlite::Error::ToSqlConversionFailure(
                format!("no column holds such a value: {other:?}").into(),
            )),
        }
    }
}
