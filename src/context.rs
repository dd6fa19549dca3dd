//! What a command needs before it can begin: configuration, database, cancellation.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use headwater_store::Store;
use headwater_store::ledger::Window;
use tokio_util::sync::CancellationToken;

use crate::cli::Shared;
use crate::clock::Clock;
use crate::config::{self, Config, DatabaseAddress};
use crate::connect::Connector;
use crate::database::{self, WriteLock};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::report::{Bars, Json, Lines, Quiet, Reporter, Reporters};
use crate::session::Session;
use crate::sources::Sources;

/// The configuration, with the folder that relative paths in it start at.
pub struct Context {
    /// What the file says, or the defaults where there is none.
    pub config: Arc<Config>,
    /// Whether there is a file.
    has_file: bool,
    /// Folder of the file.
    pub folder: PathBuf,
    /// Where the tables are.
    pub database: DatabaseAddress,
    /// Tells the time.
    pub clock: Clock,
    /// The sources that connections may be of.
    pub sources: Sources,
}

/// Whether a command can do without a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsFile {
    /// It collects, so it must know from where.
    Yes,
    /// It works on the database alone.
    No,
}

/// The configuration file a command reads.
#[must_use]
pub fn config_path(shared: &Shared) -> PathBuf {
    shared
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from("headwater.toml"))
}

impl Context {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Exit 3 with everything that is wrong with it.
    pub fn load(shared: &Shared, needs: NeedsFile) -> Result<Self, Failure> {
        let path = config_path(shared);
        let may_lack = needs == NeedsFile::No && shared.config.is_none();
        let has_file = !may_lack || path.exists();
        let (config, folder) = if has_file {
            let loaded = config::load(&path)
                .map_err(|problems| Failure::new(Exit::Configuration, problems.in_full()))?;
            // A warning is no reason for a mail from cron.
            for warning in loaded.warnings.iter().filter(|_| !shared.quiet) {
                output::note(warning.in_full(false));
            }
            loaded.config.require_known_streams(&Sources::all())?;
            (loaded.config, loaded.folder)
        } else {
            let config = config::without_file()
                .map_err(|problems| Failure::new(Exit::Configuration, problems.in_full()))?;
            (config, PathBuf::from("."))
        };
        let database = database_address(shared, &config, &folder)?;
        Ok(Self {
            config: Arc::new(config),
            has_file,
            folder,
            database,
            clock: Clock::system(),
            sources: Sources::all(),
        })
    }

    /// Where relative paths start, and the clock.
    #[must_use]
    pub fn place(&self) -> (&Path, &Clock) {
        (&self.folder, &self.clock)
    }

    /// Makes clients whose requests are counted in a database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn connector(&self, store: &Store) -> Result<Connector, Failure> {
        let ledger = store.ledger(Window::HOUR).await?.in_steady_time();
        Ok(Connector::recording(self.place(), &self.sources, ledger))
    }

    /// What runs of this command work with.
    #[must_use]
    pub fn session(
        &self,
        store: &Store,
        connector: Connector,
        reporter: Arc<dyn Reporter>,
        cancel: CancellationToken,
    ) -> Session {
        Session {
            config: Arc::clone(&self.config),
            folder: self.folder.clone(),
            store: store.clone(),
            sources: self.sources.clone(),
            connector,
            reporter: Reporters::of(reporter, &self.clock),
            clock: self.clock.clone(),
            cancel,
        }
    }

    /// Opens the database, updates its schema and takes the right to write.
    ///
    /// # Errors
    /// Exit 7 when another process writes, 6 when the file is not usable.
    pub async fn open_for_writing(
        &self,
        command: &str,
    ) -> Result<(Store, Option<WriteLock>), Failure> {
        let lock = database::lock(&self.database, command, self.clock.now())?;
        let store = database::open(&self.database).await?;
        Ok((store, lock))
    }

    /// The same, unless it is cancelled first: bringing a large database up to date takes time.
    ///
    /// # Errors
    /// As [`Self::open_for_writing`], and exit 130 when cancelled.
    pub async fn open_unless_cancelled(
        &self,
        command: &str,
        cancel: &CancellationToken,
    ) -> Result<(Store, Option<WriteLock>), Failure> {
        tokio::select! {
            () = cancel.cancelled() => Err(Failure::new(Exit::Cancelled, "cancelled")),
            opened = self.open_for_writing(command) => opened,
        }
    }

    /// Opens a database that must be there, to read from it.
    ///
    /// # Errors
    /// Exit 2 when it is not there or has no tables yet, 6 when it cannot be opened or is older than
    /// this program.
    pub async fn open_for_reading(&self) -> Result<Store, Failure> {
        self.require_database()?;
        let store = database::connect(&self.database).await?;
        self.current(store).await?.ok_or_else(|| self.no_tables())
    }

    /// The same for what a person waits for: see [`database::connect_to_read`].
    ///
    /// # Errors
    /// As [`Context::open_for_reading`].
    pub async fn open_to_read(&self) -> Result<Store, Failure> {
        self.require_database()?;
        let store = database::connect_to_read(&self.database).await?;
        self.current(store).await?.ok_or_else(|| self.no_tables())
    }

    /// The database as it is; none where it is not there or has no tables yet.
    ///
    /// # Errors
    /// Exit 6 when it cannot be opened or is older than this program.
    pub async fn open_if_made(&self) -> Result<Option<Store>, Failure> {
        if self.missing_file().is_some() {
            return Ok(None);
        }
        self.current(database::connect(&self.database).await?).await
    }

    /// None for a database without tables.
    async fn current(&self, store: Store) -> Result<Option<Store>, Failure> {
        let status = headwater_migrations::status(store.connection()).await;
        let status = status
            .map_err(|error| Failure::because(Exit::Failed, "the schema is not usable", error))?;
        if status.iter().all(|change| !change.applied) {
            store.close().await?;
            return Ok(None);
        }
        if status.iter().any(|change| !change.applied) {
            let database = &self.database;
            let message = format!(
                "{database} is not up to date; run `headwater migrate` or `headwater sync`"
            );
            return Err(Failure::new(Exit::Failed, message));
        }
        Ok(Some(store))
    }

    /// The database for a command that can do without: none where there is none yet, or it cannot
    /// be used as it is.
    pub async fn open_if_there(&self) -> Option<Store> {
        self.open_for_reading().await.ok()
    }

    /// Refuses to go on without a database file. Whether a server has tables is seen later.
    ///
    /// # Errors
    /// Exit 2.
    pub fn require_database(&self) -> Result<(), Failure> {
        match self.missing_file() {
            None => Ok(()),
            Some(file) => {
                Err(self.nothing_here(&format!("there is no database {}", file.display())))
            }
        }
    }

    /// The database file that is not there.
    fn missing_file(&self) -> Option<PathBuf> {
        let file = self.database.sqlite_path();
        file.filter(|file| !file.exists())
    }

    /// What to say of a database without tables.
    pub(crate) fn no_tables(&self) -> Failure {
        self.nothing_here(&format!("{} has no tables", self.database))
    }

    /// Nothing was collected: that is no fault of a database, and the next step is another one.
    fn nothing_here(&self, what: &str) -> Failure {
        let next = if self.has_file {
            "`headwater sync` collects what the configuration names"
        } else {
            "`headwater init` writes a configuration here, and then `headwater sync` collects what \
             it names"
        };
        Failure::usage(format!(
            "{what}: nothing is collected yet; {next}. Is the data elsewhere? Name its database \
             with --database, or its configuration with --config"
        ))
    }
}

fn database_address(
    shared: &Shared,
    config: &Config,
    folder: &Path,
) -> Result<DatabaseAddress, Failure> {
    let read = match &shared.database {
        Some(url) => DatabaseAddress::parse(url),
        None => config.database.url.read(folder),
    };
    read.map_err(|error| Failure::new(Exit::Configuration, format!("database.url: {error}")))
}

/// How this command shows what happens.
#[must_use]
pub fn reporter(shared: &Shared) -> Arc<dyn Reporter> {
    if shared.json {
        Arc::new(Json)
    } else if shared.quiet {
        Arc::new(Quiet::default())
    } else if std::io::stderr().is_terminal() && shared.verbose == 0 {
        Arc::new(Bars::default())
    } else if shared.verbose > 0 {
        Arc::new(Lines::verbose())
    } else {
        Arc::new(Lines::default())
    }
}

/// How long a cancelled command may take to end by itself. What is under way then is ended with
/// the process, as by a crash: a transaction is whole or not there, and the next run goes on.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A token that Ctrl-C or a termination signal cancels; a second Ctrl-C ends the program at once,
/// and so does a command that takes too long to end by itself.
#[must_use]
pub fn cancelled_by_signals() -> CancellationToken {
    Stopping::by_signals("").token
}

/// How this process is stopped: the first signal cancels what it does, the second one ends it, and
/// so does the end of the time that it may take after the first.
pub struct Stopping {
    /// Cancelled by the first signal.
    pub token: CancellationToken,
    /// When the process is ended; moved on by [`Stopping::allow`].
    ends: Arc<Mutex<Instant>>,
}

impl Stopping {
    /// Begins to listen. The last line of a process that is ended says what to do next, where that
    /// is not empty.
    #[must_use]
    pub fn by_signals(next: &'static str) -> Self {
        let stopping = Self {
            token: CancellationToken::new(),
            ends: Arc::new(Mutex::new(Instant::now())),
        };
        let (cancel, ends) = (stopping.token.clone(), Arc::clone(&stopping.ends));
        // Created now and not in the task, so that no signal comes too early.
        let mut signals = StopSignals::new();
        tokio::spawn(async move {
            signals.next().await;
            output::note("stopping after the page under way; press Ctrl-C again to end at once");
            allow(&ends, PATIENCE);
            cancel.cancel();
            // A thread of its own: neither a busy runtime nor one that is shutting down delays it.
            std::thread::spawn(move || {
                while let Some(left) = left(&ends) {
                    std::thread::sleep(left);
                }
                say_next(next);
                std::process::exit(i32::from(Exit::Cancelled.code()));
            });
            signals.next().await;
            say_next(next);
            std::process::exit(i32::from(Exit::Cancelled.code()));
        });
        stopping
    }

    /// Allows what follows an interruption this time, and a little more to end. Returns a token
    /// that is cancelled when the time is over.
    #[must_use]
    pub fn allow(&self, time: Duration) -> CancellationToken {
        allow(&self.ends, time + PATIENCE);
        let over = CancellationToken::new();
        let cancel = over.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            cancel.cancel();
        });
        over
    }
}

fn allow(ends: &Mutex<Instant>, time: Duration) {
    let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    *ends = Instant::now() + time;
}

/// The time that is left; none when it is over.
fn left(ends: &Mutex<Instant>) -> Option<Duration> {
    let ends = *ends.lock().unwrap_or_else(PoisonError::into_inner);
    let left = ends.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

/// Says what follows an interruption, once for the process.
pub fn say_next(next: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        if !next.is_empty() {
            output::note(next);
        }
    });
}

/// Ctrl-C and the system's request to terminate.
#[cfg(unix)]
pub(crate) struct StopSignals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl StopSignals {
    pub(crate) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        // One that cannot be listened to keeps what the system does by itself: it ends us.
        Self(
            kinds
                .into_iter()
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        )
    }

    pub(crate) async fn next(&mut self) {
        let signals = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        let signals: Vec<_> = signals.collect();
        if signals.is_empty() {
            std::future::pending::<()>().await;
        }
        futures::future::select_all(signals).await;
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_follows_an_interruption_has_a_time_and_is_cancelled_before_the_process_ends() {
        let stopping = Stopping::by_signals("");
        let over = stopping.allow(Duration::from_secs(6));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!over.is_cancelled());
        assert!(left(&stopping.ends) > Some(Duration::from_secs(6)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(over.is_cancelled());
        assert!(!stopping.token.is_cancelled(), "nothing was to be stopped");
    }
}
