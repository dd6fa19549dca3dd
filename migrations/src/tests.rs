use std::fmt::Write as _;

use insta::assert_snapshot;
use sea_orm_migration::sea_orm::{Database, Statement};
use tempfile::TempDir;

use super::*;

/// An empty database that is gone with its folder.
struct Empty {
    db: DatabaseConnection,
    // Removed when dropped.
    _folder: TempDir,
}

impl Empty {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.db");
        let url = format!("sqlite://{}?mode=rwc", path.display());
        Self {
            db: Database::connect(url).await.unwrap(),
            _folder: folder,
        }
    }

    /// First column of a query, as text.
    async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    /// Every statement that made the schema, but for what remembers the changes.
    async fn schema(&self) -> Vec<String> {
        let own = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL \
                   AND tbl_name NOT IN ('seaql_migrations', 'sqlite_sequence') ORDER BY name";
        self.texts(own).await
    }
}

#[test]
fn the_names_of_all_changes_are_unique_and_in_order() {
    let names: Vec<&str> = changes().iter().map(|change| change.name).collect();
    assert!(
        names.is_sorted_by(|before, after| before < after),
        "{names:?}"
    );
    for (number, name) in (1..).zip(&names) {
        let parts: Vec<&str> = name.splitn(3, '_').collect();
        assert_eq!(parts.len(), 3, "{name}");
        let day = parts[0].strip_prefix('m').unwrap();
        assert!(
            day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()),
            "{name}"
        );
        assert_eq!(parts[1], format!("{number:06}"), "{name}");
    }
    assert_eq!(names[0], BOOKKEEPING.as_str());
}

#[test]
fn no_table_is_made_twice() {
    let mut tables: Vec<String> = changes()
        .iter()
        .flat_map(|change| change.statements(DbBackend::Sqlite))
        .filter(|statement| statement.starts_with("CREATE TABLE"))
        .map(|statement| statement.split('"').nth(1).unwrap().to_owned())
        .collect();
    let made = tables.len();
    tables.sort();
    tables.dedup();
    assert_eq!(tables.len(), made);
}

#[test]
fn every_name_fits_the_shortest_limit_of_all_databases() {
    // PostgreSQL cuts names after 63 bytes without a word, so two could become one; MySQL refuses
    // names of more than 64.
    let changes = changes();
    let statements = changes
        .iter()
        .flat_map(|change| change.statements(DbBackend::Postgres));
    let statements: Vec<String> = statements.collect();
    let names = statements
        .iter()
        .flat_map(|text| text.split('"').skip(1).step_by(2));
    let long: Vec<&str> = names.filter(|name| name.len() > 63).collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// Names between backticks, each with what follows it.
fn quoted(statement: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = statement.split('`').collect();
    parts[1..]
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

#[test]
fn every_key_and_index_is_short_enough_for_mysql() {
    for table in changes().iter().flat_map(|change| (change.tables)()) {
        let statements = table.statements(DbBackend::MySql);
        let columns = quoted(&statements[0]);
        let bytes = |name: &str| -> u32 {
            let (_, rest) = columns.iter().find(|(column, _)| *column == name).unwrap();
            let length = rest
                .strip_prefix(" varchar(")
                .and_then(|rest| rest.split(')').next());
            // Four bytes for the longest character of utf8mb4.
            length.map_or(8, |length| 4 * length.parse::<u32>().unwrap())
        };
        let key = statements[0]
            .split_once("PRIMARY KEY (")
            .map(|(_, names)| names);
        let indexes = statements[1..]
            .iter()
            .filter_map(|index| index.split_once(" ("))
            .map(|(_, names)| names);
        for names in indexes.chain(key) {
            let total: u32 = quoted(names).iter().map(|(name, _)| bytes(name)).sum();
            assert!(
                total <= 3072,
                "{total} bytes in {names} of {}",
                statements[0]
            );
        }
    }
}

#[test]
fn every_statement_can_be_repeated() {
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        for statement in changes()
            .iter()
            .flat_map(|change| change.statements(backend))
        {
            assert!(
                statement.contains("IF NOT EXISTS"),
                "{backend:?}: {statement}"
            );
        }
    }
}

#[test]
fn a_raw_a_tool_and_a_domain_table_are_made_alike_on_every_database() {
    let tables = [
        NewTable::raw("_raw_bitbucket_api_branches"),
        NewTable::new("_tool_bitbucket_branches")
            .key_number("connection_id")
            .key("name", 255)
            .flag("is_main")
            .text("description")
            .tool(),
        NewTable::new("branches")
            .key("id", 255)
            .time("created_date")
            .domain(),
        NewTable::new("_headwater_runs")
            .serial("id")
            .varchar("state", 20),
    ];
    let mut text = String::new();
    for backend in [DbBackend::Sqlite, DbBackend::Postgres, DbBackend::MySql] {
        writeln!(text, "{backend:?}").unwrap();
        for statement in tables.iter().flat_map(|table| table.statements(backend)) {
            writeln!(text, "{statement};").unwrap();
        }
    }
    assert_snapshot!(text);
}

#[tokio::test]
async fn applying_all_changes_twice_changes_nothing() {
    let empty = Empty::new().await;
    assert_eq!(up(&empty.db).await.unwrap(), changes().len());
    let schema = empty.schema().await;
    assert!(schema.len() > 40, "{schema:#?}");
    assert_eq!(up(&empty.db).await.unwrap(), 0);
    assert_eq!(empty.schema().await, schema);
    let applied = status(&empty.db).await.unwrap();
    assert!(applied.iter().all(|change| change.applied));
}

#[tokio::test]
async fn looking_at_an_empty_database_writes_nothing() {
    let empty = Empty::new().await;
    let found = status(&empty.db).await.unwrap();
    assert!(found.iter().all(|change| !change.applied));
    let pending = pending_statements(&empty.db).await.unwrap();
    assert!(
        pending[0].starts_with("CREATE TABLE IF NOT EXISTS"),
        "{}",
        pending[0]
    );
    let everything = empty.texts("SELECT name FROM sqlite_master").await;
    assert!(everything.is_empty(), "{everything:?}");
    up(&empty.db).await.unwrap();
    assert!(pending_statements(&empty.db).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_change_that_was_killed_after_any_statement_runs_again() {
    let whole = Empty::new().await;
    up(&whole.db).await.unwrap();
    let schema = whole.schema().await;
    let statements = pending_statements(&Empty::new().await.db).await.unwrap();
    for done in [1, 2, statements.len() / 2, statements.len()] {
        let halfway = Empty::new().await;
        for statement in &statements[..done] {
            halfway.db.execute_unprepared(statement).await.unwrap();
        }
        assert_eq!(up(&halfway.db).await.unwrap(), changes().len());
        assert_eq!(halfway.schema().await, schema, "after {done} statements");
    }
}

#[tokio::test]
async fn rows_outlive_a_change_that_runs_again() {
    let empty = Empty::new().await;
    up(&empty.db).await.unwrap();
    for sql in [
        "INSERT INTO repos (id) VALUES ('a')",
        "DELETE FROM seaql_migrations",
    ] {
        empty.db.execute_unprepared(sql).await.unwrap();
    }
    assert_eq!(up(&empty.db).await.unwrap(), changes().len());
    assert_eq!(empty.texts("SELECT id FROM repos").await, ["a"]);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_a_sentence() {
    let empty = Empty::new().await;
    up(&empty.db).await.unwrap();
    let newer = "INSERT INTO seaql_migrations VALUES ('m20990101_000099_from_the_future', 0)";
    empty.db.execute_unprepared(newer).await.unwrap();
    let refused = up(&empty.db).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the database has the change `m20990101_000099_from_the_future`, which this version of \
         headwater does not know; use the version that wrote it, or a newer one"
    );
    assert!(status(&empty.db).await.is_err());
    assert!(pending_statements(&empty.db).await.is_err());
}

#[tokio::test]
async fn every_table_ends_with_the_columns_of_its_layer() {
    let empty = Empty::new().await;
    up(&empty.db).await.unwrap();
    let origin = [
        "_raw_data_params",
        "_raw_data_table",
        "_raw_data_id",
        "_raw_data_remark",
    ];
    for table in empty
        .texts("SELECT name FROM sqlite_master WHERE type = 'table'")
        .await
    {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = empty.texts(&sql).await;
        let has = |name: &&str| columns.iter().any(|column| column == name);
        if table.starts_with("_raw_") {
            assert_eq!(columns[0], "id", "{table}");
            assert!(
                ["params", "data", "url", "input", "created_at"]
                    .iter()
                    .all(has),
                "{table}"
            );
        } else if table.starts_with("_tool_") {
            assert!(origin.iter().all(has) && has(&"changed_seq"), "{table}");
        } else if !table.starts_with("_headwater_") && !table.starts_with('s') {
            assert!(origin.iter().all(has) && !has(&"changed_seq"), "{table}");
        }
    }
}
