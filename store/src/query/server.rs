//! Queries on servers: one statement, in a transaction that cannot write.
//!
//! The answer is asked for as text, so that every type a server knows can be shown.

use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use futures::TryStreamExt;
use headwater_domain::timestamp;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Connection, Database, Executor, Row, SqlSafeStr,
    Statement as _, TypeInfo as _, ValueRef as _,
};

use super::limits::{Guarded, Limits};
use super::statement::{Language, checked};
use super::{Cell, QueryError, Rows};
use crate::database::names_of;

/// How much longer than the server we wait for a query that it should have ended itself.
const GRACE: Duration = Duration::from_secs(5);

/// How long a server may take to end a query that was cancelled.
const PATIENCE: Duration = Duration::from_millis(1200);

/// Runs one query on a `PostgreSQL` server, in a transaction that cannot write.
pub async fn run_postgres(address: &str, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    run_postgres_within(address, sql, rows, &Limits::default()).await
}

/// The same within limits.
pub async fn run_postgres_within(
    address: &str,
    sql: &str,
    rows: &mut dyn Rows,
    limits: &Limits,
) -> Result<(), QueryError> {
    let sql = checked(sql, Language::Postgres).map_err(QueryError::Refused)?;
    let options: PgConnectOptions = address.parse().map_err(unreachable)?;
    let options = options
        .application_name("headwater query")
        .options([
            ("default_transaction_read_only", "on"),
            ("timezone", "UTC"),
            ("standard_conforming_strings", "on"),
        ])
        .disable_statement_logging();
    let mut connection = Box::pin(options.connect()).await.map_err(unreachable)?;
    let process: i32 = begin_postgres(&mut connection, limits).await?;
    let end = async {
        let Ok(mut other) = Box::pin(options.connect()).await else {
            return;
        };
        let text = AssertSqlSafe(format!("SELECT pg_cancel_backend({process})"));
        // It may have ended by itself.
        let _ = other.execute(text).await;
    };
    let work = answer(&mut connection, sql, (rows, limits), postgres_cell);
    let done = within(limits, Box::pin(work), Box::pin(end)).await;
    // The answer is complete, whatever becomes of the connection.
    let _ = connection.close().await;
    done
}

/// Begins a transaction that cannot write and ends by itself. Returns the number of its process.
async fn begin_postgres(connection: &mut PgConnection, limits: &Limits) -> Result<i32, QueryError> {
    let time = limits.time.as_millis();
    let refused = |error: sqlx::Error| QueryError::Refused(refusal(&error));
    for text in [
        format!("SET statement_timeout = {time}"),
        "SET lock_timeout = '30s'".to_owned(),
        "BEGIN TRANSACTION READ ONLY".to_owned(),
    ] {
        connection
            .execute(AssertSqlSafe(text))
            .await
            .map_err(refused)?;
    }
    let process = sqlx::query_scalar("SELECT pg_backend_pid()");
    process.fetch_one(connection).await.map_err(refused)
}

/// Runs one query on a `MySQL` or `MariaDB` server, in a transaction that cannot write.
pub async fn run_mysql(address: &str, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    run_mysql_within(address, sql, rows, &Limits::default()).await
}

/// The same within limits.
pub async fn run_mysql_within(
    address: &str,
    sql: &str,
    rows: &mut dyn Rows,
    limits: &Limits,
) -> Result<(), QueryError> {
    let sql = checked(sql, Language::MySql).map_err(QueryError::Refused)?;
    let options: MySqlConnectOptions = address.parse().map_err(unreachable)?;
    let options = options
        .charset("utf8mb4")
        .collation("utf8mb4_bin")
        .disable_statement_logging();
    let mut connection = Box::pin(options.connect()).await.map_err(unreachable)?;
    let process: u64 = begin_mysql(&mut connection, limits).await?;
    let end = async {
        let Ok(mut other) = Box::pin(options.connect()).await else {
            return;
        };
        // It may have ended by itself.
        let _ = other
            .execute(AssertSqlSafe(format!("KILL QUERY {process}")))
            .await;
    };
    let work = answer(&mut connection, sql, (rows, limits), mysql_cell);
    let done = within(limits, Box::pin(work), Box::pin(end)).await;
    let _ = connection.close().await;
    done
}

/// Begins a transaction that cannot write and ends by itself. Returns the number of its connection.
async fn begin_mysql(connection: &mut MySqlConnection, limits: &Limits) -> Result<u64, QueryError> {
    let refused = |error: sqlx::Error| QueryError::Refused(refusal(&error));
    let version: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(&mut *connection)
        .await
        .map_err(refused)?;
    let (seconds, bytes) = (limits.time.as_secs_f64(), limits.bytes);
    let limiting = if version.contains("MariaDB") {
        vec![
            format!("SET SESSION max_statement_time = {seconds}"),
            format!("SET SESSION max_session_mem_used = {bytes}"),
        ]
    } else {
        vec![format!(
            "SET SESSION max_execution_time = {}",
            limits.time.as_millis()
        )]
    };
    let reading = [
        // What the words of a statement mean is not left to the server's settings.
        "SET SESSION sql_mode = REPLACE(REPLACE(@@sql_mode, 'ANSI_QUOTES', ''), \
         'NO_BACKSLASH_ESCAPES', '')"
            .to_owned(),
        "SET SESSION lock_wait_timeout = 30".to_owned(),
        "SET SESSION TRANSACTION READ ONLY".to_owned(),
        "START TRANSACTION READ ONLY".to_owned(),
    ];
    for text in [names_of(&version)]
        .into_iter()
        .chain(limiting)
        .chain(reading)
    {
        connection
            .execute(AssertSqlSafe(text))
            .await
            .map_err(refused)?;
    }
    let process = sqlx::query_scalar("SELECT CONNECTION_ID()");
    process.fetch_one(connection).await.map_err(refused)
}

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Waits for the query, and has the server end one that is cancelled or that it does not end in
/// time itself.
async fn within(
    limits: &Limits,
    work: Work<'_, Result<(), QueryError>>,
    end: Work<'_, ()>,
) -> Result<(), QueryError> {
    let why = tokio::select! {
        done = work => return done,
        () = limits.cancel.cancelled() => QueryError::Cancelled,
        () = tokio::time::sleep(limits.time + GRACE) => QueryError::TooLong(limits.time),
    };
    // A server that does not answer ends the query when it notices that the connection is gone.
    let _ = tokio::time::timeout(PATIENCE, end).await;
    Err(why)
}

/// Hands over the answer to one statement, each cell as `cell` reads it.
async fn answer<C>(
    connection: &mut C,
    sql: &str,
    (rows, limits): (&mut dyn Rows, &Limits),
    cell: CellOf<C::Database>,
) -> Result<(), QueryError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let refused = |error: sqlx::Error| ended(&error, limits);
    let mut rows = Guarded::new(rows, limits);
    // Preparing refuses a text of several statements, one of which could allow writing.
    let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let prepared = connection.prepare(text.clone()).await.map_err(refused)?;
    let names = prepared.columns().iter().map(|c| c.name().to_owned());
    rows.columns(names.collect())?;
    let mut results = sqlx::raw_sql(text).fetch(&mut *connection);
    while let Some(row) = results.try_next().await.map_err(refused)? {
        let cells = (0..row.len()).map(|place| cell(&row, place));
        rows.row(cells.collect::<Result<_, _>>().map_err(refused)?)?;
    }
    Ok(())
}

/// Reads the cell at a place.
type CellOf<D> = fn(&<D as Database>::Row, usize) -> Result<Cell, sqlx::Error>;

/// Why the server ended a query: `PostgreSQL`'s `query_canceled` and `out_of_memory`, numbers of
/// `MariaDB` and `MySQL` for a time limit and for memory.
fn ended(error: &sqlx::Error, limits: &Limits) -> QueryError {
    use sqlx::mysql::MySqlDatabaseError;
    let database = error.as_database_error();
    let code = database
        .and_then(sqlx::error::DatabaseError::code)
        .unwrap_or_default();
    let number = database
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .map(MySqlDatabaseError::number);
    match (code.as_ref(), number) {
        ("57014", _) | (_, Some(1969 | 3024)) if !limits.cancel.is_cancelled() => {
            QueryError::TooLong(limits.time)
        }
        ("57014", _) | (_, Some(1317)) => QueryError::Cancelled,
        ("53200", _) | (_, Some(1038 | 1041 | 4032)) => QueryError::TooLarge(limits.bytes),
        _ => QueryError::Refused(refusal(error)),
    }
}

/// What the database says, without the driver's wrapping.
fn refusal(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => database.message().to_owned(),
        None => error.to_string(),
    }
}

fn unreachable(error: sqlx::Error) -> QueryError {
    QueryError::Open("the database server".to_owned(), Box::new(error))
}

fn postgres_cell(row: &PgRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let text = value.as_str().map_err(sqlx::Error::Decode)?;
    let kind = value.type_info();
    Ok(match kind.name() {
        "INT2" | "INT4" | "INT8" => integer(text),
        "FLOAT4" | "FLOAT8" | "NUMERIC" => real(text),
        "BOOL" => Cell::Integer(i64::from(text == "t")),
        "TIMESTAMPTZ" => {
            let time = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z");
            time.map_or_else(|_| plain(text), |time| moment(time.with_timezone(&Utc)))
        }
        "BYTEA" => bytes_of_hex(text),
        _ => plain(text),
    })
}

fn mysql_cell(row: &MySqlRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    let bytes: Vec<u8> = row.try_get_unchecked(place)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match kind.as_str() {
        "BOOLEAN" => integer(&text),
        "DATETIME" | "TIMESTAMP" => {
            let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f");
            time.map_or_else(|_| plain(&text), |time| moment(time.and_utc()))
        }
        "FLOAT" | "DOUBLE" | "DECIMAL" => real(&text),
        name if name.contains("INT") => integer(&text),
        _ => plain(&text),
    })
}

fn plain(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn integer(text: &str) -> Cell {
    text.parse().map_or_else(|_| plain(text), Cell::Integer)
}

/// Sums of whole numbers come as decimals without a fraction.
fn real(text: &str) -> Cell {
    if let Ok(whole) = text.parse() {
        return Cell::Integer(whole);
    }
    text.parse().map_or_else(|_| plain(text), Cell::Real)
}

fn moment(time: DateTime<Utc>) -> Cell {
    Cell::Text(timestamp::to_text(time))
}

/// `\x48 69` as the text it is.
fn bytes_of_hex(text: &str) -> Cell {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    match bytes {
        Some(bytes) => Cell::Text(String::from_utf8_lossy(&bytes).into_owned()),
        None => plain(text),
    }
}
