//! Domain rows of a case in a database, and what the program answers about them.

use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use headwater::sources::Sources;
use headwater_domain::rows::NewRow;
use headwater_domain::{Origin, Scope, Table};
use headwater_store::query::Cell;
use headwater_store::{Owner, Replacement, Store};
use sea_orm::Value;
use sea_orm::sea_query::ColumnType;
use serde_json::{Map, json};

use crate::lake::{Lake, code, ended_output};
use headwater_testing::On;

/// A database of one case.
pub(super) struct Case {
    pub(super) lake: Lake,
}

impl Case {
    /// An empty database with these projects; none where tests have no such server.
    pub(super) async fn on(on: On, projects: &str) -> Option<Self> {
        Some(Self {
            lake: Lake::with(on, projects).await?,
        })
    }

    /// Fills a table as [`fill`] does.
    pub(super) async fn fill(&self, name: &str, csv: &str, null: &str) {
        fill(&self.lake.store, name, csv, null).await;
    }

    /// Imports every CSV file of a folder with the program.
    pub(super) fn import_from(&self, folder: &Path, null: &str) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|it| it == "csv") {
                let name = path.file_stem().unwrap().to_str().unwrap();
                let file = path.to_str().unwrap();
                let import = ["table", "import", name, file, "--null", null];
                ended_output(self.lake.start(&import));
            }
        }
    }

    /// Fills a table from every CSV file of a folder.
    pub(super) async fn fill_from(&self, folder: &Path, null: &str, expected: &[&str]) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.extension().is_some_and(|it| it == "csv") && !expected.contains(&name.as_str())
            {
                let text = std::fs::read_to_string(&path).unwrap();
                self.fill(&name, &text, null).await;
            }
        }
    }

    /// Computes a project anew; returns what the program says.
    pub(super) fn refresh(&self, project: &str) -> String {
        ended_output(self.lake.start(&["metrics", "refresh", project]))
    }

    /// The answer of `metrics dora` as JSON.
    pub(super) fn dora(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = vec!["metrics", "dora", "--format", "json"];
        all.extend(arguments);
        serde_json::from_str(&ended_output(self.lake.start(&all))).unwrap()
    }

    /// Exit code and messages of the program.
    pub(super) fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.lake.start(arguments).wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        (code(&output), text)
    }

    /// Rows of a query, by their first column.
    pub(super) async fn rows(&self, sql: &str) -> Map<String, serde_json::Value> {
        let answer = self.lake.ask(sql).await;
        let names = answer.columns;
        let rows = answer.rows.into_iter().map(|cells| {
            let cells: Vec<serde_json::Value> = cells.into_iter().map(shown).collect();
            let key = cells[0].as_str().unwrap().to_owned();
            let row: Map<_, _> = names.iter().cloned().zip(cells).collect();
            (key, serde_json::Value::Object(row))
        });
        rows.collect()
    }
}

/// Fills a table, and empties it before: the first line names the columns, other columns get
/// their defaults. Cells that are `null` hold no value.
pub(crate) async fn fill(store: &Store, name: &str, csv: &str, null: &str) {
    let tables = Sources::all().tables().rows;
    let table = tables.into_iter().find(|table| table.name == name);
    let table = table.unwrap_or_else(|| panic!("there is no table {name}"));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let origin = std::sync::Arc::new(Origin::default());
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cell = |column: &str| {
            let place = headers.iter().position(|name| name == column)?;
            record.get(place)
        };
        let values = table.columns.iter().map(|column| {
            let cell = cell(&column.name);
            read(&column.column_type, cell, null)
        });
        NewRow {
            values: values.collect(),
            origin: std::sync::Arc::clone(&origin),
        }
    });
    let replacement = Replacement {
        table,
        owner: Owner::Within {
            condition: "1 = 1".to_owned(),
            values: Vec::new(),
        },
        rows: rows.collect(),
        first: false,
    };
    let mut page = store.begin(&Scope::everywhere(), Utc::now()).await.unwrap();
    page.replace(replacement).await.unwrap();
    page.commit().await.unwrap();
}

fn shown(cell: Cell) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Integer(number) => json!(number),
        Cell::Real(number) => json!(number),
        Cell::Text(text) => json!(text),
    }
}

/// A cell as its column takes it; a column without a cell gets its default.
fn read(kind: &ColumnType, cell: Option<&str>, null: &str) -> Value {
    let cell = cell.filter(|cell| *cell != null);
    match kind {
        ColumnType::BigInteger | ColumnType::Integer => {
            Value::BigInt(cell.and_then(|cell| cell.parse().ok()))
        }
        ColumnType::Boolean => Value::Bool(Some(cell.is_some_and(|it| it == "1" || it == "true"))),
        ColumnType::Double | ColumnType::Float => {
            Value::Double(cell.and_then(|cell| cell.parse().ok()))
        }
        ColumnType::TimestampWithTimeZone => Value::ChronoDateTimeUtc(cell.and_then(time)),
        _ => Value::String(Some(cell.unwrap_or_default().to_owned())),
    }
}

/// A time in one of the forms that CSV files have.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    let plain = |form| NaiveDateTime::parse_from_str(text, form).ok();
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
        .or_else(|| plain("%Y-%m-%d %H:%M:%S").map(|time| time.and_utc()))
}

/// What is expected must be there; lists as a whole and in order, times as times.
pub(super) fn compare(
    expected: &serde_json::Value,
    given: &serde_json::Value,
    place: &str,
    wrong: &mut Vec<String>,
) {
    use serde_json::Value::{Array, Bool, Number, Object, String as Text};
    match (expected, given) {
        (Object(expected), _) => {
            for (name, expected) in expected {
                compare(expected, &given[name], &format!("{place}.{name}"), wrong);
            }
        }
        (Array(expected), Array(given)) if expected.len() == given.len() => {
            for (number, (expected, given)) in expected.iter().zip(given).enumerate() {
                compare(expected, given, &format!("{place}[{number}]"), wrong);
            }
        }
        (Number(expected), Number(given)) if expected.as_f64() == given.as_f64() => {}
        (Bool(expected), Number(given)) if given.as_i64() == Some(i64::from(*expected)) => {}
        (Text(expected), Text(given))
            if time(expected).is_some() && time(expected) == time(given) => {}
        _ if expected == given => {}
        _ => wrong.push(format!("{place}: {expected} and not {given}")),
    }
}

/// Whether rows of a table are those of a project.
pub(super) fn has_project(name: &str) -> bool {
    let mut tables = Sources::all().tables().rows.into_iter();
    tables.any(|table: &'static Table| table.name == name && table.has("project_name"))
}
