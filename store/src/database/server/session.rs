//! How a connection to a server is set up before its first statement.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlPool, PgPool};

/// Connections of one process: one writes, the others read.
const CONNECTIONS: u32 = 6;

/// How long to wait for a server that does not answer, or has no connection left.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Texts a connection keeps prepared: every table has a few, in a few lengths.
const PREPARED: usize = 400;

/// How long a server waits, and how much it takes at once.
///
/// A process that stops in the middle of a transaction, frozen or cut off, keeps the locks of its
/// rows until the server ends the transaction. Whoever needs one of these rows does not wait for
/// that: it says who holds them, and ends as beside any other process that works on the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a transaction may be idle before the server ends it. `MySQL` has no such limit.
    pub idle_transaction: Duration,
    /// How long a statement waits for a row that another transaction holds, before it fails.
    pub lock_wait: Duration,
    /// Where it is set, connections cannot write, and the server ends a statement after this time.
    pub only_reads_for: Option<Duration>,
    /// Bytes of the longest statement, where the server itself takes longer ones.
    pub statement_bytes: usize,
}

impl Default for Limits {
    /// A transaction may be idle for as long as a lease lasts without being renewed.
    fn default() -> Self {
        Self {
            idle_transaction: Duration::from_mins(1),
            lock_wait: Duration::from_secs(30),
            only_reads_for: None,
            statement_bytes: usize::MAX,
        }
    }
}

impl Limits {
    /// For reads that a person waits for: nothing is written, and a statement may take ten minutes.
    #[must_use]
    pub fn of_reads() -> Self {
        Self {
            only_reads_for: Some(Duration::from_mins(10)),
            ..Self::default()
        }
    }
}

/// The pool, with the reason where there is none. A pool tries again and again for as long as it may,
/// and then knows no reason: so a server that starts is waited for, but not by reads that a person
/// waits for. `once` connects a single time.
async fn pooled<P, F>(
    once: impl Fn() -> F,
    limits: Limits,
    pool: impl Future<Output = Result<P, sqlx::Error>>,
) -> Result<P, sqlx::Error>
where
    F: Future<Output = Result<(), sqlx::Error>>,
{
    let reached = async || match tokio::time::timeout(PATIENCE, once()).await {
        Ok(reached) => reached,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    };
    if limits.only_reads_for.is_some() {
        reached().await?;
    }
    match pool.await {
        Err(sqlx::Error::PoolTimedOut) => {
            reached().await?;
            Err(sqlx::Error::PoolTimedOut)
        }
        opened => opened,
    }
}

pub(super) async fn postgres(address: &str, limits: Limits) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = address.parse()?;
    let options = options
        .application_name("headwater")
        .statement_cache_capacity(PREPARED)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                let idle = limits.idle_transaction.as_millis();
                let wait = lock_wait_of_postgres(limits.lock_wait);
                let text = format!(
                    "SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = {idle}; \
                     {wait}; SET jit = off"
                );
                let reads = limits.only_reads_for.map_or_else(String::new, |longest| {
                    let longest = longest.as_millis();
                    format!(
                        "; SET default_transaction_read_only = on; SET statement_timeout = {longest}"
                    )
                });
                // Without `jit`: compiling a plan takes longer than the rows of a page.
                connection.execute(AssertSqlSafe(text + &reads)).await?;
                Ok(())
            })
        })
        .connect_with(options.clone());
    let once = async || options.connect().await?.close().await;
    pooled(once, limits, pool).await
}

pub(super) async fn mysql(address: &str, limits: Limits) -> Result<MySqlPool, sqlx::Error> {
    let options: MySqlConnectOptions = address.parse()?;
    let options = options
        .charset("utf8mb4")
        .collation("utf8mb4_bin")
        .statement_cache_capacity(PREPARED)
        .disable_statement_logging();
    let pool = MySqlPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| Box::pin(set_up_mysql(connection, limits)))
        .connect_with(options.clone());
    let once = async || options.connect().await?.close().await;
    pooled(once, limits, pool).await
}

/// Gives a session the collation of the schema's columns: texts of two collations cannot be
/// compared.
pub(crate) fn names_of(version: &str) -> String {
    let collation = if version.contains("MariaDB") {
        "utf8mb4_nopad_bin"
    } else {
        "utf8mb4_0900_bin"
    };
    format!("SET NAMES utf8mb4 COLLATE {collation}")
}

/// Sets how long a statement waits for what another transaction holds.
pub(super) fn lock_wait_of_postgres(wait: Duration) -> String {
    format!("SET lock_timeout = {}", wait.as_millis())
}

/// The same on `MySQL` and `MariaDB`. The second is for tables whose schema changes; it is a day by
/// default.
pub(super) fn lock_wait_of_mysql(wait: Duration) -> String {
    let wait = wait.as_secs().max(1);
    format!("SET SESSION innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}")
}

async fn set_up_mysql(connection: &mut MySqlConnection, limits: Limits) -> Result<(), sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(&mut *connection)
        .await?;
    let is_mariadb = version.contains("MariaDB");
    let idle = limits.idle_transaction.as_secs().max(1);
    // Strict: what does not fit is refused, never cut. Readers see what is committed now, and
    // writers lock rows instead of gaps.
    let mut texts = vec![
        names_of(&version),
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')".to_owned(),
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
        lock_wait_of_mysql(limits.lock_wait),
    ];
    if is_mariadb {
        texts.push(format!("SET SESSION idle_transaction_timeout = {idle}"));
    }
    if let Some(longest) = limits.only_reads_for {
        texts.push("SET SESSION TRANSACTION READ ONLY".to_owned());
        texts.push(if is_mariadb {
            format!("SET SESSION max_statement_time = {}", longest.as_secs_f64())
        } else {
            format!("SET SESSION max_execution_time = {}", longest.as_millis())
        });
    }
    for text in texts {
        connection.execute(AssertSqlSafe(text)).await?;
    }
    Ok(())
}

/// What an error of the server means, where that is not plain from its own words.
pub(super) fn reason(error: &dyn DatabaseError) -> Option<&'static str> {
    const IDLE: &str = "the server ended this transaction because this process did nothing in it \
                        for too long, as when it is stopped or its machine sleeps: run again";
    (error.code().as_deref() == Some("25P03")).then_some(IDLE)
}
