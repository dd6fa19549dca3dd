//! The user's own SQL: one query, which can change nothing and has an end.
//!
//! Three guards, none of which relies on another. The text must be one query. The
//! session or connection it runs in cannot write. And time, rows and memory have limits. What is
//! left is for the database's own rights: docs/decisions/0046-queries-that-only-read.md.

mod limits;
mod server;
mod sqlite;
mod statement;

pub use limits::Limits;
pub use server::{run_mysql, run_mysql_within, run_postgres, run_postgres_within};
pub use sqlite::{run_sqlite, run_sqlite_within};

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

/// Why a query gave no result, or only a part of it.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The database could not be opened.
    #[error("opening {0} read-only")]
    Open(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is no query, or the database refused it.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error("the query took longer than {} seconds and was ended", .0.as_secs())]
    TooLong(std::time::Duration),
    /// It has too many rows.
    #[error("the query has more than {0} rows; the first ones are printed")]
    TooMany(u64),
    /// It needs too much memory, in bytes.
    #[error("the query needs more than {} MiB for a row or a text", .0 >> 20)]
    TooLarge(u64),
    /// It was cancelled, on the server too.
    #[error("the query was cancelled")]
    Cancelled,
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
