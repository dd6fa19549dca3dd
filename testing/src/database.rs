//! A database of a test's own, on each of the databases.
//!
//! SQLite is always there. The servers are used when these variables hold the address of a
//! database on which the user may create others: `HEADWATER_TEST_POSTGRES`,
//! `HEADWATER_TEST_MARIADB`. A test says so when it skips one.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use headwater_store::Store;
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;

use crate::template;

/// Where a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A file.
    Sqlite,
    /// A database on the server of `HEADWATER_TEST_POSTGRES`.
    Postgres,
    /// A database on the server of `HEADWATER_TEST_MARIADB`.
    MariaDb,
}

impl On {
    /// Address of a server's own database; none where tests have no such server.
    fn server(self) -> Option<String> {
        let variable = match self {
            Self::Sqlite => return None,
            Self::Postgres => "HEADWATER_TEST_POSTGRES",
            Self::MariaDb => "HEADWATER_TEST_MARIADB",
        };
        let address = std::env::var(variable).ok();
        if address.is_none() {
            println!("skipped on {self:?}: {variable} is not set");
        }
        address
    }

    /// Opens a database by its address, as `database.url` has it. Nothing is migrated.
    pub async fn open(self, address: &str) -> Store {
        let opened = match self {
            Self::Sqlite => Store::open_sqlite(sqlite_path(address)).await,
            Self::Postgres => Store::open_postgres(address).await,
            Self::MariaDb => Store::open_mysql(address).await,
        };
        opened.unwrap()
    }

    /// Runs statements on a database and disconnects.
    pub(crate) async fn run(self, address: &str, sql: &str) {
        let store = self.open(address).await;
        let done = store.connection().execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        store.close().await.unwrap();
    }

    /// Drops a database, also while connections to it are open: the test that opened them waits.
    async fn drop_database(self, server: &str, name: &str) {
        if self == Self::Postgres {
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            return self.run(server, &sql).await;
        }
        let store = self.open(server).await;
        let connection = store.connection();
        let open = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
        let open = Statement::from_string(connection.get_database_backend(), open);
        for row in connection.query_all_raw(open).await.unwrap() {
            let id: i64 = row.try_get_by_index(0).unwrap();
            // It may have closed by itself.
            let _ = connection.execute_unprepared(&format!("KILL {id}")).await;
        }
        let sql = format!("DROP DATABASE {name}");
        connection.execute_unprepared(&sql).await.unwrap();
        store.close().await.unwrap();
    }
}

fn sqlite_path(address: &str) -> &Path {
    address.strip_prefix("sqlite:").unwrap().as_ref()
}

/// The address of another database on the same server.
pub(crate) fn beside(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

/// A database that is gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is.
    pub on: On,
    /// As `database.url` in the configuration.
    pub address: String,
    /// Address of the server's own database, and the name of this one.
    server: Option<(String, String)>,
    // Removed when dropped.
    _folder: TempDir,
}

impl TestDatabase {
    /// A database with all tables and no row; none where tests have no such server. Copied from a
    /// template, so that nothing is left to migrate.
    pub async fn migrated(on: On) -> Option<Self> {
        let database = match on {
            On::Postgres => {
                let template = template::postgres(&on.server()?).await;
                Self::created(on, &format!(" TEMPLATE {template}")).await?
            }
            _ => Self::empty(on).await?,
        };
        match on {
            On::Sqlite => migrated_file(&database.address).await,
            On::Postgres => {}
            On::MariaDb => {
                let tables = template::mariadb(&on.server()?).await;
                on.run(&database.address, tables).await;
            }
        }
        Some(database)
    }

    /// A database without a table, for tests of migrations; none where tests have no such server.
    pub async fn empty(on: On) -> Option<Self> {
        Self::created(on, "").await
    }

    async fn created(on: On, options: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        if on == On::Sqlite {
            return Some(Self {
                on,
                address: format!("sqlite:{}", folder.path().join("headwater.db").display()),
                server: None,
                _folder: folder,
            });
        }
        let server = on.server()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("headwater_test_{}_{number}", std::process::id());
        let create = format!("CREATE DATABASE {name}{options}");
        on.run(&server, &create).await;
        Some(Self {
            on,
            address: beside(&server, &name),
            server: Some((server, name)),
            _folder: folder,
        })
    }
}

async fn migrated_file(address: &str) {
    template::migrated_sqlite(sqlite_path(address)).await;
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else {
            return;
        };
        let on = self.on;
        // On a thread of its own: a runtime cannot wait within another one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(on.drop_database(&server, &name));
        });
        if dropped.join().is_err() {
            println!("a database of this test stays behind");
        }
    }
}
