//! Migrated databases to copy: migrating takes a hundred times as long as copying.
//!
//! A template is named after a hash of the statements that make it, so that tests of two versions
//! can run at the same time, and later runs find it: a file in the temporary folder for SQLite and
//! MariaDB, a database named `headwater_template_…` for PostgreSQL. It gets its name when it is
//! complete. Of two processes that make one at the same time, the later one finds it made.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use headwater_store::Store;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};
use tokio::sync::OnceCell;

use crate::database::{On, beside};

/// Writes a migrated SQLite database without a row to a new file.
pub async fn migrated_sqlite(path: &Path) {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(|| Box::pin(sqlite())).await;
    std::fs::write(path, template).unwrap();
}

async fn sqlite() -> Vec<u8> {
    let memory = Store::open_in_memory().await.unwrap();
    let cached = cached("db", schema_hash(memory.connection(), "").await);
    if let Ok(template) = std::fs::read(&cached) {
        return template;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    migrate(&store).await;
    store.close().await.unwrap();
    let template = std::fs::read(path).unwrap();
    keep(&cached, &template);
    template
}

/// The statements that make all tables of a MariaDB database: in one piece, and without looking
/// for what is there already, they take a fraction of the time of the changes one by one.
pub(crate) async fn mariadb(server: &str) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| Box::pin(mariadb_tables(server)))
        .await
}

async fn mariadb_tables(server: &str) -> String {
    let store = On::MariaDb.open(server).await;
    let version = cell(&rows(store.connection(), "SELECT VERSION()").await[0], 0);
    let hash = schema_hash(store.connection(), &version).await;
    let cached = cached("sql", hash);
    if let Ok(template) = std::fs::read_to_string(&cached) {
        return template;
    }
    let name = unfinished(hash);
    run(store.connection(), &format!("CREATE DATABASE {name}")).await;
    let made = On::MariaDb.open(&beside(server, &name)).await;
    migrate(&made).await;
    let template = tables_of(made.connection()).await;
    made.close().await.unwrap();
    run(store.connection(), &format!("DROP DATABASE {name}")).await;
    store.close().await.unwrap();
    keep(&cached, template.as_bytes());
    template
}

/// All tables as statements, with the list of changes that are applied.
async fn tables_of(made: &DatabaseConnection) -> String {
    let mut statements = String::new();
    // Views after the tables that they read.
    let tables = "SELECT table_name FROM information_schema.tables \
                  WHERE table_schema = DATABASE() ORDER BY table_type <> 'BASE TABLE', table_name";
    for table in rows(made, tables).await {
        let table = cell(&table, 0);
        let shown = rows(made, &format!("SHOW CREATE TABLE `{table}`")).await;
        writeln!(statements, "{};", cell(&shown[0], 1)).unwrap();
        let filled = rows(made, &format!("SELECT 1 FROM `{table}` LIMIT 1")).await;
        assert!(
            filled.is_empty() || table == "seaql_migrations",
            "a change writes rows into {table}: the template has to hold them, too"
        );
    }
    for change in rows(made, "SELECT version FROM seaql_migrations").await {
        let version = cell(&change, 0);
        writeln!(
            statements,
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('{version}', 0);"
        )
        .unwrap();
    }
    statements
}

/// Name of the template on a PostgreSQL server.
pub(crate) async fn postgres(server: &str) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| Box::pin(postgres_database(server)))
        .await
}

async fn postgres_database(server: &str) -> String {
    let store = On::Postgres.open(server).await;
    let connection = store.connection();
    let hash = schema_hash(connection, "").await;
    let template = format!("headwater_template_{hash:016x}");
    let there = format!("SELECT 1 FROM pg_database WHERE datname = '{template}'");
    if rows(connection, &there).await.is_empty() {
        let name = unfinished(hash);
        run(connection, &format!("CREATE DATABASE {name}")).await;
        let made = On::Postgres.open(&beside(server, &name)).await;
        migrate(&made).await;
        made.close().await.unwrap();
        // No connection may be open to a template while it is copied, the server's own workers
        // included.
        run(
            connection,
            &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        )
        .await;
        let rename = format!("ALTER DATABASE {name} RENAME TO {template}");
        if connection.execute_unprepared(&rename).await.is_err() {
            run(connection, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            let made = rows(connection, &there).await;
            assert!(
                !made.is_empty(),
                "{rename} failed, and there is no template"
            );
        }
    }
    store.close().await.unwrap();
    template
}

/// Names what the changes do, and the server that does it.
async fn schema_hash(empty: &DatabaseConnection, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    for change in headwater_migrations::status(empty).await.unwrap() {
        assert!(!change.applied, "the server's own database has our tables");
        change.name.hash(&mut hasher);
    }
    let statements = headwater_migrations::pending_statements(empty).await;
    statements.unwrap().hash(&mut hasher);
    hasher.finish()
}

async fn migrate(store: &Store) {
    // Boxed: the future is large, and so would be that of every test.
    Box::pin(headwater_migrations::up(store.connection()))
        .await
        .unwrap();
}

/// A database that is being made; no other process uses the name.
fn unfinished(hash: u64) -> String {
    format!("headwater_template_{hash:016x}_{}", std::process::id())
}

fn cached(ending: &str, hash: u64) -> PathBuf {
    std::env::temp_dir().join(format!("headwater-template-{hash:016x}.{ending}"))
}

/// Whoever reads the file finds all of it, or none. Without it the next process makes its own.
fn keep(cached: &Path, template: &[u8]) {
    let kept = tempfile::NamedTempFile::new().and_then(|file| {
        std::fs::write(file.path(), template)?;
        file.persist(cached).map_err(|error| error.error)
    });
    if let Err(error) = kept {
        println!("{} cannot be written: {error}", cached.display());
    }
}

async fn rows(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let found = connection.query_all_raw(statement).await;
    found.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn cell(row: &QueryResult, column: usize) -> String {
    row.try_get_by_index(column).unwrap()
}

async fn run(connection: &DatabaseConnection, sql: &str) {
    let done = connection.execute_unprepared(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::TestDatabase;
    use On::{MariaDb, Postgres, Sqlite};

    /// Columns and indexes, as the database itself describes them.
    async fn described(on: On, store: &Store) -> Vec<String> {
        let (columns, indexes) = match on {
            Sqlite => (
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
                "SELECT version FROM seaql_migrations ORDER BY version",
            ),
            Postgres => (
                "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, \
                 character_maximum_length, collation_name, column_default)::text \
                 FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
                "SELECT indexdef::text FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            ),
            MariaDb => (
                "SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, column_type, \
                 is_nullable, collation_name, column_default, extra, column_comment) \
                 FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1",
                "SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, \
                 sub_part, non_unique) \
                 FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1",
            ),
        };
        let mut described = Vec::new();
        for sql in [columns, indexes] {
            let rows = rows(store.connection(), sql).await;
            assert!(rows.len() > 20, "{} rows of {sql}", rows.len());
            described.extend(rows.iter().map(|row| cell(row, 0)));
        }
        described
    }

    #[rstest]
    #[tokio::test]
    async fn a_copy_of_the_template_is_a_migrated_database(
        #[values(Sqlite, Postgres, MariaDb)] on: On,
    ) {
        let Some(copied) = TestDatabase::migrated(on).await else {
            return;
        };
        let copy = on.open(&copied.address).await;
        assert_eq!(
            headwater_migrations::up(copy.connection()).await.unwrap(),
            0
        );
        let empty = TestDatabase::empty(on).await.unwrap();
        let migrated = on.open(&empty.address).await;
        migrate(&migrated).await;
        let (copy, migrated) = (described(on, &copy).await, described(on, &migrated).await);
        assert_eq!(copy, migrated);
    }

    #[rstest]
    #[tokio::test]
    async fn copies_share_no_rows(#[values(Sqlite, Postgres, MariaDb)] on: On) {
        let Some(one) = TestDatabase::migrated(on).await else {
            return;
        };
        let other = TestDatabase::migrated(on).await.unwrap();
        let one = on.open(&one.address).await;
        run(one.connection(), "INSERT INTO repos (id) VALUES ('a')").await;
        let other = on.open(&other.address).await;
        for (store, expected) in [(&one, 1), (&other, 0)] {
            let found = rows(store.connection(), "SELECT id FROM repos").await;
            assert_eq!(found.len(), expected);
        }
    }
}
