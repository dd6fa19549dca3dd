//! Converted rows as text that people can read, for snapshots.

use std::fmt::Write as _;

use headwater_domain::{Origin, Rows, Scope, Sourced};
use sea_orm::{EntityTrait, Value};

use crate::{Convert, Related};

type Driver<C> = <<C as Convert>::Driver as EntityTrait>::Model;

/// The repository that every row of these tests belongs to.
pub(crate) fn scope() -> Scope {
    Scope::new(1, "acme/rocket")
}

/// A row made of the raw row with this id.
pub(crate) fn sourced<M>(id: i64, row: M) -> Sourced<M> {
    let origin = Origin {
        id,
        ..Origin::default()
    };
    Sourced { row, origin }
}

/// What a driver row, made of raw row 1, becomes together with its related rows.
pub(crate) fn convert<C: Convert>(driver: Driver<C>, related: &Related) -> Rows {
    let driver = sourced(1, driver);
    let mut rows = Rows::default();
    rows.from_origin(driver.origin.clone());
    C::convert(&scope(), driver, related, &mut rows);
    let written: Vec<&str> = C::writes().iter().map(|write| write.table.name).collect();
    for table in rows.tables() {
        assert!(
            written.contains(&table.table.name),
            "{} is declared",
            table.table.name
        );
    }
    rows
}

/// The same as text: every row as its table, its raw row, and one line per column.
pub(crate) fn converted<C: Convert>(driver: Driver<C>, related: &Related) -> String {
    let rows = convert::<C>(driver, related);
    let mut text = String::new();
    for table in rows.tables() {
        for row in &table.rows {
            writeln!(text, "{} of raw row {}", table.table.name, row.origin.id).unwrap();
            for (column, value) in table.table.columns.iter().zip(&row.values) {
                writeln!(text, "  {}={}", column.name, shown_value(value)).unwrap();
            }
        }
    }
    text
}

/// One column of all rows of a table, as text.
pub(crate) fn column(rows: &Rows, table: &str, column: &str) -> Vec<String> {
    let table = rows.tables().find(|rows| rows.table.name == table);
    let Some(table) = table else {
        return Vec::new();
    };
    let place = table.table.position(column).unwrap();
    let cells = table.rows.iter().map(|row| &row.values[place]);
    cells
        .map(|value| match value {
            Value::String(Some(text)) => text.clone(),
            other => shown_value(other),
        })
        .collect()
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::String(Some(text)) => format!("{text:?}"),
        Value::ChronoDateTimeUtc(Some(time)) => time.to_rfc3339(),
        Value::BigInt(Some(number)) => number.to_string(),
        Value::Bool(Some(flag)) => flag.to_string(),
        _ => "null".to_owned(),
    }
}
