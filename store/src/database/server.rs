//! `PostgreSQL`, `MySQL` and `MariaDB` through sqlx, one task per turn.
//!
//! A turn's statements run on one connection that a task of its own holds. So a caller that is
//! cancelled halfway never leaves a connection in the middle of an answer, and rows can be
//! prepared while the server still writes the ones before.

mod session;
mod wire;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend, DbErr, Value};
use sqlx::mysql::MySql;
use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;
use sqlx::{AssertSqlSafe, Executor, MySqlPool, PgPool, Row as _};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::Row;
use super::locked::{self, HOLDERS, LOCKED, Patience};
use wire::{query, read};

pub use session::Limits;
use session::PATIENCE;

pub(crate) use session::names_of;

/// A handle to a server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pool: Pool,
    statement_bytes: usize,
    /// Held for a statement, or for a whole transaction: one process writes one page at a time.
    turns: Arc<Mutex<()>>,
    locks: Locks,
}

/// How long statements wait for locks, and who is asked about those that were not let go.
#[derive(Clone, Debug)]
struct Locks {
    pool: Pool,
    wait: Duration,
    patience: Patience,
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
    /// Answers of statements that were not awaited yet.
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
    pub(crate) async fn postgres(address: &str, limits: Limits) -> Result<Self, DbErr> {
        let pool = session::postgres(address, limits).await.map_err(failed)?;
        Ok(Self::of(Pool::Postgres(pool), limits))
    }

    /// Connects to the address of a `MySQL` or `MariaDB` server.
    pub(crate) async fn mysql(address: &str, limits: Limits) -> Result<Self, DbErr> {
        let pool = session::mysql(address, limits).await.map_err(failed)?;
        let largest: u64 = sqlx::query_scalar("SELECT @@max_allowed_packet")
            .fetch_one(&pool)
            .await
            .map_err(failed)?;
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let limits = Limits {
            statement_bytes: largest.min(limits.statement_bytes),
            ..limits
        };
        Ok(Self::of(Pool::MySql(pool), limits))
    }

    fn of(pool: Pool, limits: Limits) -> Self {
        Self {
            locks: Locks {
                pool: pool.clone(),
                wait: limits.lock_wait,
                patience: Patience::default(),
            },
            pool,
            statement_bytes: limits.statement_bytes,
            turns: Arc::default(),
        }
    }

    /// Bytes of the longest statement that the server takes, with its values.
    pub(crate) fn statement_bytes(&self) -> usize {
        self.statement_bytes
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
        let (pool, locks) = (self.pool.clone(), self.locks.clone());
        let text = text.to_owned();
        let read = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            let done = connection.query(&text, &values).await;
            locks.explained(done).await
        });
        read.await.map_err(|_| gone())?
    }

    pub(crate) async fn turn(&self) -> ServerTurn {
        let (jobs, queue) = mpsc::unbounded_channel();
        let turn = Arc::clone(&self.turns).lock_owned().await;
        tokio::spawn(serve(self.locks.clone(), queue, turn));
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

    /// Queues the rows and returns; the commit reports whether they went in.
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
async fn serve(locks: Locks, mut queue: mpsc::UnboundedReceiver<Job>, _turn: OwnedMutexGuard<()>) {
    let mut connection = match locks.pool.acquire().await {
        Ok(connection) => connection,
        Err(error) => {
            while let Some(job) = queue.recv().await {
                job.refuse(error.clone());
            }
            return;
        }
    };
    let is_short = locks.patience.is_short();
    if is_short {
        // Fails only with the connection, which the turn's own statements will meet, too.
        let _ = connection.wait_for_locks(locked::SHORT_WAIT).await;
    }
    let mut served = Served {
        locks: &locks,
        connection: &mut connection,
        in_transaction: false,
        broken: None,
    };
    while let Some(job) = queue.recv().await {
        served.job(job).await;
    }
    let in_transaction = served.in_transaction;
    let is_clean = !in_transaction || connection.plain("ROLLBACK").await.is_ok();
    if !is_clean || is_short && connection.wait_for_locks(locks.wait).await.is_err() {
        // The server rolls back what a lost connection had begun.
        connection.discard();
    }
}

/// A turn on its connection.
struct Served<'a> {
    locks: &'a Locks,
    connection: &'a mut Connection,
    in_transaction: bool,
    /// Why a queued row was refused: then the commit must not happen. What `PostgreSQL` says of later
    /// statements is only that an earlier one failed.
    broken: Option<DbErr>,
}

impl Served<'_> {
    /// What to answer: what failed first, if something did.
    async fn answer<T>(&self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        match (done, &self.broken) {
            (Err(_), Some(first)) => Err(first.clone()),
            (done, _) => self.locks.explained(done).await,
        }
    }

    /// Whoever asked may have been cancelled; then the answer is not read.
    async fn job(&mut self, job: Job) {
        let connection = &mut *self.connection;
        match job {
            Job::Begin(reply) => {
                let begun = connection.plain("BEGIN").await;
                self.in_transaction = begun.is_ok();
                let _ = reply.send(begun);
            }
            Job::Commit(reply) => {
                // A statement's own error is in its own answer.
                let done = if self.broken.is_some() {
                    Ok(())
                } else {
                    let done = connection.plain("COMMIT").await;
                    self.in_transaction = self.in_transaction && done.is_err();
                    self.locks.explained(done).await
                };
                let _ = reply.send(done);
            }
            Job::Query(text, values, reply) => {
                let done = connection.query(&text, &values).await;
                let _ = reply.send(self.answer(done).await);
            }
            Job::Execute(text, values, reply) => {
                let done = connection.execute(&text, &values).await;
                let _ = reply.send(self.answer(done).await);
            }
            Job::Insert(text, values, reply) => {
                let done = connection.insert(&text, &values).await;
                let _ = reply.send(self.answer(done).await);
            }
            Job::Rows(text, rows, reply) => {
                let mut done = Ok(0);
                for values in &rows {
                    done = connection.execute(&text, values).await;
                    if done.is_err() {
                        break;
                    }
                }
                let done = self.answer(done).await;
                if let (Err(error), None) = (&done, &self.broken) {
                    self.broken = Some(error.clone());
                }
                let _ = reply.send(done);
            }
        }
    }
}

impl Locks {
    /// Names who holds leases, where a statement met a lock that was not let go in time.
    async fn explained<T>(&self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        let Err(error) = done else {
            return done;
        };
        if locked::said_of_lock(&error).is_none() {
            return Err(error);
        }
        self.patience.lost();
        // By a connection of its own: in a transaction that failed nothing can be asked.
        let holders = match self.pool.acquire().await {
            Ok(mut connection) => connection.query(HOLDERS, &[]).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        Err(locked::naming(error, &holders))
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
    /// Sets how long statements of this session wait for locks.
    async fn wait_for_locks(&mut self, wait: Duration) -> Result<(), DbErr> {
        match self {
            Self::Postgres(connection) => {
                let text = session::lock_wait_of_postgres(wait);
                connection.execute(AssertSqlSafe(text)).await.map(drop)
            }
            Self::MySql(connection) => {
                let text = session::lock_wait_of_mysql(wait);
                connection.execute(AssertSqlSafe(text)).await.map(drop)
            }
        }
        .map_err(failed)
    }

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

/// What the server says, without the driver's wrapping. Neither ever holds the address.
fn failed(error: sqlx::Error) -> DbErr {
    let Some(database) = error.as_database_error() else {
        return DbErr::Custom(match error {
            sqlx::Error::PoolTimedOut => format!(
                "the server gave no connection within {} seconds",
                PATIENCE.as_secs()
            ),
            error => error.to_string(),
        });
    };
    let said = database.message();
    if locked::is_lock(database) {
        return locked::locked(format!("{LOCKED} ({said})"));
    }
    DbErr::Custom(match session::reason(database) {
        Some(reason) => format!("{reason} ({said})"),
        None => said.to_owned(),
    })
}

fn gone() -> DbErr {
    DbErr::Custom("the connection to the database is closed".to_owned())
}
