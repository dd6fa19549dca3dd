//! Rows as text that people can read, for snapshots.

use std::fmt::Write as _;

use headwater_domain::{Rows, Scope, Table};
use sea_orm::Value;

/// The repository that every payload and row of mappings' tests belongs to.
#[must_use]
pub fn scope() -> Scope {
    Scope::new(1, "acme/rocket")
}

/// Adds a row: a heading, and one line for each column of its table.
pub fn show_row(text: &mut String, heading: &str, table: &Table, values: &[Value]) {
    writeln!(text, "{heading}").unwrap();
    for (column, value) in table.columns.iter().zip(values) {
        writeln!(text, "  {}={}", column.name, shown_value(value)).unwrap();
    }
}

/// One column of all rows of a table, as text.
#[must_use]
pub fn column(rows: &Rows, table: &str, column: &str) -> Vec<String> {
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
