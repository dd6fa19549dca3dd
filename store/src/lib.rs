//! The only SQL of Headwater: raw, tool and domain rows, checkpoints and comparison.
//!
//! Engines hand over values and keys; what reaches the database is decided here. Every write
//! happens inside a [`Transaction`], one transaction that carries its own change sequence, so that rows
//! and the checkpoint that covers them are committed together.

mod bookkeeping;
mod database;
mod derived;
mod error;
pub mod measuring;
pub mod query;
mod rows;
mod run_blocking;
mod step_context;
pub mod symptoms;

use std::path::Path;

use sea_orm::{ConnectOptions, DatabaseConnection, DbBackend};

use database::{Database, Server, Sqlite, sql, statistics};

pub use bookkeeping::{
    Contents, dead_letters, figures, forecast, leases, ledger, looks, ownership, progress, proofs,
    queue, renames, runs, scopes,
};
pub use database::Limits;
pub use database::dialect::{Period, SqlDialect};
pub use database::transaction::Transaction;
pub use database::values::KeyValue;
pub use derived::{
    derivations, diffs, hashes, issue_links, mentions, merge_work, merges, patches, range_contents,
    sizes,
};
pub use error::StoreError;
pub use rows::bounded as rows_in_pages;
pub use rows::read::Way;
pub use rows::replace::{Changes, Owner, Replacement};
pub use rows::{catalogue, compare, git, import, raw, read};
pub use run_blocking::run_blocking;
pub use step_context::StepContext;

/// A database that holds every table.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    /// Opened when the schema is looked at or changed, which is done by sea-orm-migration.
    schema: DatabaseConnection,
    texts: sql::Texts,
    written: statistics::Written,
    /// Leases that pages check.
    held: leases::Held,
    /// What transactions note changes for.
    followers: derivations::Followers,
}

impl Store {
    /// True where all transactions of this process come one after the other while others read: in
    /// an `SQLite` file.
    #[must_use]
    pub fn writes_in_turns(&self) -> bool {
        self.database.reads_beside_writing()
    }

    /// Opens an SQLite file in WAL mode; creates it when it is missing.
    ///
    /// The schema is not touched: migrate first.
    ///
    /// # Errors
    /// When the file cannot be opened or made.
    pub async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::new(format!("opening {}", path.display()), source);
        let database = Sqlite::open(path).await.map_err(failed)?;
        // The path goes in below: as part of a URL its special characters would be read.
        let mut options = ConnectOptions::new("sqlite:headwater.db");
        let file = path.to_owned();
        options
            .connect_lazy(true)
            .max_connections(1)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .filename(&file)
                    .busy_timeout(std::time::Duration::from_secs(30))
            });
        let schema = sea_orm::Database::connect(options).await.map_err(failed)?;
        Ok(Self {
            database: Database::Sqlite(database),
            schema,
            texts: sql::Texts::default(),
            written: statistics::Written::default(),
            held: leases::Held::default(),
            followers: derivations::Followers::default(),
        })
    }

    /// An empty database that is gone with the store.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        let failed = |source| StoreError::new("opening a database in memory", source);
        let mut options = ConnectOptions::new("sqlite::memory:");
        options
            .max_connections(1)
            .min_connections(1)
            .sqlx_logging(false);
        Ok(Self {
            database: Database::Sqlite(Sqlite::open_in_memory().await.map_err(failed)?),
            schema: sea_orm::Database::connect(options).await.map_err(failed)?,
            texts: sql::Texts::default(),
            written: statistics::Written::default(),
            held: leases::Held::default(),
            followers: derivations::Followers::default(),
        })
    }

    /// Connects to a `PostgreSQL` server by its address, `postgres://user:password@host/database`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses; the address is not in the message.
    pub async fn open_postgres(address: &str) -> Result<Self, StoreError> {
        Self::open_postgres_within(address, Limits::default()).await
    }

    /// The same with limits of one's own.
    ///
    /// # Errors
    /// As [`Store::open_postgres`].
    pub async fn open_postgres_within(address: &str, limits: Limits) -> Result<Self, StoreError> {
        let server = Box::pin(Server::postgres(address, limits)).await;
        Self::open_server(server, "PostgreSQL")
    }

    /// Connects to a `MySQL` or `MariaDB` server by its address,
    /// `mysql://user:password@host/database`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses; the address is not in the message.
    pub async fn open_mysql(address: &str) -> Result<Self, StoreError> {
        Self::open_mysql_within(address, Limits::default()).await
    }

    /// The same with limits of one's own.
    ///
    /// # Errors
    /// As [`Store::open_mysql`].
    pub async fn open_mysql_within(address: &str, limits: Limits) -> Result<Self, StoreError> {
        let server = Box::pin(Server::mysql(address, limits)).await;
        Self::open_server(server, "MySQL or MariaDB")
    }

    fn open_server(server: Result<Server, sea_orm::DbErr>, kind: &str) -> Result<Self, StoreError> {
        let server =
            server.map_err(|error| StoreError::new(format!("connecting to {kind}"), error))?;
        Ok(Self {
            schema: server.schema(),
            database: Database::Server(server),
            texts: sql::Texts::default(),
            written: statistics::Written::default(),
            held: leases::Held::default(),
            followers: derivations::Followers::default(),
        })
    }

    /// The connection that migrations run on.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.schema
    }

    /// What a change of the schema met, with the names of who holds it, where that is another
    /// process.
    pub async fn error_of_change(&self, error: sea_orm::DbErr) -> StoreError {
        let holders = match database::locked::said_of_lock(&error) {
            Some(_) => {
                self.database
                    .read(database::locked::HOLDERS, Vec::new())
                    .await
            }
            None => Ok(Vec::new()),
        };
        let named = database::locked::naming(error, &holders.unwrap_or_default());
        StoreError::new("changing the schema", named)
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.database.backend()
    }

    /// How this database spells SQL.
    #[must_use]
    pub fn dialect(&self) -> SqlDialect {
        self.backend().into()
    }

    /// Bytes that the data of an item may have, so that a raw row of it, and the rows made of that,
    /// each fit into one statement; none where the database sets no such limit.
    ///
    /// `MySQL` and `MariaDB` refuse what is longer than `max_allowed_packet`.
    #[must_use]
    pub fn longest_item(&self) -> Option<usize> {
        let longest = self.database.statement_bytes();
        // A row has a dozen other texts of some hundred characters.
        (longest < usize::MAX).then(|| longest - longest / 32)
    }

    /// Bytes that the texts of a row made of an item may have, as [`Store::longest_item`].
    #[must_use]
    pub fn longest_row(&self) -> Option<usize> {
        let longest = self.database.statement_bytes();
        (longest < usize::MAX).then(|| longest - longest / 64)
    }

    /// Copies an SQLite database, as it is now, to a new file.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let target = path.display().to_string();
        self.execute("VACUUM INTO ?", vec![target.into()])
            .await
            .map(|_| ())
    }

    /// Writes what the log still holds into the file and closes it.
    ///
    /// # Errors
    /// When that fails.
    pub async fn close(self) -> Result<(), StoreError> {
        let failed = |source| StoreError::new("closing the database", source);
        // The pool may wait for ever for a connection it is still opening; nothing depends on it.
        let closing = tokio::time::timeout(std::time::Duration::from_secs(2), self.schema.close());
        if let Ok(closed) = closing.await {
            closed.map_err(failed)?;
        }
        self.database.close().await.map_err(failed)
    }
}
