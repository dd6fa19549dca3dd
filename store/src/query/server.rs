//! Queries on servers: one statement, in a session that cannot write.
//!
//! The answer is asked for as text, so that every type a server knows can be shown.

use chrono::{DateTime, NaiveDateTime, Utc};
use futures::TryStreamExt;
use headwater_domain::timestamp;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Connection, Database, Executor, Row, SqlSafeStr,
    Statement as _, TypeInfo as _, ValueRef as _,
};

use super::{Cell, QueryError, Rows, refusal};

/// Runs one statement on a `PostgreSQL` server, in a session that cannot write.
pub async fn run_postgres(address: &str, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    let options: PgConnectOptions = address.parse().map_err(unreachable)?;
    let options = options
        .application_name("headwater query")
        .options([("default_transaction_read_only", "on"), ("timezone", "UTC")])
        .disable_statement_logging();
    let mut connection = Box::pin(options.connect()).await.map_err(unreachable)?;
    let done = answer(&mut connection, sql, rows, postgres_cell).await;
    // The answer is complete, whatever becomes of the connection.
    let _ = connection.close().await;
    done
}

/// Runs one statement on a `MySQL` or `MariaDB` server, in a session that cannot write.
pub async fn run_mysql(address: &str, sql: &str, rows: &mut dyn Rows) -> Result<(), QueryError> {
    let options: MySqlConnectOptions = address.parse().map_err(unreachable)?;
    let options = options
        .charset("utf8mb4")
        .collation("utf8mb4_bin")
        .disable_statement_logging();
    let mut connection = Box::pin(options.connect()).await.map_err(unreachable)?;
    let done = mysql(&mut connection, sql, rows).await;
    let _ = connection.close().await;
    done
}

/// Hands over the answer to one statement, each cell as `cell` reads it.
async fn answer<C>(
    connection: &mut C,
    sql: &str,
    rows: &mut dyn Rows,
    cell: CellOf<C::Database>,
) -> Result<(), QueryError>
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    let refused = |error: sqlx::Error| QueryError::Refused(refusal(&error));
    // Preparing refuses a text of several statements, one of which could allow writing.
    let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let prepared = connection.prepare(text.clone()).await.map_err(refused)?;
    let names = prepared.columns().iter().map(|c| c.name().to_owned());
    rows.columns(names.collect()).map_err(QueryError::Output)?;
    let mut results = sqlx::raw_sql(text).fetch(&mut *connection);
    while let Some(row) = results.try_next().await.map_err(refused)? {
        let cells = (0..row.len()).map(|place| cell(&row, place));
        let cells = cells.collect::<Result<_, _>>().map_err(refused)?;
        rows.row(cells).map_err(QueryError::Output)?;
    }
    Ok(())
}

/// Reads the cell at a place.
type CellOf<D> = fn(&<D as Database>::Row, usize) -> Result<Cell, sqlx::Error>;

async fn mysql(
    connection: &mut MySqlConnection,
    sql: &str,
    rows: &mut dyn Rows,
) -> Result<(), QueryError> {
    connection
        .execute("SET SESSION TRANSACTION READ ONLY")
        .await
        .map_err(|error| QueryError::Refused(refusal(&error)))?;
    answer(connection, sql, rows, mysql_cell).await
}

fn unreachable(error: sqlx::Error) -> QueryError {
    QueryError::Open("the database server".to_owned(), error)
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
