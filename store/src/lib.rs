//! The only SQL of Headwater: raw, tool and domain rows, checkpoints and comparison.
//!
//! Engines hand over values and keys; what reaches the database is decided here. Every write
//! happens inside a [`Page`], one transaction that carries its own change sequence, so that rows
//! and the checkpoint that covers them are committed together.

pub mod catalogue;
pub mod compare;
pub mod dead_letters;
mod error;
pub mod mentions;
mod page;
pub mod progress;
pub mod query;
pub mod raw;
pub mod read;
mod replace;
pub mod runs;
pub mod scopes;
mod shape;
mod sql;
mod value;

use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};

pub use error::StoreError;
pub use page::Page;
pub use replace::{Changes, Owner, Replacement};
pub use value::KeyValue;

/// A database that holds every table.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    texts: sql::Texts,
}

impl Store {
    /// Opens a database by its URL (`sqlite:PATH`); creates the SQLite file when it is missing.
    ///
    /// The schema is not touched: migrate first.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        let path = path.strip_prefix("//").unwrap_or(path);
        Self::open_sqlite(Path::new(path)).await
    }

    /// Opens an SQLite file in WAL mode with one connection, the only writer.
    pub async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        // The path goes in below: as part of a URL its special characters would be read.
        let mut options = ConnectOptions::new("sqlite:headwater.db");
        let file = path.to_owned();
        options
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(60))
            .test_before_acquire(false)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite.filename(&file)));
        let action = || format!("opening the database {}", path.display());
        let db = Database::connect(options)
            .await
            .map_err(|source| StoreError::new(action(), source))?;
        Ok(Self::over(db))
    }

    /// An empty database that is gone with the store.
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options
            .max_connections(1)
            .min_connections(1)
            .sqlx_logging(false);
        let db = Database::connect(options).await;
        let db = db.map_err(|source| StoreError::new("opening a database in memory", source))?;
        Ok(Self::over(db))
    }

    /// A store over an open connection.
    #[must_use]
    pub fn over(db: DatabaseConnection) -> Self {
        Self {
            db,
            texts: sql::Texts::default(),
        }
    }

    /// The connection itself, for migrations.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.db
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// Copies an SQLite database, as it is now, to a new file.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let target = path.display().to_string();
        self.execute("VACUUM INTO ?", vec![target.into()])
            .await
            .map(|_| ())
    }

    /// Writes what the log still holds into the file and closes it.
    pub async fn close(self) -> Result<(), StoreError> {
        let closed = self.db.close().await;
        closed.map_err(|source| StoreError::new("closing the database", source))
    }
}

fn sqlite_options(
    options: sqlx::sqlite::SqliteConnectOptions,
) -> sqlx::sqlite::SqliteConnectOptions {
    use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    options
        .create_if_missing(true)
        // Payloads are 2 to 10 KB: larger pages mean fewer overflow chains. Set before WAL.
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit may be lost at power failure, never torn; the next run fetches it again.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(30))
        .statement_cache_capacity(400)
        .pragma("cache_size", "-32768")
}
