//! Queries on an SQLite file: opened read-only, with a guard that allows nothing but reading.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_domain::timestamp;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::limits::{Guarded, Limits};
use super::statement::{Language, checked};
use super::{Cell, QueryError, Rows};

/// Steps of SQLite between two looks at the clock: a millisecond or so.
const STEPS: i32 = 50_000;

/// What can be asked about tables, with a name behind it.
const DESCRIBING: [&str; 8] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
];

/// What can be asked as long as nothing is set.
const ASKING: [&str; 16] = [
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "encoding",
    "freelist_count",
    "function_list",
    "integrity_check",
    "journal_mode",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "user_version",
];

/// Functions that reach files or programs, where a build of SQLite has them.
const REACHING: [&str; 5] = [
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
];

/// Runs one query on an SQLite file that is opened read-only.
pub async fn run_sqlite(path: &Path, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    run_sqlite_within(path, sql, rows, &Limits::default())
}

/// The same within limits. It runs on the calling thread, which waits for it.
pub fn run_sqlite_within(
    path: &Path,
    sql: &str,
    rows: &mut dyn Rows,
    limits: &Limits,
) -> Result<(), QueryError> {
    let sql = checked(sql, Language::Sqlite).map_err(QueryError::Refused)?;
    let connection = open(path, limits)
        .map_err(|error| QueryError::Open(path.display().to_string(), Box::new(error)))?;
    let spent = context(&connection, limits).map_err(|error| refused(&error))?;
    let mut rows = Guarded::new(rows, limits);
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) if limits.cancel.is_cancelled() => {
            QueryError::Cancelled
        }
        Some(ErrorCode::OperationInterrupted) if spent.load(Ordering::Relaxed) > 0 => {
            QueryError::TooLong(limits.time)
        }
        Some(ErrorCode::NotADatabase) => {
            QueryError::Open(path.display().to_string(), Box::new(error))
        }
        Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => QueryError::TooLarge(limits.bytes),
        _ => refused(&error),
    };
    let mut statement = connection.prepare(sql).map_err(failed)?;
    if !statement.readonly() {
        return Err(QueryError::Refused("this statement would write".to_owned()));
    }
    let names: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let texts: Vec<bool> = statement.columns().iter().map(is_other_text).collect();
    rows.columns(names)?;
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(failed)? {
        let cells = texts.iter().enumerate().map(|(place, is_other_text)| {
            let shown = row.get_ref(place).map(cell)?;
            Ok(if *is_other_text { shown } else { time(shown) })
        });
        rows.row(cells.collect::<rusqlite::Result<_>>().map_err(failed)?)?;
    }
    Ok(())
}

fn open(path: &Path, limits: &Limits) -> rusqlite::Result<Connection> {
    // No URI flag: a path is a path, whatever characters it has.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What sorts and groups goes to temporary files by itself; single texts are what could grow.
    let longest = i32::try_from(limits.bytes / 4).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.authorizer(Some(|context: AuthContext<'_>| allowed(&context)))?;
    Ok(connection)
}

/// Ends the query when its time is over or it is cancelled. What is returned says when.
fn context(connection: &Connection, limits: &Limits) -> rusqlite::Result<Arc<AtomicU64>> {
    let spent = Arc::new(AtomicU64::new(0));
    let (told, cancel, time) = (Arc::clone(&spent), limits.cancel.clone(), limits.time);
    let begun = Instant::now();
    let is_over = move || {
        if begun.elapsed() >= time {
            told.store(1, Ordering::Relaxed);
            return true;
        }
        cancel.is_cancelled()
    };
    connection.progress_handler(STEPS, Some(is_over))?;
    Ok(spent)
}

fn allowed(context: &AuthContext<'_>) -> Authorization {
    let is_fine = match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !REACHING
            .iter()
            .any(|name| function_name.eq_ignore_ascii_case(name)),
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => {
            let is = |name: &&str| pragma_name.eq_ignore_ascii_case(name);
            DESCRIBING.iter().any(&is) || pragma_value.is_none() && ASKING.iter().any(is)
        }
        _ => false,
    };
    if is_fine {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

/// What the database says, without the driver's wrapping.
fn refused(error: &rusqlite::Error) -> QueryError {
    QueryError::Refused(match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    })
}

/// True for a column of a table that holds no times. What an expression gives may be a time.
fn is_other_text(column: &rusqlite::Column<'_>) -> bool {
    column
        .decl_type()
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("timestamp"))
}

/// A time as queries on servers show it; anything else as it is.
fn time(cell: Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::Text(timestamp::of_stored_text(&text).unwrap_or(text)),
        other => other,
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}
