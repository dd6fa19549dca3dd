//! The user's own SQL, read-only.

mod server;

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Executor, Row, SqlSafeStr, SqliteConnection, Statement,
    TypeInfo as _, ValueRef,
};

use futures::TryStreamExt;

pub use server::{run_mysql, run_postgres};

/// One cell of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number; booleans are 1 and 0.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; times are UTC with milliseconds.
    Text(String),
}

/// Why a query gave no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The database could not be opened.
    #[error("opening {0} read-only")]
    Open(String, #[source] sqlx::Error),
    /// The database refused the statement.
    #[error("{0}")]
    Refused(String),
    /// The reader of the rows stopped.
    #[error("writing the result")]
    Output(#[source] std::io::Error),
}

/// Receives a result row by row, so that memory does not grow with it.
pub trait Rows {
    /// The names of the columns, once, before any row.
    fn columns(&mut self, names: Vec<String>) -> std::io::Result<()>;
    /// One row.
    fn row(&mut self, cells: Vec<Cell>) -> std::io::Result<()>;
}

/// Runs one statement on an SQLite file that is opened read-only.
pub async fn run_sqlite(path: &Path, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(std::time::Duration::from_secs(30))
        .disable_statement_logging();
    let mut connection = options
        .connect()
        .await
        .map_err(|error| QueryError::Open(path.display().to_string(), error))?;
    run(&mut connection, sql, rows).await
}

async fn run(
    connection: &mut SqliteConnection,
    sql: &str,
    rows: &mut dyn Rows,
) -> Result<(), QueryError> {
    let refused = |error: sqlx::Error| QueryError::Refused(refusal(&error));
    let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let statement = connection.prepare(text).await.map_err(refused)?;
    let names = statement.columns().iter().map(|c| c.name().to_owned());
    rows.columns(names.collect()).map_err(QueryError::Output)?;
    let mut results = statement.query().fetch(connection);
    while let Some(row) = results.try_next().await.map_err(refused)? {
        let cells = (0..row.len()).map(|place| cell(&row, place));
        let cells = cells.collect::<Result<_, _>>().map_err(refused)?;
        rows.row(cells).map_err(QueryError::Output)?;
    }
    Ok(())
}

/// What the database says, without the driver's wrapping.
fn refusal(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => database.message().to_owned(),
        None => error.to_string(),
    }
}

fn cell(row: &SqliteRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info();
    Ok(match kind.name() {
        "INTEGER" => Cell::Integer(row.try_get_unchecked(place)?),
        "REAL" => Cell::Real(row.try_get_unchecked(place)?),
        "BLOB" => {
            let bytes: Vec<u8> = row.try_get_unchecked(place)?;
            Cell::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Cell::Text(row.try_get_unchecked(place)?),
    })
}
