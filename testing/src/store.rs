//! A migrated database with an open store, and ways to look past the store.

use std::ops::Deref;

use headwater_store::Store;
use headwater_store::query::{self, Cell};
use sea_orm::ConnectionTrait as _;

use crate::{On, TestDatabase};

/// A store that is gone with its database.
#[derive(Debug)]
pub struct TestStore {
    /// The open database.
    pub store: Store,
    /// Where it is; gone when dropped, after the store.
    pub database: TestDatabase,
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    /// All tables and no row, in a file.
    pub async fn new() -> Self {
        Self::on(On::Sqlite).await.unwrap()
    }

    /// The same on another database; none where tests have no such server.
    pub async fn on(on: On) -> Option<Self> {
        // Boxed: these futures are large, and so would be every test.
        let database = Box::pin(TestDatabase::migrated(on)).await?;
        let store = Box::pin(on.open(&database.address)).await;
        Some(Self { store, database })
    }

    /// The same database opened once more, as by another process.
    pub async fn opened_again(&self) -> Store {
        self.database.on.open(&self.database.address).await
    }

    /// Changes the database behind the store's back.
    pub async fn execute(&self, sql: &str) {
        let done = self.store.connection().execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Rows of a query, cells joined by this text.
    pub async fn rows(&self, sql: &str, separator: &str) -> Vec<String> {
        let mut lines = Lines {
            separator,
            lines: Vec::new(),
        };
        let address = self.database.address.as_str();
        let done = match self.database.on {
            On::Sqlite => {
                let path = address.strip_prefix("sqlite:").unwrap();
                query::run_sqlite(path.as_ref(), sql, &mut lines).await
            }
            On::Postgres => query::run_postgres(address, sql, &mut lines).await,
            On::MariaDb => query::run_mysql(address, sql, &mut lines).await,
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        lines.lines
    }
}

struct Lines<'a> {
    separator: &'a str,
    lines: Vec<String>,
}

impl query::Rows for Lines<'_> {
    fn columns(&mut self, _: Vec<String>) -> std::io::Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: Vec<Cell>) -> std::io::Result<()> {
        let cells = cells.into_iter().map(|cell| match cell {
            Cell::Null => "null".to_owned(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text,
        });
        let line = cells.collect::<Vec<_>>().join(self.separator);
        self.lines.push(line);
        Ok(())
    }
}
