//! A migrated database of a test's own, with ways to look past the store.

use chrono::{DateTime, Utc};
use headwater_domain::{Origin, Row, Rows, Scope, Table};
use headwater_store::raw::NewItem;
use headwater_store::{Changes, Owner, Replacement, Transaction};
use headwater_testing::{On, TestStore};

/// The raw table that rows of these tests come from.
pub(crate) const RAW: &str = "_raw_bitbucket_api_pull_requests";

/// A store that is gone with its database, and knows both scopes.
pub(crate) struct TempStore(TestStore);

impl std::ops::Deref for TempStore {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.0
    }
}

impl TempStore {
    pub(crate) async fn new() -> Self {
        Self::on(On::Sqlite).await.unwrap()
    }

    /// The same on another database; none where tests have no such server.
    pub(crate) async fn on(on: On) -> Option<Self> {
        let made = Box::pin(TestStore::on(on)).await?;
        for scope in [rocket(), moon()] {
            made.register(&scope, second(0)).await.unwrap();
        }
        Some(Self(made))
    }

    /// A page of the first scope at a second.
    pub(crate) async fn page(&self, at: i64) -> Transaction<'_> {
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

    /// Rows of a query, cells joined by ` | `.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        self.0.rows(&dialect(self.database.on, sql), " | ").await
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

/// A time that names its second.
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
