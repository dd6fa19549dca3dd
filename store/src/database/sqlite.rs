//! SQLite on threads of its own.
//!
//! Through an async driver every row crosses two channels and every cell is copied twice; here a
//! whole batch crosses once and one prepared statement runs for each of its rows. Why:
//! docs/decisions/0017-sqlite-on-its-own-thread.md.

mod cells;
mod log;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc as channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sea_orm::{DbErr, Value};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use self::cells::{bind, owned};
use self::log::Log;
use super::Row;
use super::locked::{self, HOLDERS, LOCKED, Patience};

/// A handle to the threads: one writes, another reads what is committed, a third copies the log
/// back into the file. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {
    jobs: channel::Sender<Job>,
    /// None for a database in memory, which only its own connection can see.
    reader: Option<channel::Sender<Job>>,
    /// None where there is no log: in memory.
    log: Option<Log>,
    /// Held for a statement, or for a whole transaction.
    turns: Arc<Mutex<()>>,
    /// How many wait for a turn.
    waiting: Arc<AtomicUsize>,
    patience: Patience,
}

/// The right to run statements, until it is dropped. A transaction that was not committed is
/// rolled back then.
pub(crate) struct SqliteTurn {
    jobs: channel::Sender<Job>,
    /// Who holds leases is asked there.
    reader: Option<channel::Sender<Job>>,
    patience: Patience,
    log: Option<Log>,
    in_transaction: bool,
    /// Answers of statements that were not awaited yet, in the order they were queued.
    unanswered: std::sync::Mutex<Vec<Answer<()>>>,
    /// How many of them are from before the latest [`SqliteTurn::flush`].
    earlier: usize,
    /// Set on the thread when one of them failed: then the commit must not happen.
    broken: Arc<AtomicBool>,
    waiting: Arc<AtomicUsize>,
    _turn: OwnedMutexGuard<()>,
}

/// One who waits for a turn, until it is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn join(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Name of the thread and size of its cache in kibibytes: the writer meets hot index pages again
/// and again, the reader reads everything once.
const WRITER: (&str, i64) = ("sqlite-write", 16_384);
const READER: (&str, i64) = ("sqlite-read", 8192);
const KEEPER: (&str, i64) = ("sqlite-log", 256);

/// How long to wait for another process that writes.
const LOCK_WAIT: Duration = Duration::from_secs(30);

type Answer<T> = oneshot::Receiver<rusqlite::Result<T>>;

type Work = Box<dyn FnOnce(&Connection) + Send>;

enum Job {
    Run(Work),
    Close(oneshot::Sender<Result<(), DbErr>>),
}

impl Sqlite {
    /// Opens the file, making it where it is missing, and starts the threads.
    pub(crate) async fn open(path: &Path) -> Result<Self, DbErr> {
        let jobs = start(Some(path.to_owned()), WRITER).await?;
        let reader = start(Some(path.to_owned()), READER).await?;
        let keeper = start(Some(path.to_owned()), KEEPER).await?;
        send(&jobs, |connection| {
            Log::watch(connection);
            Ok(())
        })?;
        Ok(Self {
            jobs,
            reader: Some(reader),
            log: Some(Log::kept_by(keeper)),
            turns: Arc::default(),
            waiting: Arc::default(),
            patience: Patience::default(),
        })
    }

    /// An empty database that is gone with the handle.
    pub(crate) async fn open_in_memory() -> Result<Self, DbErr> {
        Ok(Self {
            jobs: start(None, WRITER).await?,
            reader: None,
            log: None,
            turns: Arc::default(),
            waiting: Arc::default(),
            patience: Patience::default(),
        })
    }

    pub(crate) fn reads_beside_writing(&self) -> bool {
        self.reader.is_some()
    }

    /// Reads what is committed, also while a transaction is under way.
    pub(crate) async fn read(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        match &self.reader {
            Some(reader) => {
                let text = text.to_owned();
                let rows = send(reader, move |connection| query(connection, &text, &values))?;
                rows.await.map_err(|_| gone())?.map_err(database)
            }
            None => self.turn().await.query(text, values).await,
        }
    }

    pub(crate) async fn turn(&self) -> SqliteTurn {
        let waiting = Waiting::join(&self.waiting);
        let turn = Arc::clone(&self.turns).lock_owned().await;
        drop(waiting);
        if self.reader.is_some() {
            self.wait_for_locks();
        }
        SqliteTurn {
            jobs: self.jobs.clone(),
            reader: self.reader.clone(),
            patience: self.patience.clone(),
            log: self.log.clone(),
            in_transaction: false,
            unanswered: std::sync::Mutex::default(),
            earlier: 0,
            broken: Arc::default(),
            waiting: Arc::clone(&self.waiting),
            _turn: turn,
        }
    }

    /// Sets how long the writer waits for another process that writes.
    fn wait_for_locks(&self) {
        let wait = if self.patience.is_short() {
            locked::SHORT_WAIT
        } else {
            LOCK_WAIT
        };
        let work = Box::new(move |connection: &Connection| {
            // Cannot fail, and the usual time is in force otherwise.
            let _ = connection.busy_timeout(wait);
        });
        // Where the thread is gone, the statements say so.
        let _ = self.jobs.send(Job::Run(work));
    }

    /// Writes what the log still holds into the file and ends the thread.
    pub(crate) async fn close(self) -> Result<(), DbErr> {
        // The writer last: the last connection to close tidies the log up.
        let keeper = self.log.as_ref().map(Log::keeper);
        for jobs in self.reader.iter().chain(keeper).chain([&self.jobs]) {
            let (reply, answer) = oneshot::channel();
            jobs.send(Job::Close(reply)).map_err(|_| gone())?;
            answer.await.map_err(|_| gone())??;
        }
        Ok(())
    }
}

async fn start(
    path: Option<PathBuf>,
    (name, cache_kibibytes): (&str, i64),
) -> Result<channel::Sender<Job>, DbErr> {
    let (jobs, queue) = channel::channel::<Job>();
    let (opened, open) = oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let started = thread.spawn(move || match connect(path.as_deref(), cache_kibibytes) {
        Ok(connection) => {
            // The opener may have been cancelled; then the queue is closed already.
            let _ = opened.send(Ok(()));
            serve(connection, &queue);
        }
        Err(error) => {
            let _ = opened.send(Err(error));
        }
    });
    started.map_err(|error| DbErr::Custom(format!("starting a thread: {error}")))?;
    open.await.map_err(|_| gone())??;
    Ok(jobs)
}

/// Queues work and returns where its answer arrives.
fn send<T, F>(jobs: &channel::Sender<Job>, work: F) -> Result<Answer<T>, DbErr>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move |connection: &Connection| {
        // Whoever asked may have been cancelled.
        let _ = reply.send(work(connection));
    });
    jobs.send(Job::Run(job)).map_err(|_| gone())?;
    Ok(answer)
}

fn connect(path: Option<&Path>, cache_kibibytes: i64) -> Result<Connection, DbErr> {
    let opened = match path {
        Some(path) => Connection::open_with_flags(
            path,
            // No URI flag: a path is a path, whatever characters it has.
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        ),
        None => Connection::open_in_memory(),
    };
    let connection = opened.map_err(database)?;
    configure(&connection, cache_kibibytes).map_err(database)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kibibytes: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(256);
    // Payloads are 2 to 10 KB: two pages at most, and none half empty. Must come before WAL.
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit may be lost at power failure, never torn; the next run fetches it again.
    connection.pragma_update(None, "synchronous", "normal")?;
    // Kibibytes; memory stays flat however large the file grows.
    connection.pragma_update(None, "cache_size", -cache_kibibytes)?;
    // Pages; also for writers that do not count them.
    connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    Ok(())
}

/// Runs jobs in order until every handle is gone or one closes it.
fn serve(connection: Connection, queue: &channel::Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        match job {
            Job::Run(work) => work(&connection),
            Job::Close(reply) => {
                let closed = connection.close();
                let _ = reply.send(closed.map_err(|(_, error)| database(error)));
                return;
            }
        }
    }
}

fn database(error: rusqlite::Error) -> DbErr {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    if let Some(DatabaseBusy | DatabaseLocked) = error.sqlite_error_code() {
        return locked::locked(format!("{LOCKED} ({error})"));
    }
    let message = match error {
        // The message alone; the code in brackets says nothing to a person.
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        other => other.to_string(),
    };
    DbErr::Custom(message)
}

fn gone() -> DbErr {
    DbErr::Custom("the database is closed".to_owned())
}

impl SqliteTurn {
    async fn run<T, F>(&self, work: F) -> Result<T, DbErr>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let answer = send(&self.jobs, work)?;
        self.explained(answer.await.map_err(|_| gone())?).await
    }

    /// Names who holds leases, where another process did not let go of the file in time.
    async fn explained<T>(&self, done: rusqlite::Result<T>) -> Result<T, DbErr> {
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => database(error),
        };
        if locked::said_of_lock(&error).is_none() {
            return Err(error);
        }
        self.patience.lost();
        let asked = self
            .reader
            .as_ref()
            .map(|reader| send(reader, |connection| query(connection, HOLDERS, &[])));
        let holders = match asked {
            Some(Ok(answer)) => answer.await.ok().and_then(Result::ok),
            _ => None,
        };
        Err(locked::naming(error, &holders.unwrap_or_default()))
    }

    /// True when another task waits for this turn to end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    pub(crate) async fn begin(&mut self) -> Result<(), DbErr> {
        // Set first: if this call is cancelled the statement runs all the same.
        self.in_transaction = true;
        self.run(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
            .await
    }

    /// Waits for the answers of what was queued before the call before this one: so the thread
    /// has work while more is prepared, and what is queued stays bounded.
    pub(crate) async fn flush(&mut self) -> Result<(), DbErr> {
        self.answered(self.earlier).await?;
        let unanswered = self.unanswered.get_mut();
        self.earlier = unanswered.unwrap_or_else(PoisonError::into_inner).len();
        Ok(())
    }

    /// Waits for the first answers, this many of them.
    async fn answered(&mut self, count: usize) -> Result<(), DbErr> {
        let unanswered = self.unanswered.get_mut();
        let unanswered = unanswered.unwrap_or_else(PoisonError::into_inner);
        let first: Vec<_> = unanswered.drain(..count.min(unanswered.len())).collect();
        self.earlier = self.earlier.saturating_sub(count);
        for answer in first {
            let done = answer.await.map_err(|_| gone())?;
            self.explained(done).await?;
        }
        Ok(())
    }

    /// Queues the commit behind what is queued already, then waits for all of it.
    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        let broken = Arc::clone(&self.broken);
        let log = self.log.clone();
        let committed = send(&self.jobs, move |connection| {
            if broken.load(Ordering::Relaxed) {
                // The statement's own error is reported below; the turn rolls back when it is dropped.
                return Ok(());
            }
            connection.execute_batch("COMMIT")?;
            if let Some(log) = log {
                log.committed();
            }
            Ok(())
        })?;
        self.answered(usize::MAX).await?;
        let done = committed.await.map_err(|_| gone())?;
        self.explained(done).await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) async fn query(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, DbErr> {
        let text = text.to_owned();
        self.run(move |connection| query(connection, &text, &values))
            .await
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        let text = text.to_owned();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&text)?;
            bind(&mut statement, 0, &values)?;
            statement.raw_execute().map(|rows| rows as u64)
        };
        self.run(work).await
    }

    /// Inserts a row into a table that numbers its rows, and returns the number.
    pub(crate) async fn insert(&self, text: &str, values: Vec<Value>) -> Result<i64, DbErr> {
        let text = text.to_owned();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&text)?;
            bind(&mut statement, 0, &values)?;
            statement.raw_execute()?;
            Ok(connection.last_insert_rowid())
        };
        self.run(work).await
    }

    /// Queues the rows and returns; the commit reports whether they went in, so that the
    /// caller can prepare what comes next meanwhile.
    pub(crate) fn execute_rows(
        &self,
        text: Arc<str>,
        rows: Vec<Vec<Value>>,
        shared: Vec<Value>,
    ) -> Result<(), DbErr> {
        let broken = Arc::clone(&self.broken);
        let answer = send(&self.jobs, move |connection| {
            let done = execute_rows(connection, &text, &rows, &shared);
            broken.fetch_or(done.is_err(), Ordering::Relaxed);
            done
        })?;
        let mut unanswered = self
            .unanswered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unanswered.push(answer);
        Ok(())
    }
}

impl Drop for SqliteTurn {
    fn drop(&mut self) {
        if self.in_transaction {
            let rollback = Box::new(|connection: &Connection| {
                // Fails only when there is nothing to roll back any more.
                let _ = connection.execute_batch("ROLLBACK");
            });
            // Queued before whatever the next turn sends.
            let _ = self.jobs.send(Job::Run(rollback));
        }
    }
}

fn execute_rows(
    connection: &Connection,
    text: &str,
    rows: &[Vec<Value>],
    shared: &[Value],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(text)?;
    // SQLite keeps what is bound from one execution to the next.
    let own = rows.first().map_or(0, Vec::len);
    bind(&mut statement, own, shared)?;
    for row in rows {
        bind(&mut statement, 0, row)?;
        statement.raw_execute()?;
    }
    Ok(())
}

fn query(connection: &Connection, text: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(text)?;
    let columns = statement.column_count();
    bind(&mut statement, 0, values)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for place in 0..columns {
            cells.push(owned(row.get_ref(place)?));
        }
        found.push(Row(cells));
    }
    Ok(found)
}
