//! What a command needs before it can begin: configuration, database, cancellation.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_store::Store;
use tokio_util::sync::CancellationToken;

use crate::cli::Shared;
use crate::config::{self, Config, DatabaseAddress};
use crate::database::{self, WriteLock};
use crate::exit::{Exit, Failure};
use crate::report::{Bars, Json, Lines, Quiet, Reporter};

/// The configuration, with the folder that relative paths in it start at.
pub struct Context {
    /// What the file says, or the defaults where there is none.
    pub config: Config,
    /// Folder of the file.
    pub folder: PathBuf,
    /// Where the tables are.
    pub database: DatabaseAddress,
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
        let (config, folder) = if may_lack && !path.exists() {
            (Config::default(), PathBuf::from("."))
        } else {
            let loaded = config::load(&path)
                .map_err(|problems| Failure::new(Exit::Configuration, problems.to_string()))?;
            for warning in &loaded.warnings {
                eprintln!("{warning}");
            }
            (loaded.config, loaded.folder)
        };
        let database = database_address(shared, &config, &folder)?;
        Ok(Self {
            config,
            folder,
            database,
        })
    }

    /// Opens the database, brings its schema up to date and takes the right to write.
    ///
    /// # Errors
    /// Exit 7 when another process writes, 6 when the file is not usable.
    pub async fn open_for_writing(
        &self,
        command: &str,
    ) -> Result<(Store, Option<WriteLock>), Failure> {
        let lock = database::lock(&self.database, command)?;
        let store = database::open(&self.database).await?;
        Ok((store, lock))
    }

    /// Opens a database that must be there, to read from it.
    ///
    /// # Errors
    /// Exit 6 when it is not there or has no tables yet.
    pub async fn open_for_reading(&self) -> Result<Store, Failure> {
        self.require_database()?;
        let store = database::connect(&self.database).await?;
        let status = headwater_migrations::status(store.connection()).await;
        let status = status
            .map_err(|error| Failure::because(Exit::Failed, "the schema is not usable", error))?;
        if status.iter().any(|change| !change.applied) {
            let database = &self.database;
            let message = format!(
                "{database} is not up to date; run `headwater migrate` or `headwater sync`"
            );
            return Err(Failure::new(Exit::Failed, message));
        }
        Ok(store)
    }

    /// Refuses to go on without a database file. Whether a server has tables is seen later.
    ///
    /// # Errors
    /// Exit 6.
    pub fn require_database(&self) -> Result<(), Failure> {
        let file = self.database.sqlite_path();
        let Some(file) = file.filter(|file| !file.exists()) else {
            return Ok(());
        };
        Err(Failure::new(
            Exit::Failed,
            format!(
                "there is no database {}; `headwater sync` or `headwater raw import` makes one",
                file.display()
            ),
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
        Arc::new(Quiet)
    } else if std::io::stderr().is_terminal() && shared.verbose == 0 {
        Arc::new(Bars::default())
    } else {
        Arc::new(Lines {
            verbose: shared.verbose > 0,
        })
    }
}

/// A token that Ctrl-C or a termination signal cancels; a second Ctrl-C ends the program at once.
#[must_use]
pub fn cancelled_by_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        stop_signal().await;
        eprintln!("stopping after the page under way; press Ctrl-C again to end at once");
        cancel.cancel();
        stop_signal().await;
        std::process::exit(i32::from(Exit::Cancelled.code()));
    });
    token
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
