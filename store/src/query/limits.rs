//! How long a query may take, and how much it may answer.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Cell, QueryError, Rows};

/// How long a query may take, how much it may answer, and what ends it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time in all.
    pub time: Duration,
    /// Rows of the answer.
    pub rows: u64,
    /// Bytes that the database may use for the query, where it can be told, and bytes of one row.
    pub bytes: u64,
    /// Ends the query, on the server too.
    pub cancel: CancellationToken,
}

impl Default for Limits {
    /// Ten minutes, ten million rows, 256 MiB.
    fn default() -> Self {
        Self {
            time: Duration::from_mins(10),
            rows: 10_000_000,
            bytes: 256 << 20,
            cancel: CancellationToken::new(),
        }
    }
}

/// Receives rows as long as the limits allow.
pub(super) struct Guarded<'a> {
    rows: &'a mut dyn Rows,
    limits: &'a Limits,
    count: u64,
}

impl<'a> Guarded<'a> {
    pub(super) fn new(rows: &'a mut dyn Rows, limits: &'a Limits) -> Self {
        Self {
            rows,
            limits,
            count: 0,
        }
    }

    pub(super) fn columns(&mut self, names: Vec<String>) -> Result<(), QueryError> {
        self.rows.columns(names).map_err(QueryError::Output)
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) -> Result<(), QueryError> {
        if self.limits.cancel.is_cancelled() {
            return Err(QueryError::Cancelled);
        }
        self.count += 1;
        if self.count > self.limits.rows {
            return Err(QueryError::TooMany(self.limits.rows));
        }
        let bytes = cells.iter().map(|cell| match cell {
            Cell::Text(text) => text.len() as u64,
            _ => 8,
        });
        if bytes.sum::<u64>() > self.limits.bytes {
            return Err(QueryError::TooLarge(self.limits.bytes));
        }
        self.rows.row(cells).map_err(QueryError::Output)
    }
}
