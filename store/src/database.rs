//! The way to the database: SQLite through its own library on a thread, servers through sqlx.
//!
//! Everything above speaks in statement texts with `?`, [`Value`]s and [`Row`]s.

pub(crate) mod dialect;
pub(crate) mod locked;
mod server;
pub(crate) mod sql;
mod sqlite;
pub(crate) mod statistics;
pub(crate) mod transaction;
pub(crate) mod values;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_domain::timestamp;
use sea_orm::{DbBackend, DbErr, Value};

pub use server::Limits;
pub(crate) use server::{Server, ServerTurn, names_of};
pub(crate) use sqlite::{Sqlite, SqliteTurn};

/// A connection that statements run on, one transaction at a time.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// An SQLite file.
    Sqlite(Sqlite),
    /// A server.
    Server(Server),
}

/// The right to run statements: no other statements come between.
pub(crate) enum Turn {
    /// On the SQLite thread.
    Sqlite(SqliteTurn),
    /// On a connection to a server.
    Server(ServerTurn),
}

impl Database {
    pub(crate) fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Server(server) => server.backend(),
        }
    }

    /// Waits until no transaction is under way.
    pub(crate) async fn turn(&self) -> Turn {
        match self {
            Self::Sqlite(sqlite) => Turn::Sqlite(sqlite.turn().await),
            Self::Server(server) => Turn::Server(server.turn().await),
        }
    }

    /// True where what is committed can be read while one long transaction writes.
    pub(crate) fn reads_beside_writing(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.reads_beside_writing(),
            Self::Server(_) => false,
        }
    }

    /// Bytes of the longest statement that the database takes, with its values.
    pub(crate) fn statement_bytes(&self) -> usize {
        match self {
            Self::Sqlite(_) => usize::MAX,
            Self::Server(server) => server.statement_bytes(),
        }
    }

    /// Reads what is committed.
    pub(crate) async fn read(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(text, values).await,
            Self::Server(server) => server.read(text, values).await,
        }
    }

    pub(crate) async fn close(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Server(server) => {
                server.close().await;
                Ok(())
            }
        }
    }
}

impl Turn {
    pub(crate) async fn begin(&mut self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(turn) => turn.begin().await,
            Self::Server(turn) => turn.begin().await,
        }
    }

    /// True when another task of this process waits for this turn to end.
    pub(crate) fn is_awaited(&self) -> bool {
        match self {
            Self::Sqlite(turn) => turn.is_awaited(),
            // A server has connections for all.
            Self::Server(_) => false,
        }
    }

    /// Waits for what is queued.
    pub(crate) async fn flush(&mut self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(turn) => turn.flush().await,
            Self::Server(turn) => turn.flush().await,
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(turn) => turn.commit().await,
            Self::Server(turn) => turn.commit().await,
        }
    }

    pub(crate) async fn query(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        match self {
            Self::Sqlite(turn) => turn.query(text, values).await,
            Self::Server(turn) => turn.query(text, values).await,
        }
    }

    /// Returns the number of rows affected.
    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        match self {
            Self::Sqlite(turn) => turn.execute(text, values).await,
            Self::Server(turn) => turn.execute(text, values).await,
        }
    }

    /// Inserts a row into a table that numbers its rows in `id`, and returns the number.
    pub(crate) async fn insert(&self, text: &str, values: Vec<Value>) -> Result<i64, DbErr> {
        match self {
            Self::Sqlite(turn) => turn.insert(text, values).await,
            Self::Server(turn) => turn.insert(text, values).await,
        }
    }

    /// Runs a statement for each of these rows, by the commit at the latest. Every row is followed
    /// by the same shared values.
    pub(crate) fn execute_rows(
        &self,
        text: Arc<str>,
        rows: Vec<Vec<Value>>,
        shared: Vec<Value>,
    ) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(turn) => turn.execute_rows(text, rows, shared),
            Self::Server(turn) => {
                let mut rows = rows;
                for row in &mut rows {
                    row.extend(shared.iter().cloned());
                }
                turn.execute_rows(text, rows)
            }
        }
    }
}

/// One cell of a result, whichever database it comes from. Truth is 1 and 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
    Time(DateTime<Utc>),
}

impl Cell {
    fn holds(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Integer(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "a time",
        }
    }
}

/// One row of a result.
#[derive(Clone, Debug)]
pub(crate) struct Row(Vec<Cell>);

impl Row {
    /// The cell at this place.
    pub(crate) fn get<T: FromCell>(&self, place: usize) -> Result<T, DbErr> {
        let cell = self.0.get(place);
        let cell = cell.ok_or_else(|| DbErr::Type(format!("there is no column {place}")))?;
        T::from_cell(cell).ok_or_else(|| {
            let holds = cell.holds();
            DbErr::Type(format!(
                "column {place} holds {holds}, which is not what belongs there"
            ))
        })
    }

    /// Its cells, to be taken one after the other: texts are not copied.
    pub(crate) fn into_cells(self) -> Cells {
        Cells {
            cells: self.0.into_iter(),
            place: 0,
        }
    }

    /// Takes the cell at this place; it is null afterwards.
    pub(crate) fn take_bytes(&mut self, place: usize) -> Option<Vec<u8>> {
        match std::mem::replace(self.0.get_mut(place)?, Cell::Null) {
            Cell::Bytes(bytes) => Some(bytes),
            Cell::Text(text) => Some(text.into_bytes()),
            _ => None,
        }
    }
}

/// Cells of a row, taken one after the other.
pub(crate) struct Cells {
    cells: std::vec::IntoIter<Cell>,
    place: usize,
}

impl Cells {
    /// The next cell as it is.
    fn next<T>(&mut self, read: impl FnOnce(Cell) -> Option<T>) -> Result<T, DbErr> {
        let place = self.place;
        self.place += 1;
        let cell = self.cells.next();
        let cell = cell.ok_or_else(|| DbErr::Type(format!("there is no column {place}")))?;
        let holds = cell.holds();
        read(cell).ok_or_else(|| {
            DbErr::Type(format!(
                "column {place} holds {holds}, which is not what belongs there"
            ))
        })
    }

    /// The text in the next cell; NULL is empty.
    pub(crate) fn text(&mut self) -> Result<String, DbErr> {
        self.next(|cell| match cell {
            Cell::Text(text) => Some(text),
            Cell::Null => Some(String::new()),
            _ => None,
        })
    }

    /// The next cell, as anything that a cell can be read as.
    pub(crate) fn read<T: FromCell>(&mut self) -> Result<T, DbErr> {
        self.next(|cell| T::from_cell(&cell))
    }
}

/// What a cell can be read as.
pub(crate) trait FromCell: Sized {
    /// None when the cell holds something else.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl FromCell for f64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Real(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes.clone()),
            Cell::Text(text) => Some(text.clone().into_bytes()),
            _ => None,
        }
    }
}

impl FromCell for DateTime<Utc> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => timestamp::from_text(text),
            Cell::Time(time) => Some(*time),
            _ => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}
