//! A migrated database of a test's own, with ways to look past the store.

use chrono::{DateTime, Utc};
use headwater_domain::{Origin, Row, Rows, Scope, Table};
use headwater_store::query::{self, Cell};
use headwater_store::raw::NewItem;
use headwater_store::{Changes, Owner, Page, Replacement, Store};
use sea_orm::ConnectionTrait;
use tokio::sync::OnceCell;

use crate::test_database::{On, TestDatabase};

/// The raw table that rows of these tests come from.
pub(crate) const RAW: &str = "_raw_bitbucket_api_pull_requests";

/// A migrated database as a file, made once.
static EMPTY: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn migrated() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    headwater_migrations::up(store.connection()).await.unwrap();
    store.close().await.unwrap();
    std::fs::read(path).unwrap()
}

/// A store that is gone with its database.
pub(crate) struct TempStore {
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
}

impl std::ops::Deref for TempStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TempStore {
    /// A migrated database that knows both scopes.
    pub(crate) async fn new() -> Self {
        Self::on(On::Sqlite).await.unwrap()
    }

    /// The same on another database; none where tests have no such server.
    pub(crate) async fn on(on: On) -> Option<Self> {
        // Boxed: these futures are large, and so would be every test.
        let database = Box::pin(TestDatabase::new(on)).await?;
        let migrated = EMPTY.get_or_init(|| Box::pin(migrated()));
        if let Some(path) = database.address.strip_prefix("sqlite:") {
            std::fs::write(path, migrated.await).unwrap();
        }
        let store = Box::pin(database.on.open(&database.address)).await;
        Box::pin(headwater_migrations::up(store.connection()))
            .await
            .unwrap();
        for scope in [rocket(), moon()] {
            store.register(&scope, second(0)).await.unwrap();
        }
        Some(Self { store, database })
    }

    /// The same database opened once more, as by another process.
    pub(crate) async fn opened_again(&self) -> Store {
        self.database.on.open(&self.database.address).await
    }

    /// A page of the first scope at a second.
    pub(crate) async fn page(&self, at: i64) -> Page<'_> {
        self.store.begin(&rocket(), second(at)).await.unwrap()
    }

    /// Makes the rows of some raw rows be these, in a page of its own.
    pub(crate) async fn replace<R: Row>(
        &self,
        at: i64,
        ids: &[i64],
        rows: Vec<(i64, R)>,
    ) -> Changes {
        let mut page = self.page(at).await;
        let changes = page.replace(of_raw_rows(ids, rows)).await.unwrap();
        page.commit().await.unwrap();
        changes
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn execute(&self, sql: &str) {
        let done = self.store.connection().execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Rows of a query, cells joined by ` | `.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let sql = &dialect(self.database.on, sql);
        let mut lines = Lines(Vec::new());
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
        lines.0
    }

    /// Writes items into [`RAW`] as a collector would, in a page of its own.
    pub(crate) async fn collect(&self, at: i64, items: Vec<NewItem>) {
        let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
        let known = self.stored_items(&rocket(), RAW, &keys).await.unwrap();
        let mut page = self.page(at).await;
        page.write_items(RAW, items, &known, None).await.unwrap();
        page.commit().await.unwrap();
    }
}

struct Lines(Vec<String>);

impl query::Rows for Lines {
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
        self.0.push(cells.collect::<Vec<_>>().join(" | "));
        Ok(())
    }
}

/// A query with the two functions of these tests as the database has them: `seconds_of(time)`
/// and `text_of(bytes)`.
fn dialect(on: On, sql: &str) -> String {
    let (seconds, text) = match on {
        On::Sqlite => (["substr(", ", 18, 2)"], ["CAST(", " AS TEXT)"]),
        On::Postgres => (["to_char(", ", 'SS')"], ["convert_from(", ", 'UTF8')"]),
        On::MariaDb => (["date_format(", ", '%s')"], ["CAST(", " AS CHAR)"]),
    };
    let mut written = sql.to_owned();
    for (function, [before, after]) in [("seconds_of(", seconds), ("text_of(", text)] {
        while let Some((left, rest)) = written.split_once(function) {
            let (argument, right) = rest.split_once(')').unwrap();
            written = format!("{left}{before}{argument}{after}{right}");
        }
    }
    written
}

/// Names and types of a table's columns.
pub(crate) fn columns_of(on: On, table: &str) -> String {
    if on == On::Sqlite {
        return format!("SELECT name, type FROM pragma_table_info('{table}')");
    }
    let schema = match on {
        On::MariaDb => "DATABASE()",
        _ => "current_schema()",
    };
    format!(
        "SELECT column_name, data_type FROM information_schema.columns \
         WHERE table_schema = {schema} AND table_name = '{table}' ORDER BY ordinal_position"
    )
}

/// The first scope.
pub(crate) fn rocket() -> Scope {
    Scope::new(1, "acme/rocket")
}

/// Another scope.
pub(crate) fn moon() -> Scope {
    Scope::new(1, "acme/moon")
}

/// A time that tells its second.
pub(crate) fn second(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

/// All rows made of some raw rows.
pub(crate) fn of_raw_rows<R: Row>(ids: &[i64], rows: Vec<(i64, R)>) -> Replacement {
    let owner = Owner::RawRows {
        table: RAW.to_owned(),
        ids: ids.to_vec(),
    };
    replacement(owner, rows)
}

/// Rows, each with the raw row it was made of, as a replacement of all rows of an owner.
pub(crate) fn replacement<R: Row>(owner: Owner, rows: Vec<(i64, R)>) -> Replacement {
    let mut made = Rows::default();
    for (id, row) in rows {
        made.from_origin(Origin {
            params: rocket().params(),
            table: RAW.to_owned(),
            id,
        });
        made.push(row);
    }
    let table: &'static Table = R::table();
    Replacement {
        table,
        owner,
        rows: made.take(table),
        first: false,
    }
}

/// An item whose hash is its content.
pub(crate) fn item(parent: &str, key: &str, data: &str) -> NewItem {
    NewItem {
        parent: parent.to_owned(),
        key: key.to_owned(),
        data: data.as_bytes().to_vec(),
        content_hash: data.to_owned(),
        url: "https://api/list".to_owned(),
        input: "null".to_owned(),
        child_counts: format!("comment_count={}", data.len()),
    }
}
