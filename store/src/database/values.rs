//! Values on their way to and from the database.

use sea_orm::sea_query::ColumnType;
use sea_orm::{DbErr, Value};

use crate::database::Row;

/// A key as text, whatever its type: what work lists and deletions store.
pub type KeyValue = String;

/// Reads the column at this place as the type its table declares.
pub(crate) fn read(row: &Row, place: usize, kind: &ColumnType) -> Result<Value, DbErr> {
    Ok(match kind {
        ColumnType::BigInteger | ColumnType::Integer => Value::BigInt(row.get(place)?),
        ColumnType::Boolean => Value::Bool(row.get(place)?),
        ColumnType::Double | ColumnType::Float => Value::Double(row.get(place)?),
        ColumnType::TimestampWithTimeZone => Value::ChronoDateTimeUtc(row.get(place)?),
        _ => Value::String(row.get(place)?),
    })
}

/// A key as text; empty for what cannot be a key.
pub(crate) fn key_text(value: &Value) -> KeyValue {
    match value {
        Value::String(Some(text)) => text.clone(),
        Value::BigInt(Some(number)) => number.to_string(),
        Value::Int(Some(number)) => number.to_string(),
        Value::Bool(Some(flag)) => flag.to_string(),
        _ => String::new(),
    }
}

/// A key read back from text as the type of its column.
pub(crate) fn key_value(text: &str, kind: &ColumnType) -> Value {
    match kind {
        ColumnType::BigInteger | ColumnType::Integer => Value::BigInt(text.parse().ok()),
        _ => Value::String(Some(text.to_owned())),
    }
}
