//! Fields of a file as values of columns.

use std::fmt;

use headwater_domain::table::Column;
use headwater_domain::timestamp;
use sea_orm::Value;
use sea_orm::sea_query::ColumnType;

use crate::input::quoted;

/// Why a field is no value of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// What it says; none where it says that there is no value.
    found: Option<String>,
    /// What a value would be.
    expected: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, expected } = self;
        match found {
            Some(found) => write!(out, "{} is not {expected}", quoted(found)),
            None => write!(out, "there is no value; expected {expected}"),
        }
    }
}

/// The value of a column that a field says; none says that there is no value.
///
/// An empty field is empty text, and no value in a column of another type. Where each row has a
/// value, no value is the one that new rows have.
pub(crate) fn value_of(column: &Column, text: Option<&str>) -> Result<Value, Misfit> {
    let misfit = |expected: &str| Misfit {
        found: text.map(str::to_owned),
        expected: expected.to_owned(),
    };
    let holds_text = is_text(&column.column_type);
    let Some(text) = text.filter(|text| holds_text || !text.is_empty()) else {
        if column.key {
            return Err(misfit(expected(column)));
        }
        return Ok(column.default_value());
    };
    let value = match &column.column_type {
        ColumnType::BigInteger | ColumnType::Integer => whole(text).map(Into::into),
        ColumnType::Boolean => truth(text).map(Into::into),
        ColumnType::Double | ColumnType::Float => decimal(text).map(Into::into),
        ColumnType::TimestampWithTimeZone => timestamp::parse(text).map(Into::into),
        _ => return fitting_text(column, text),
    };
    value.ok_or_else(|| misfit(expected(column)))
}

fn is_text(kind: &ColumnType) -> bool {
    !matches!(
        kind,
        ColumnType::BigInteger
            | ColumnType::Integer
            | ColumnType::Boolean
            | ColumnType::Double
            | ColumnType::Float
            | ColumnType::TimestampWithTimeZone
    )
}

fn expected(column: &Column) -> &'static str {
    match column.column_type {
        ColumnType::BigInteger | ColumnType::Integer => "a whole number, such as 12",
        ColumnType::Boolean => "0, 1, true or false",
        ColumnType::Double | ColumnType::Float => "a number, such as 0.5",
        ColumnType::TimestampWithTimeZone => {
            "a time, such as 2026-01-31T09:30:00Z or 2026-01-31 09:30:00.000 (UTC)"
        }
        _ => "text",
    }
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn decimal(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(number)
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

fn fitting_text(column: &Column, text: &str) -> Result<Value, Misfit> {
    let misfit = |expected: String| Misfit {
        found: Some(text.to_owned()),
        expected,
    };
    if text.contains('\0') {
        return Err(misfit("text without the character U+0000".to_owned()));
    }
    let length = text.chars().count();
    if let Some(width) = column.width()
        && length > width
    {
        return Err(misfit(format!(
            "text of at most {width} characters: it has {length}"
        )));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use headwater_domain::Table;
    use headwater_domain::code::pull_request;
    use headwater_domain::crossdomain::account;
    use headwater_domain::metrics::project_incident_deployment_relationship as relationship;

    use super::*;

    fn read(table: &Table, column: &str, text: Option<&str>) -> Result<Value, String> {
        let column = &table.columns[table.position(column).unwrap()];
        value_of(column, text).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn every_form_of_a_value_is_read() {
        let prs = Table::of::<pull_request::Entity>();
        let time = |text: &str| {
            let time: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
            Value::from(time)
        };
        for (column, text, expected) in [
            ("title", Some(""), Value::from("")),
            ("title", Some(" a "), Value::from(" a ")),
            ("pull_request_key", Some("-12"), Value::from(-12i64)),
            (
                "created_date",
                Some("2022-1-11 8:51:47"),
                time("2022-01-11T08:51:47Z"),
            ),
            (
                "created_date",
                Some("2022-01-11T08:51:47.1239+01:00"),
                time("2022-01-11T07:51:47.123Z"),
            ),
            ("merged_date", Some(""), Value::ChronoDateTimeUtc(None)),
            ("merged_date", None, Value::ChronoDateTimeUtc(None)),
        ] {
            assert_eq!(read(prs, column, text), Ok(expected), "{column} {text:?}");
        }
        let accounts = Table::of::<account::Entity>();
        for (text, expected) in [("0", false), ("1", true), ("TRUE", true), ("false", false)] {
            assert_eq!(
                read(accounts, "is_bot", Some(text)),
                Ok(Value::from(expected)),
                "{text}"
            );
        }
        let relationships = Table::of::<relationship::Entity>();
        assert_eq!(
            read(relationships, "confidence", Some("0.5")),
            Ok(Value::from(0.5))
        );
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_was_expected() {
        let prs = Table::of::<pull_request::Entity>();
        let long = "é".repeat(256);
        for (column, text, expected) in [
            (
                "pull_request_key",
                Some("12.5"),
                "\"12.5\" is not a whole number, such as 12",
            ),
            (
                "pull_request_key",
                Some("9223372036854775808"),
                "\"9223372036854775808\" is not a whole number",
            ),
            (
                "created_date",
                Some("31.01.2026"),
                "\"31.01.2026\" is not a time, such as 2026-01-31T09:30:00Z",
            ),
            ("id", None, "there is no value; expected text"),
            (
                "title",
                Some("a\0b"),
                "is not text without the character U+0000",
            ),
            (
                "id",
                Some(long.as_str()),
                "at most 255 characters: it has 256",
            ),
        ] {
            let message = read(prs, column, text).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        let message = read(Table::of::<account::Entity>(), "is_bot", Some("yes")).unwrap_err();
        assert_eq!(message, "\"yes\" is not 0, 1, true or false");
    }
}
