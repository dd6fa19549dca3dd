//! Values and rows as the two drivers write and read them.

use chrono::{DateTime, NaiveDateTime, Utc};
use headwater_domain::timestamp;
use sea_orm::{DbErr, Value};
use sqlx::mysql::MySql;
use sqlx::postgres::Postgres;
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Encode, IntoArguments, Row as _, SqlSafeStr, Type,
    TypeInfo as _, ValueRef as _,
};

use super::failed;
use crate::database::{Cell, Row};

/// What both drivers can write and read.
pub(super) trait Wire: sqlx::Database<Row: sqlx::Row> {
    /// A time as the server's columns hold it.
    type Time;
    /// How a time is bound.
    fn time(time: DateTime<Utc>) -> Self::Time;
    /// What a column of this type holds.
    fn kind(kind: &Self::TypeInfo) -> Option<Kind>;
    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error>;
}

/// What a column holds, as the drivers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Truth,
    Small,
    Whole,
    Unsigned,
    Real,
    Text,
    Bytes,
    Time,
}

impl Wire for Postgres {
    type Time = DateTime<Utc>;

    fn time(time: DateTime<Utc>) -> Self::Time {
        time
    }

    fn kind(kind: &Self::TypeInfo) -> Option<Kind> {
        Some(match kind.name() {
            "BOOL" => Kind::Truth,
            "INT4" => Kind::Small,
            "INT8" => Kind::Whole,
            "FLOAT8" => Kind::Real,
            "TEXT" | "VARCHAR" | "NAME" | "BPCHAR" | "UNKNOWN" => Kind::Text,
            "BYTEA" => Kind::Bytes,
            "TIMESTAMPTZ" => Kind::Time,
            _ => return None,
        })
    }

    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Truth => Cell::Integer(i64::from(row.try_get::<bool, _>(place)?)),
            Kind::Small => Cell::Integer(i64::from(row.try_get::<i32, _>(place)?)),
            Kind::Whole | Kind::Unsigned => Cell::Integer(row.try_get(place)?),
            Kind::Real => Cell::Real(row.try_get(place)?),
            Kind::Text => Cell::Text(row.try_get(place)?),
            Kind::Bytes => Cell::Bytes(row.try_get(place)?),
            Kind::Time => Cell::Time(row.try_get(place)?),
        })
    }
}

impl Wire for MySql {
    type Time = NaiveDateTime;

    /// Bound as a DATETIME, which the columns are. As a TIMESTAMP, which a time with a zone would be,
    /// MariaDB takes what is not between 1970 and 2038 for NULL.
    fn time(time: DateTime<Utc>) -> Self::Time {
        time.naive_utc()
    }

    fn kind(kind: &Self::TypeInfo) -> Option<Kind> {
        // A column that compares by bytes has a name as if it held bytes.
        if <str as Type<Self>>::compatible(kind) {
            return Some(Kind::Text);
        }
        Some(match kind.name() {
            "BOOLEAN" => Kind::Truth,
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Kind::Whole,
            "BIGINT UNSIGNED" | "INT UNSIGNED" => Kind::Unsigned,
            "DOUBLE" => Kind::Real,
            "BINARY" | "VARBINARY" | "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" => Kind::Bytes,
            "DATETIME" | "TIMESTAMP" => Kind::Time,
            _ => return None,
        })
    }

    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Truth => Cell::Integer(i64::from(row.try_get::<bool, _>(place)?)),
            Kind::Small | Kind::Whole => Cell::Integer(row.try_get(place)?),
            Kind::Unsigned => {
                let number: u64 = row.try_get(place)?;
                Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
            }
            Kind::Real => Cell::Real(row.try_get(place)?),
            Kind::Text => Cell::Text(row.try_get_unchecked(place)?),
            Kind::Bytes => Cell::Bytes(row.try_get_unchecked(place)?),
            Kind::Time => Cell::Time(row.try_get(place)?),
        })
    }
}

/// A text with its values, kept prepared on the connection.
pub(super) fn query<W>(
    text: &str,
    values: &[Value],
) -> Result<sqlx::query::Query<'static, W, W::Arguments>, DbErr>
where
    W: Wire + sqlx::Database<Arguments: IntoArguments<W>>,
    for<'t> Option<i64>: Encode<'t, W> + Type<W>,
    for<'t> Option<bool>: Encode<'t, W> + Type<W>,
    for<'t> Option<f64>: Encode<'t, W> + Type<W>,
    for<'t> Option<&'t str>: Encode<'t, W> + Type<W>,
    for<'t> Option<&'t [u8]>: Encode<'t, W> + Type<W>,
    for<'t> Option<W::Time>: Encode<'t, W> + Type<W>,
{
    let mut arguments = W::Arguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for value in values {
        let added = match value {
            Value::BigInt(number) => arguments.add(*number),
            Value::Int(number) => arguments.add(number.map(i64::from)),
            Value::Bool(flag) => arguments.add(*flag),
            Value::Double(number) => arguments.add(*number),
            Value::String(text) => arguments.add(text.as_deref()),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            // Cut as everywhere: a server would round.
            Value::ChronoDateTimeUtc(time) => {
                arguments.add(time.map(|time| W::time(timestamp::to_milliseconds(time))))
            }
            other => Err(format!("no column holds such a value: {other:?}").into()),
        };
        added.map_err(|error| DbErr::Custom(error.to_string()))?;
    }
    let text = AssertSqlSafe(text.to_owned()).into_sql_str();
    Ok(sqlx::query_with(text, arguments))
}

pub(super) fn read<W>(rows: &[W::Row]) -> Result<Vec<Row>, DbErr>
where
    W: Wire,
    usize: sqlx::ColumnIndex<W::Row>,
{
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let kind = |column: &W::Column| {
        let kind = column.type_info();
        W::kind(kind).ok_or_else(|| DbErr::Type(format!("no column here holds {}", kind.name())))
    };
    let kinds: Vec<Kind> = first.columns().iter().map(kind).collect::<Result<_, _>>()?;
    let cell = |row: &W::Row, (place, &kind): (usize, &Kind)| {
        if row.try_get_raw(place)?.is_null() {
            return Ok(Cell::Null);
        }
        W::cell(row, place, kind)
    };
    rows.iter()
        .map(|row| {
            let cells = kinds.iter().enumerate().map(|at| cell(row, at));
            cells.collect::<Result<Vec<_>, _>>().map(Row)
        })
        .collect::<Result<_, _>>()
        .map_err(failed)
}
