//! A database of a test's own, on each of the databases.
//!
//! SQLite is always there. The servers are used when these variables hold the address of a
//! database on which the user may create others: `HEADWATER_TEST_POSTGRES`,
//! `HEADWATER_TEST_MARIADB`. A test says so when it skips one.

use std::sync::atomic::{AtomicU32, Ordering};

use headwater_store::Store;
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;

/// Where a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
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

    pub(crate) async fn open(self, address: &str) -> Store {
        let opened = match self {
            Self::Sqlite => {
                let path = address.strip_prefix("sqlite:").unwrap();
                Store::open_sqlite(path.as_ref()).await
            }
            Self::Postgres => Store::open_postgres(address).await,
            Self::MariaDb => Store::open_mysql(address).await,
        };
        opened.unwrap()
    }

    async fn run(self, server: &str, sql: &str) {
        let store = self.open(server).await;
        let done = store.connection().execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        store.close().await.unwrap();
    }
}

impl On {
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

/// An empty database that is gone when this is dropped.
pub(crate) struct TestDatabase {
    pub(crate) on: On,
    /// As `database.url` in the configuration.
    pub(crate) address: String,
    /// Address of the server's own database, and the name of this one.
    server: Option<(String, String)>,
    // Removed when dropped.
    _folder: TempDir,
}

impl TestDatabase {
    /// None where tests have no such server.
    pub(crate) async fn new(on: On) -> Option<Self> {
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
        on.run(&server, &format!("CREATE DATABASE {name}")).await;
        let (before, _) = server.rsplit_once('/').unwrap();
        Some(Self {
            on,
            address: format!("{before}/{name}"),
            server: Some((server, name)),
            _folder: folder,
        })
    }
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
