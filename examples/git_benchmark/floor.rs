//! The same rows put into an SQLite file by the plainest program there is.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;

/// Tables that a history fills.
const TABLES: [&str; 7] = [
    "commits",
    "commit_parents",
    "commit_files",
    "repo_commits",
    "commit_mentions",
    "refs",
    "accounts",
];

/// Rows of one transaction.
const TRANSACTION: usize = 8192;

/// Puts the rows of one file into another, migrated one. The clock runs while they are put in, and
/// while the file is closed.
pub(crate) fn copy(from: &Path, to: &Path) -> rusqlite::Result<(Duration, usize)> {
    let from = Connection::open(from)?;
    let to = Connection::open(to)?;
    for (name, value) in [("journal_mode", "wal"), ("synchronous", "normal")] {
        to.pragma_update(None, name, value)?;
    }
    to.pragma_update(None, "cache_size", -16_384)?;
    to.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    let mut spent = Duration::ZERO;
    let mut count = 0;
    for table in TABLES {
        let rows = rows(&from, table)?;
        count += rows.len();
        let columns = rows.first().map_or(0, Vec::len);
        if columns == 0 {
            continue;
        }
        let marks = vec!["?"; columns].join(", ");
        let insert = format!("INSERT INTO {table} VALUES ({marks})");
        let begun = Instant::now();
        for group in rows.chunks(TRANSACTION) {
            to.execute_batch("BEGIN")?;
            let mut statement = to.prepare_cached(&insert)?;
            for row in group {
                statement.execute(rusqlite::params_from_iter(row))?;
            }
            to.execute_batch("COMMIT")?;
        }
        spent += begun.elapsed();
    }
    // What is measured beside it leaves everything in the file too, and no log.
    let begun = Instant::now();
    to.close().map_err(|(_, error)| error)?;
    spent += begun.elapsed();
    Ok((spent, count))
}

/// The rows of a table in the order in which they were written.
fn rows(from: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<Value>>> {
    // A table that is its own index has no order but its key's; its rows came with their commits.
    let select = match table {
        "commit_mentions" => {
            "SELECT made.* FROM commit_mentions AS made JOIN repo_commits AS held \
             ON held.source_id = made.source_id ORDER BY held.rowid"
                .to_owned()
        }
        _ => format!("SELECT * FROM {table} ORDER BY rowid"),
    };
    let mut statement = from.prepare(&select)?;
    let columns = statement.column_count();
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells = (0..columns).map(|place| row.get(place));
        rows.push(cells.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}
