//! `PostgreSQL`, `MySQL` and `MariaDB` through sqlx, one task per turn.
//!
//! A turn's statements run on one connection that a task of its own holds. So a caller that is
//! cancelled halfway never leaves a connection in the middle of an answer, and rows can be
//! prepared while the server still writes the ones before.

mod session;
mod wire;

use std::sync::{Arc, PoisonError};

use sea_orm::{DatabaseConnection, DbBackend, DbErr, Value};
use sqlx::mysql::MySql;
use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;
use sqlx::{Executor, MySqlPool, PgPool, Row as _};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::Row;
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
        Ok(Self::of(Pool::Postgres(pool), limits.statement_bytes))
    }

    /// Connects to the address of a `MySQL` or `MariaDB` server.
    pub(crate) async fn mysql(address: &str, limits: Limits) -> Result<Self, DbErr> {
        let pool = session::mysql(address, limits).await.map_err(failed)?;
        let largest: u64 = sqlx::query_scalar("SELECT @@max_allowed_packet")
            .fetch_one(&pool)
            .await
            .map_err(failed)?;
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let largest = largest.min(limits.statement_bytes);
        Ok(Self::of(Pool::MySql(pool), largest))
    }

    fn of(pool: Pool, statement_bytes: usize) -> Self {
        Self {
            pool,
            statement_bytes,
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
        // Whoever asked may have been cancelled; then the answer is not read.
        match job {
            Job::Begin(reply) => {
                let begun = connection.plain("BEGIN").await;
                in_transaction = begun.is_ok();
                let _ = reply.send(begun);
            }
            Job::Commit(reply) => {
                // A statement's own error is in its own answer.
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
    DbErr::Custom(match session::reason(database) {
        Some(reason) => format!("{reason} ({said})"),
        None => said.to_owned(),
    })
}

fn gone() -> DbErr {
    DbErr::Custom("the connection to the database is closed".to_owned())
}
