//! `PostgreSQL`, `MySQL` and `MariaDB` through sqlx, one task per turn.
//!
//! A turn's statements run on one connection that a task of its own holds. So a caller that is
//! cancelled halfway never leaves a connection in the middle of an answer, and rows can be
//! prepared while the server still writes the ones before.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use headwater_domain::timestamp;
use sea_orm::{DatabaseConnection, DbBackend, DbErr, Value};
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, Postgres};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, ConnectOptions, Encode, Executor, IntoArguments,
    MySqlPool, PgPool, Row as _, SqlSafeStr, Type, TypeInfo as _, ValueRef as _,
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::{Cell, Row};

/// Connections of one process: one writes, the others read.
const CONNECTIONS: u32 = 6;

/// How long to wait for a server that does not answer, or has no connection left.
const PATIENCE: Duration = Duration::from_secs(15);

/// Texts a connection keeps prepared: every table has a few, in a few lengths.
const PREPARED: usize = 400;

/// A handle to a server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pool: Pool,
    /// Held for a statement, or for a whole transaction: one process writes one page at a time.
    turns: Arc<Mutex<()>>,
}

#[derive(Clone, Debug)]
enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
}

enum Connection {
    Postgres(PoolConnection<Postgres>),
    MySql(PoolConnection<MySql>),
}

/// The right to run statements, until it is dropped. A transaction that was not committed is
/// rolled back then.
pub(crate) struct ServerTurn {
    jobs: mpsc::UnboundedSender<Job>,
    /// Answers of statements that nobody waited for yet.
    unanswered: std::sync::Mutex<Vec<oneshot::Receiver<Result<u64, DbErr>>>>,
}

enum Job {
    Begin(oneshot::Sender<Result<(), DbErr>>),
    Commit(oneshot::Sender<Result<(), DbErr>>),
    Query(String, Vec<Value>, oneshot::Sender<Result<Vec<Row>, DbErr>>),
    Execute(String, Vec<Value>, oneshot::Sender<Result<u64, DbErr>>),
    Insert(String, Vec<Value>, oneshot::Sender<Result<i64, DbErr>>),
    Rows(
        Arc<str>,
        Vec<Vec<Value>>,
        oneshot::Sender<Result<u64, DbErr>>,
    ),
}

impl Server {
    /// Connects to the address of a `PostgreSQL` server.
    pub(crate) async fn postgres(address: &str) -> Result<Self, DbErr> {
        let options: PgConnectOptions = address.parse().map_err(failed)?;
        let options = options
            .application_name("headwater")
            .statement_cache_capacity(PREPARED)
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // Compiling a plan takes longer than the rows of a page.
                    for text in ["SET TIME ZONE 'UTC'", "SET jit = off"] {
                        connection.execute(text).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        Ok(Self::of(Pool::Postgres(pool)))
    }

    /// Connects to the address of a `MySQL` or `MariaDB` server.
    pub(crate) async fn mysql(address: &str) -> Result<Self, DbErr> {
        let options: MySqlConnectOptions = address.parse().map_err(failed)?;
        let options = options
            .charset("utf8mb4")
            .collation("utf8mb4_bin")
            .statement_cache_capacity(PREPARED)
            .disable_statement_logging();
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let version: String = sqlx::query_scalar("SELECT VERSION()")
                        .fetch_one(&mut *connection)
                        .await?;
                    // As the columns of the schema: texts of two collations cannot be compared.
                    let names = if version.contains("MariaDB") {
                        "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin"
                    } else {
                        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin"
                    };
                    // Strict: what does not fit is refused, never cut. Readers see what is
                    // committed now, and writers lock rows instead of gaps.
                    for text in [
                        names,
                        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
                        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                    ] {
                        connection.execute(text).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        Ok(Self::of(Pool::MySql(pool)))
    }

    fn of(pool: Pool) -> Self {
        Self {
            pool,
            turns: Arc::default(),
        }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        match self.pool {
            Pool::Postgres(_) => DbBackend::Postgres,
            Pool::MySql(_) => DbBackend::MySql,
        }
    }

    /// The same connections, as migrations want them.
    pub(crate) fn schema(&self) -> DatabaseConnection {
        match &self.pool {
            Pool::Postgres(pool) => {
                sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone())
            }
            Pool::MySql(pool) => sea_orm::SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone()),
        }
    }

    /// Reads what is committed.
    pub(crate) async fn read(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        // On a task: a caller that is cancelled must not cut an answer in two.
        let pool = self.pool.clone();
        let text = text.to_owned();
        let read = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            connection.query(&text, &values).await
        });
        read.await.map_err(|_| gone())?
    }

    pub(crate) async fn turn(&self) -> ServerTurn {
        let (jobs, queue) = mpsc::unbounded_channel();
        let turn = Arc::clone(&self.turns).lock_owned().await;
        tokio::spawn(serve(self.pool.clone(), queue, turn));
        ServerTurn {
            jobs,
            unanswered: std::sync::Mutex::default(),
        }
    }

    pub(crate) async fn close(self) {
        match self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }
}

impl ServerTurn {
    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, DbErr>>) -> Job,
    ) -> Result<T, DbErr> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(crate) async fn begin(&self) -> Result<(), DbErr> {
        self.ask(Job::Begin).await
    }

    /// Waits for the answers of what is queued.
    pub(crate) async fn flush(&mut self) -> Result<(), DbErr> {
        let unanswered = self.unanswered.get_mut();
        let unanswered = std::mem::take(unanswered.unwrap_or_else(PoisonError::into_inner));
        for answer in unanswered {
            answer.await.map_err(|_| gone())??;
        }
        Ok(())
    }

    /// Queues the commit behind what is queued already, then waits for all of it.
    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        let (reply, committed) = oneshot::channel();
        self.jobs.send(Job::Commit(reply)).map_err(|_| gone())?;
        self.flush().await?;
        committed.await.map_err(|_| gone())?
    }

    pub(crate) async fn query(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        self.ask(|reply| Job::Query(text.to_owned(), values, reply))
            .await
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        self.ask(|reply| Job::Execute(text.to_owned(), values, reply))
            .await
    }

    /// Inserts a row into a table that numbers its rows in `id`, and returns the number.
    pub(crate) async fn insert(&self, text: &str, values: Vec<Value>) -> Result<i64, DbErr> {
        self.ask(|reply| Job::Insert(text.to_owned(), values, reply))
            .await
    }

    /// Queues the rows and returns; whether they went in is told by the commit.
    pub(crate) fn execute_rows(&self, text: Arc<str>, rows: Vec<Vec<Value>>) -> Result<(), DbErr> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send(Job::Rows(text, rows, reply))
            .map_err(|_| gone())?;
        let mut unanswered = self
            .unanswered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unanswered.push(answer);
        Ok(())
    }
}

/// Runs a turn's statements in order, until the turn is dropped. The guard goes last: the next
/// turn begins when this one's commit or rollback is done, whether or not anybody waited for it.
async fn serve(pool: Pool, mut queue: mpsc::UnboundedReceiver<Job>, _turn: OwnedMutexGuard<()>) {
    let mut connection = match pool.acquire().await {
        Ok(connection) => connection,
        Err(error) => {
            while let Some(job) = queue.recv().await {
                job.refuse(error.clone());
            }
            return;
        }
    };
    let mut in_transaction = false;
    // Set when a queued row was refused: then the commit must not happen.
    let mut broken = false;
    while let Some(job) = queue.recv().await {
        // Whoever asked may have been cancelled; then nobody hears the answer.
        match job {
            Job::Begin(reply) => {
                let begun = connection.plain("BEGIN").await;
                in_transaction = begun.is_ok();
                let _ = reply.send(begun);
            }
            Job::Commit(reply) => {
                // A statement's own error is told by its own answer.
                let done = if broken {
                    Ok(())
                } else {
                    let done = connection.plain("COMMIT").await;
                    in_transaction = in_transaction && done.is_err();
                    done
                };
                let _ = reply.send(done);
            }
            Job::Query(text, values, reply) => {
                let _ = reply.send(connection.query(&text, &values).await);
            }
            Job::Execute(text, values, reply) => {
                let _ = reply.send(connection.execute(&text, &values).await);
            }
            Job::Insert(text, values, reply) => {
                let _ = reply.send(connection.insert(&text, &values).await);
            }
            Job::Rows(text, rows, reply) => {
                let mut done = Ok(0);
                for values in &rows {
                    done = connection.execute(&text, values).await;
                    if done.is_err() {
                        broken = true;
                        break;
                    }
                }
                let _ = reply.send(done);
            }
        }
    }
    if in_transaction && connection.plain("ROLLBACK").await.is_err() {
        // The server rolls back what a lost connection had begun.
        connection.discard();
    }
}

impl Job {
    fn refuse(self, error: DbErr) {
        match self {
            Self::Begin(reply) | Self::Commit(reply) => drop(reply.send(Err(error))),
            Self::Query(_, _, reply) => drop(reply.send(Err(error))),
            Self::Execute(_, _, reply) | Self::Rows(_, _, reply) => drop(reply.send(Err(error))),
            Self::Insert(_, _, reply) => drop(reply.send(Err(error))),
        }
    }
}

impl Pool {
    async fn acquire(&self) -> Result<Connection, DbErr> {
        match self {
            Self::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
            Self::MySql(pool) => pool.acquire().await.map(Connection::MySql),
        }
        .map_err(failed)
    }
}

impl Connection {
    /// Runs a text without values, such as `BEGIN`.
    async fn plain(&mut self, text: &'static str) -> Result<(), DbErr> {
        match self {
            Self::Postgres(connection) => connection.execute(text).await.map(drop),
            Self::MySql(connection) => connection.execute(text).await.map(drop),
        }
        .map_err(failed)
    }

    async fn execute(&mut self, text: &str, values: &[Value]) -> Result<u64, DbErr> {
        match self {
            Self::Postgres(connection) => {
                let done = connection.execute(query::<Postgres>(text, values)?).await;
                done.map(|done| done.rows_affected())
            }
            Self::MySql(connection) => {
                let done = connection.execute(query::<MySql>(text, values)?).await;
                done.map(|done| done.rows_affected())
            }
        }
        .map_err(failed)
    }

    async fn insert(&mut self, text: &str, values: &[Value]) -> Result<i64, DbErr> {
        match self {
            Self::Postgres(connection) => {
                let text = format!("{text} RETURNING id");
                let row = connection
                    .fetch_one(query::<Postgres>(&text, values)?)
                    .await;
                row.and_then(|row| row.try_get(0))
            }
            Self::MySql(connection) => {
                let done = connection.execute(query::<MySql>(text, values)?).await;
                done.map(|done| i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX))
            }
        }
        .map_err(failed)
    }

    async fn query(&mut self, text: &str, values: &[Value]) -> Result<Vec<Row>, DbErr> {
        match self {
            Self::Postgres(connection) => {
                let rows = connection.fetch_all(query::<Postgres>(text, values)?).await;
                read::<Postgres>(&rows.map_err(failed)?)
            }
            Self::MySql(connection) => {
                let rows = connection.fetch_all(query::<MySql>(text, values)?).await;
                read::<MySql>(&rows.map_err(failed)?)
            }
        }
    }

    /// Closes the connection instead of giving it back.
    fn discard(self) {
        match self {
            Self::Postgres(connection) => drop(connection.detach()),
            Self::MySql(connection) => drop(connection.detach()),
        }
    }
}

/// What both drivers can write and read.
trait Wire: sqlx::Database<Row: sqlx::Row> {
    /// What a column of this type holds.
    fn kind(kind: &Self::TypeInfo) -> Option<Kind>;
    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error>;
}

/// What a column holds, as the drivers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Truth,
    Small,
    Whole,
    Unsigned,
    Real,
    Text,
    Bytes,
    Time,
}

impl Wire for Postgres {
    fn kind(kind: &Self::TypeInfo) -> Option<Kind> {
        Some(match kind.name() {
            "BOOL" => Kind::Truth,
            "INT4" => Kind::Small,
            "INT8" => Kind::Whole,
            "FLOAT8" => Kind::Real,
            "TEXT" | "VARCHAR" | "NAME" | "BPCHAR" | "UNKNOWN" => Kind::Text,
            "BYTEA" => Kind::Bytes,
            "TIMESTAMPTZ" => Kind::Time,
            _ => return None,
        })
    }

    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Truth => Cell::Integer(i64::from(row.try_get::<bool, _>(place)?)),
            Kind::Small => Cell::Integer(i64::from(row.try_get::<i32, _>(place)?)),
            Kind::Whole | Kind::Unsigned => Cell::Integer(row.try_get(place)?),
            Kind::Real => Cell::Real(row.try_get(place)?),
            Kind::Text => Cell::Text(row.try_get(place)?),
            Kind::Bytes => Cell::Bytes(row.try_get(place)?),
            Kind::Time => Cell::Time(row.try_get(place)?),
        })
    }
}

impl Wire for MySql {
    fn kind(kind: &Self::TypeInfo) -> Option<Kind> {
        // A column that compares by bytes has a name as if it held bytes.
        if <str as Type<Self>>::compatible(kind) {
            return Some(Kind::Text);
        }
        Some(match kind.name() {
            "BOOLEAN" => Kind::Truth,
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Kind::Whole,
            "BIGINT UNSIGNED" | "INT UNSIGNED" => Kind::Unsigned,
            "DOUBLE" => Kind::Real,
            "BINARY" | "VARBINARY" | "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" => Kind::Bytes,
            "DATETIME" | "TIMESTAMP" => Kind::Time,
            _ => return None,
        })
    }

    fn cell(row: &Self::Row, place: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Truth => Cell::Integer(i64::from(row.try_get::<bool, _>(place)?)),
            Kind::Small | Kind::Whole => Cell::Integer(row.try_get(place)?),
            Kind::Unsigned => {
                let number: u64 = row.try_get(place)?;
                Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX))
            }
            Kind::Real => Cell::Real(row.try_get(place)?),
            Kind::Text => Cell::Text(row.try_get_unchecked(place)?),
            Kind::Bytes => Cell::Bytes(row.try_get_unchecked(place)?),
            Kind::Time => Cell::Time(row.try_get(place)?),
        })
    }
}

/// A text with its values, kept prepared on the connection.
fn query<W>(
    text: &str,
    values: &[Value],
) -> Result<sqlx::query::Query<'static, W, W::Arguments>, DbErr>
where
    W: sqlx::Database<Arguments: IntoArguments<W>>,
    for<'t> Option<i64>: Encode<'t, W> + Type<W>,
    for<'t> Option<bool>: Encode<'t, W> + Type<W>,
    for<'t> Option<f64>: Encode<'t, W> + Type<W>,
    for<'t> Option<&'t str>: Encode<'t, W> + Type<W>,
    for<'t> Option<&'t [u8]>: Encode<'t, W> + Type<W>,
    for<'t> Option<chrono::DateTime<chrono::Utc>>: Encode<'t, W> + Type<W>,
{
    let mut arguments = W::Arguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for value in values {
        let added = match value {
            Value::BigInt(number) => arguments.add(*number),
            Value::Int(number) => arguments.add(number.map(i64::from)),
            Value::Bool(flag) => arguments.add(*flag),
            Value::Double(number) => arguments.add(*number),
            Value::String(text) => arguments.add(text.as_deref()),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            // Cut as everywhere: a server would round.
            Value::ChronoDateTimeUtc(time) => arguments.add(time.map(timestamp::to_milliseconds)),
            other => Err(format!("no column holds such a value: {other:?}").into()),
        };
        added.map_err(|error| DbErr::Custom(error.to_string()))?;
    }
    let text = AssertSqlSafe(text.to_owned()).into_sql_str();
    Ok(sqlx::query_with(text, arguments))
}

fn read<W>(rows: &[W::Row]) -> Result<Vec<Row>, DbErr>
where
    W: Wire,
    usize: sqlx::ColumnIndex<W::Row>,
{
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let kind = |column: &W::Column| {
        let kind = column.type_info();
        W::kind(kind).ok_or_else(|| DbErr::Type(format!("no column here holds {}", kind.name())))
    };
    let kinds: Vec<Kind> = first.columns().iter().map(kind).collect::<Result<_, _>>()?;
    let cell = |row: &W::Row, (place, &kind): (usize, &Kind)| {
        if row.try_get_raw(place)?.is_null() {
            return Ok(Cell::Null);
        }
        W::cell(row, place, kind)
    };
    rows.iter()
        .map(|row| {
            let cells = kinds.iter().enumerate().map(|at| cell(row, at));
            cells.collect::<Result<Vec<_>, _>>().map(Row)
        })
        .collect::<Result<_, _>>()
        .map_err(failed)
}

/// What the server says, without the driver's wrapping. Neither ever holds the address.
fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Custom(match error.as_database_error() {
        Some(database) => database.message().to_owned(),
        None => match error {
            sqlx::Error::PoolTimedOut => format!(
                "the server gave no connection within {} seconds",
                PATIENCE.as_secs()
            ),
            error => error.to_string(),
        },
    })
}

fn gone() -> DbErr {
    DbErr::Custom("the connection to the database is closed".to_owned())
}
