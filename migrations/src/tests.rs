use std::fmt::Write as _;

use insta::assert_snapshot;
use rstest::rstest;
use sea_orm_migration::sea_orm::{Database, Statement};
use tempfile::TempDir;

use super::*;
use On::{MariaDb, Postgres, Sqlite};

/// Where a test runs. The servers are used when `HEADWATER_TEST_POSTGRES` and
/// `HEADWATER_TEST_MARIADB` hold the address of a database on which the user may create others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Sqlite,
    Postgres,
    MariaDb,
}

/// An empty database that is gone with its folder, or when the test ends well.
struct Empty {
    on: On,
    db: DatabaseConnection,
    // Removed when dropped.
    _folder: TempDir,
}

impl Empty {
    async fn new() -> Self {
        Self::on(Sqlite).await.unwrap()
    }

    /// None where tests have no such server.
    async fn on(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match on {
            Sqlite => {
                let path = folder.path().join("empty.db");
                format!("sqlite://{}?mode=rwc", path.display())
            }
            Postgres => Self::created("HEADWATER_TEST_POSTGRES").await?,
            MariaDb => Self::created("HEADWATER_TEST_MARIADB").await?,
        };
        Some(Self {
            on,
            db: Database::connect(url).await.unwrap(),
            _folder: folder,
        })
    }

    /// Address of a new database on the server that the variable names.
    async fn created(variable: &str) -> Option<String> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(variable) else {
            println!("skipped: {variable} is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("headwater_migrations_{}_{number}", std::process::id());
        let db = Database::connect(&server).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        db.execute_unprepared(&create).await.unwrap();
        let (before, _) = server.rsplit_once('/').unwrap();
        Some(format!("{before}/{name}"))
    }

    /// First column of a query, as text.
    async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    /// The schema as text, but for what remembers the changes.
    async fn schema(&self) -> Vec<String> {
        let tables = match self.on {
            Sqlite => {
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL \
                 AND tbl_name NOT IN ('seaql_migrations', 'sqlite_sequence') ORDER BY name"
            }
            Postgres => {
                "SELECT concat_ws(' ', table_name, column_name, data_type, \
                 character_maximum_length, collation_name, is_nullable)::text \
                 FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name <> 'seaql_migrations' UNION ALL \
                 SELECT indexdef::text FROM pg_indexes WHERE schemaname = 'public' \
                 AND tablename <> 'seaql_migrations' ORDER BY 1"
            }
            MariaDb => {
                "SELECT CONCAT_WS(' ', table_name, column_name, column_type, collation_name, \
                 is_nullable) FROM information_schema.columns WHERE table_schema = DATABASE() \
                 AND table_name <> 'seaql_migrations' UNION ALL \
                 SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, \
                 non_unique) FROM information_schema.statistics WHERE table_schema = DATABASE() \
                 AND table_name <> 'seaql_migrations' ORDER BY 1"
            }
        };
        self.texts(tables).await
    }

    /// Removes a database that a server would keep.
    async fn drop(self) {
        let name = match self.on {
            Sqlite => return,
            Postgres => self.texts("SELECT current_database()::text").await,
            MariaDb => self.texts("SELECT DATABASE()").await,
        };
        let (variable, force) = match self.on {
            Postgres => ("HEADWATER_TEST_POSTGRES", " WITH (FORCE)"),
            _ => ("HEADWATER_TEST_MARIADB", ""),
        };
        self.db.close().await.unwrap();
        let server = std::env::var(variable).unwrap();
        let db = Database::connect(&server).await.unwrap();
        let drop = format!("DROP DATABASE {}{force}", name[0]);
        db.execute_unprepared(&drop).await.unwrap();
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
        // Numbers may be left out: several people took theirs at once.
        let given: usize = parts[1].parse().unwrap();
        assert!(parts[1].len() == 6 && given >= number, "{name}");
    }
    assert_eq!(names[0], BOOKKEEPING.as_str());
}

#[test]
fn no_table_is_made_twice() {
    let mut tables: Vec<String> = changes()
        .iter()
        .flat_map(|change| change.statements(Dialect::Sqlite))
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
        .flat_map(|change| change.statements(Dialect::Postgres));
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
        let statements = table.statements(Dialect::MariaDb);
        if statements.is_empty() {
            // A change that only files follow.
            continue;
        }
        let columns = quoted(&statements[0]);
        let bytes = |name: &str| -> u32 {
            let (_, rest) = columns.iter().find(|(column, _)| *column == name).unwrap();
            let length = rest
                .strip_prefix(" varchar(")
                .and_then(|rest| rest.split(')').next());
            // Four bytes for the longest character of utf8mb4.
            length.map_or(8, |length| 4 * length.parse::<u32>().unwrap())
        };
        // `PRIMARY KEY (..)`, `UNIQUE KEY name (..)`, `KEY name (..)`.
        let keys = statements[0].split("KEY ").skip(1);
        for names in keys.filter_map(|key| key.split(['(', ')']).nth(1)) {
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
    for backend in Dialect::ALL {
        for statement in changes()
            .iter()
            .flat_map(|change| change.statements(backend))
        {
            // Whether a further column or index is there is looked up before it is added.
            let is_looked_up = ["ALTER TABLE", "CREATE INDEX"]
                .iter()
                .any(|text| statement.starts_with(text));
            assert!(
                is_looked_up
                    || statement.starts_with("CREATE OR REPLACE")
                    || sets_constants(&statement)
                    || replaces_texts(&statement)
                    || statement.starts_with("PRAGMA writable_schema")
                    || statement.contains("IF NOT EXISTS")
                    || statement.contains("IF EXISTS"),
                "{backend:?}: {statement}"
            );
        }
    }
}

/// True for an `UPDATE` of all rows that sets columns to texts, whatever was in them.
fn sets_constants(statement: &str) -> bool {
    let Some((_, columns)) = statement.split_once(" SET ") else {
        return false;
    };
    statement.starts_with("UPDATE ")
        && columns.split(", ").all(|column| {
            let value = column.split_once(" = ").map_or("", |(_, value)| value);
            value.len() > 1 && value.starts_with('\'') && value.ends_with('\'')
        })
}

/// True for an `UPDATE` that replaces a text by one which does not contain it.
fn replaces_texts(statement: &str) -> bool {
    statement.starts_with("UPDATE ")
        && statement.split(" = ").skip(1).all(|value| {
            let parts: Vec<&str> = value.split('\'').collect();
            !value.starts_with("replace(") || !parts[3].contains(parts[1])
        })
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
    for backend in Dialect::ALL {
        writeln!(text, "{backend:?}").unwrap();
        for statement in tables.iter().flat_map(|table| table.statements(backend)) {
            writeln!(text, "{statement};").unwrap();
        }
    }
    assert_snapshot!(text);
}

#[rstest]
#[tokio::test]
async fn applying_all_changes_twice_changes_nothing(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    assert_eq!(up(&empty.db).await.unwrap(), changes().len());
    let schema = empty.schema().await;
    assert!(schema.len() > 40, "{schema:#?}");
    assert_eq!(up(&empty.db).await.unwrap(), 0);
    assert_eq!(empty.schema().await, schema);
    let applied = status(&empty.db).await.unwrap();
    assert!(applied.iter().all(|change| change.applied));
    empty.drop().await;
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

#[rstest]
#[tokio::test]
async fn a_change_that_was_killed_after_any_statement_runs_again(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(whole) = Empty::on(on).await else {
        return;
    };
    up(&whole.db).await.unwrap();
    let schema = whole.schema().await;
    let dialect = dialect(&whole.db).await.unwrap();
    let changes = changes().into_iter();
    let changes: Vec<_> = changes.map(|change| change.statements(dialect)).collect();
    // Every statement on SQLite; on a server, where a database costs more, parts of each change.
    let longest = changes.iter().map(Vec::len).max().unwrap();
    let kills = if on == Sqlite { longest } else { 5 };
    for kill in 1..=kills {
        let killed = Empty::on(on).await.unwrap();
        for statements in &changes {
            let done = (statements.len() * kill).div_ceil(kills);
            for statement in &statements[..done] {
                killed.db.execute_unprepared(statement).await.unwrap();
            }
            Migrator::up(&killed.db, Some(1)).await.unwrap();
        }
        assert_eq!(up(&killed.db).await.unwrap(), 0);
        assert_eq!(killed.schema().await, schema, "kill {kill} of {kills}");
        killed.drop().await;
    }
    whole.drop().await;
}

#[rstest]
#[tokio::test]
async fn two_programs_that_bring_an_empty_database_up_to_date_at_once_both_succeed(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    let (one, other) = futures::join!(up(&empty.db), up(&empty.db));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert!(status(&empty.db).await.unwrap().iter().all(|c| c.applied));
    empty.drop().await;
}

#[rstest]
#[tokio::test]
async fn keys_compare_by_their_bytes(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    up(&empty.db).await.unwrap();
    let keys = ["Z", "a", "a ", "ä", "\u{e000}", "\u{1f680}"];
    for key in keys {
        let sql = format!("INSERT INTO repos (id) VALUES ('{key}')");
        empty.db.execute_unprepared(&sql).await.unwrap();
    }
    assert_eq!(empty.texts("SELECT id FROM repos ORDER BY id").await, keys);
    let found = empty.texts("SELECT id FROM repos WHERE id = 'a'").await;
    assert_eq!(found, ["a"]);
    empty.drop().await;
}

#[rstest]
#[tokio::test]
async fn rows_outlive_a_change_that_runs_again(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    up(&empty.db).await.unwrap();
    for sql in [
        "INSERT INTO repos (id) VALUES ('a')",
        "DELETE FROM seaql_migrations",
    ] {
        empty.db.execute_unprepared(sql).await.unwrap();
    }
    assert_eq!(up(&empty.db).await.unwrap(), changes().len());
    assert_eq!(empty.texts("SELECT id FROM repos").await, ["a"]);
    empty.drop().await;
}

#[rstest]
#[tokio::test]
async fn a_later_change_replaces_a_view_by_one_with_other_columns(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    up(&empty.db).await.unwrap();
    let insert = "INSERT INTO repos (id, name) VALUES ('a', 'b')";
    empty.db.execute_unprepared(insert).await.unwrap();
    let dialect = dialect(&empty.db).await.unwrap();
    let queries = ["SELECT id AS one FROM repos", "SELECT name FROM repos"];
    for (query, expected) in queries.iter().zip(["a", "b"]) {
        let view = NewTable::view("v_incidents", |_| (*query).to_owned());
        for statement in view.statements(dialect) {
            empty.db.execute_unprepared(&statement).await.unwrap();
        }
        // Another text each time: PostgreSQL refuses a prepared one whose columns changed.
        let sql = format!("SELECT * FROM v_incidents WHERE '{expected}' <> ''");
        assert_eq!(empty.texts(&sql).await, [expected]);
    }
    empty.drop().await;
}

#[rstest]
#[tokio::test]
async fn where_times_were_lost_every_step_reads_its_input_once_more(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    up(&empty.db).await.unwrap();
    for sql in [
        "INSERT INTO _headwater_checkpoints (params, step, seq, row_id, rules) \
         VALUES ('p', 'extract:commits', 7, 0, '1')",
        "INSERT INTO _headwater_git (params, generation, done_as, doing_as, identity) \
         VALUES ('p', 1, '1', '1', 'i')",
        &format!(
            "DELETE FROM seaql_migrations WHERE version = '{}'",
            TIMES_READ_AGAIN.as_str()
        ),
    ] {
        empty.db.execute_unprepared(sql).await.unwrap();
    }
    up(&empty.db).await.unwrap();
    let rules = empty
        .texts("SELECT rules FROM _headwater_checkpoints WHERE seq = 7")
        .await;
    let done = empty.texts("SELECT done_as FROM _headwater_git").await;
    if on == MariaDb {
        assert_eq!((rules[0].as_str(), done[0].as_str()), ("stale", ""));
    } else {
        assert_eq!((rules[0].as_str(), done[0].as_str()), ("1", "1"));
    }
    empty.drop().await;
}

/// All changes before the one that declares times, and a time in each place that matters: of a
/// row, of a key, and of a raw row behind its payload.
async fn before_times_were_declared() -> Empty {
    let empty = Empty::new().await;
    let before = changes()
        .iter()
        .position(|it| it.name == TIMES_DECLARED.as_str());
    let before: u32 = before.unwrap().try_into().unwrap();
    Migrator::up(&empty.db, Some(before)).await.unwrap();
    for sql in [
        "INSERT INTO repos (id, name, created_date, deleted) \
         VALUES ('a', 'The T', '2024-02-29T23:59:59.999+00:00', 0), ('b', 'T', NULL, 0)",
        "INSERT INTO _raw_bitbucket_api_commits \
         (params, data, created_at, parent, item_key, changed_seq, seen_walk) \
         VALUES ('p', '{\"date\": \"2024-02-29T23:59:59Z\"}', '1999-12-31T00:00:00.000+00:00', \
         '', 'k', 1, 1)",
    ] {
        empty.db.execute_unprepared(sql).await.unwrap();
    }
    empty
}

#[tokio::test]
async fn an_older_file_has_its_times_declared_and_written_as_sqlite_writes_them() {
    let old = before_times_were_declared().await;
    up(&old.db).await.unwrap();
    let fresh = Empty::new().await;
    up(&fresh.db).await.unwrap();
    let of_columns = "SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_master AS m \
                      JOIN pragma_table_info(m.name) AS c ORDER BY 1";
    let columns = old.texts(of_columns).await;
    assert_eq!(columns, fresh.texts(of_columns).await);
    for declared in [
        "repos.created_date timestamp",
        "_raw_bitbucket_api_commits.created_at timestamp",
        // Added by a later change than the table.
        "project_recoveries.recovered_date timestamp",
        "v_pull_request_cycle.merged_date timestamp",
        "repos.id varchar(255)",
    ] {
        assert!(
            columns.iter().any(|column| column == declared),
            "{declared}"
        );
    }
    let as_text = |column: &&String| {
        let name = column.split(' ').next().unwrap_or_default();
        (name.ends_with("_date") || name.ends_with("_at")) && column.ends_with(" TEXT")
    };
    // Where a walk goes on is an address.
    let as_text: Vec<&String> = columns.iter().filter(as_text).collect();
    assert_eq!(as_text, ["_headwater_walks.resume_at TEXT"]);
    let repos = "SELECT id || ' ' || name || ' ' || COALESCE(created_date, 'none') FROM repos \
                 WHERE created_date IS NULL OR created_date < datetime('2024-03-01') ORDER BY id";
    let expected = ["a The T 2024-02-29 23:59:59.999+00:00", "b T none"];
    assert_eq!(old.texts(repos).await, expected);
    let raw = "SELECT CAST(data AS text) || ' ' || created_at FROM _raw_bitbucket_api_commits";
    let expected = r#"{"date": "2024-02-29T23:59:59Z"} 1999-12-31 00:00:00.000+00:00"#;
    assert_eq!(old.texts(raw).await, [expected]);
    assert_eq!(old.texts("PRAGMA integrity_check").await, ["ok"]);
    let forbidden = old
        .db
        .execute_unprepared("UPDATE sqlite_master SET sql = sql");
    assert!(
        forbidden.await.is_err(),
        "the schema can be written as if it were a table"
    );
}

#[tokio::test]
async fn times_are_declared_wholly_or_not_at_all() {
    use sea_orm_migration::sea_orm::TransactionTrait as _;
    let old = before_times_were_declared().await;
    let schema = old.schema().await;
    let change = changes()
        .into_iter()
        .find(|it| it.name == TIMES_DECLARED.as_str());
    let change = change.unwrap();
    assert_eq!(change.use_transaction(), Some(true));
    let statements = change.statements(Dialect::Sqlite);
    for kill in [
        1,
        statements.len() / 2,
        statements.len() - 3,
        statements.len(),
    ] {
        let transaction = old.db.begin().await.unwrap();
        for statement in &statements[..kill] {
            transaction.execute_unprepared(statement).await.unwrap();
        }
        transaction.rollback().await.unwrap();
        assert_eq!(old.schema().await, schema, "after {kill} statements");
        let written = old
            .texts("SELECT created_date FROM repos WHERE id = 'a'")
            .await;
        assert_eq!(
            written,
            ["2024-02-29T23:59:59.999+00:00"],
            "after {kill} statements"
        );
    }
    up(&old.db).await.unwrap();
    assert_ne!(old.schema().await, schema);
    assert_eq!(old.texts("PRAGMA integrity_check").await, ["ok"]);
}

#[test]
fn a_table_of_a_later_change_declares_its_times() {
    let table = NewTable::new("later").time("at").with_declared_times();
    let statements = table.statements(Dialect::Sqlite);
    assert_eq!(
        statements,
        [r#"CREATE TABLE IF NOT EXISTS "later" ( "at" timestamp )"#]
    );
    let elsewhere = NewTable::new("later").time("at");
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::MariaDb] {
        assert_eq!(table.statements(dialect), elsewhere.statements(dialect));
    }
}

#[rstest]
#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_a_sentence(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(empty) = Empty::on(on).await else {
        return;
    };
    up(&empty.db).await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000099_from_the_future', 0)";
    empty.db.execute_unprepared(newer).await.unwrap();
    let refused = up(&empty.db).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the database has the change `m20990101_000099_from_the_future`, which this version of \
         headwater does not know; use the version that wrote it, or a newer one"
    );
    assert!(status(&empty.db).await.is_err());
    assert!(pending_statements(&empty.db).await.is_err());
    empty.drop().await;
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
