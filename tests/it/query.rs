//! `query` answers, and changes nothing: not the tables, not files, not the server's settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use headwater_store::query::{Cell, Limits, QueryError};
use rstest::rstest;

use crate::lake::{Answer, headwater, stdout};
use headwater::config::DatabaseAddress;
use headwater_testing::{On, TestDatabase};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

/// A database with one board, and a folder with a configuration for it.
struct Place {
    on: On,
    folder: tempfile::TempDir,
    database: TestDatabase,
}

impl Place {
    /// None where there is no such server.
    async fn on(on: On) -> Option<Self> {
        let database = TestDatabase::empty(on).await?;
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[database]\nurl = \"{}\"\n", database.address);
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        let place = Self {
            on,
            folder,
            database,
        };
        stdout(&headwater(place.path(), &["migrate"]));
        let address = DatabaseAddress::parse(&place.database.address).unwrap();
        let store = headwater::database::open(&address).await.unwrap();
        let insert = "INSERT INTO boards (id, name) VALUES ('b', 'one')";
        sea_orm::ConnectionTrait::execute_unprepared(store.connection(), insert)
            .await
            .unwrap();
        store.close().await.unwrap();
        Some(place)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn query(&self, sql: &str) -> Output {
        headwater(self.path(), &["query", sql, "--format", "csv"])
    }

    fn boards(&self) -> String {
        stdout(&self.query("SELECT id, name FROM boards"))
    }

    async fn within(&self, sql: &str, limits: &Limits) -> Result<Answer, QueryError> {
        let address = DatabaseAddress::parse(&self.database.address).unwrap();
        let mut answer = Answer::default();
        let done = headwater::database::query_within(&address, sql, &mut answer, limits).await;
        done.map(|()| answer)
    }

    /// A query that takes very long.
    fn endless(&self) -> &'static str {
        match self.on {
            On::Sqlite => {
                "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) \
                 SELECT count(*) FROM t"
            }
            On::Postgres => "SELECT pg_sleep(600)",
            On::MariaDb => "SELECT count(*), sleep(600) FROM boards a, boards b",
        }
    }
}

/// What writes, everywhere and in one dialect.
fn writing(on: On) -> Vec<&'static str> {
    let everywhere = [
        "DELETE FROM boards",
        "UPDATE boards SET name = 'x'",
        "SELECT 1; DELETE FROM boards",
        "DROP TABLE boards",
        "WITH a AS (SELECT 1) DELETE FROM boards",
        "EXPLAIN DELETE FROM boards",
    ];
    let own: &[&str] = match on {
        On::Sqlite => &[
            "VACUUM INTO 'copy.db'",
            "ATTACH 'other.db' AS other",
            "PRAGMA query_only = 0",
            "PRAGMA journal_mode = delete",
            "PRAGMA writable_schema = 1",
            "SELECT load_extension('x')",
            "SELECT writefile('copy.db', 'x')",
            "CREATE TEMP TABLE t (a)",
            "REINDEX",
        ],
        On::Postgres => &[
            "COPY boards TO '/tmp/headwater-copy'",
            "WITH a AS (DELETE FROM boards RETURNING *) SELECT * FROM a",
            "EXPLAIN ANALYZE DELETE FROM boards",
            "EXPLAIN (ANALYZE) DELETE FROM boards",
            "SELECT set_config('transaction_read_only', 'off', false)",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT lo_import('/etc/passwd')",
            "DO $$ BEGIN DELETE FROM boards; END $$",
            "SELECT * INTO copied FROM boards",
            "SELECT query_to_xml('DELETE FROM boards', true, true, '')",
            "BEGIN READ WRITE",
            "SELECT * FROM boards FOR UPDATE",
        ],
        On::MariaDb => &[
            "BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; DELETE FROM boards; END",
            "SELECT 1 INTO OUTFILE '/tmp/headwater-copy'",
            "SELECT load_file('/etc/passwd')",
            "SET SESSION TRANSACTION READ WRITE",
            "SET STATEMENT max_statement_time = 1 FOR DELETE FROM boards",
            "EXECUTE IMMEDIATE 'DELETE FROM boards'",
            "ANALYZE DELETE FROM boards",
            "SELECT 1 /*!50000 INTO OUTFILE '/tmp/headwater-copy' */",
            "SELECT get_lock('x', 1)",
            "SELECT * FROM boards FOR UPDATE",
        ],
    };
    [&everywhere[..], own].concat()
}

/// What analysts write, everywhere and in one dialect.
fn reading(on: On) -> Vec<&'static str> {
    let everywhere = [
        "SELECT count(*) FROM boards;",
        "WITH a AS (SELECT id FROM boards) SELECT id, row_number() OVER (ORDER BY id) FROM a",
        "SELECT 'DELETE FROM boards; --' AS text -- a comment",
        "(SELECT id FROM boards) UNION (SELECT name FROM boards)",
    ];
    let own: &[&str] = match on {
        On::Sqlite => &[
            "SELECT id FROM boards UNION SELECT name FROM boards",
            "PRAGMA table_info(boards)",
            "SELECT name FROM pragma_table_info('boards')",
            "EXPLAIN QUERY PLAN SELECT 1",
            "VALUES (1), (2)",
            "SELECT json_extract('{\"a\": 1}', '$.a'), strftime('%Y', 'now')",
        ],
        On::Postgres => &[
            "SHOW server_version",
            "TABLE boards",
            "VALUES (1), (2)",
            "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM boards",
            "SELECT table_name FROM information_schema.tables WHERE table_name = 'boards'",
            "SELECT '{\"a\": 1}'::jsonb ->> 'a', now() - interval '1 day'",
            "SELECT pg_sleep(0)",
        ],
        On::MariaDb => &[
            "SHOW TABLES",
            "DESCRIBE boards",
            "EXPLAIN SELECT * FROM boards",
            "SHOW FULL COLUMNS FROM boards",
            "SELECT insert('abc', 1, 1, 'x'), replace('a', 'a', 'b')",
        ],
    };
    // SQLite has no brackets around the parts of a union.
    let everywhere = everywhere
        .into_iter()
        .filter(|sql| !(on == On::Sqlite && sql.starts_with('(')));
    everywhere.chain(own.iter().copied()).collect()
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test]
async fn a_query_changes_nothing_and_an_analyst_gets_answers(#[case] on: On) {
    let Some(place) = Place::on(on).await else {
        return;
    };
    for sql in writing(on) {
        let output = place.query(sql);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{sql}: {errors}");
        assert_eq!(place.boards(), "id,name\nb,one\n", "after {sql}");
    }
    for sql in reading(on) {
        let output = place.query(sql);
        assert!(!stdout(&output).is_empty(), "{sql}");
    }
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
    for file in left {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains("copy") && !name.contains("other"), "{name}");
    }
    assert!(!Path::new("/tmp/headwater-copy").exists());
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test]
async fn reads_answer_while_another_process_holds_a_transaction_that_writes(#[case] on: On) {
    let Some(place) = Place::on(on).await else {
        return;
    };
    let address = DatabaseAddress::parse(&place.database.address).unwrap();
    let store = headwater::database::open(&address).await.unwrap();
    let scope = headwater_domain::Scope::new(1, "acme/rocket");
    let now = chrono::DateTime::UNIX_EPOCH;
    store.register(&scope, now).await.unwrap();
    let writing = store.connection().begin().await.unwrap();
    for change in [
        "UPDATE boards SET name = 'two'",
        "DELETE FROM _headwater_scopes",
        "INSERT INTO boards (id, name) VALUES ('c', 'three')",
    ] {
        writing.execute_unprepared(change).await.unwrap();
    }
    let begun = Instant::now();
    assert_eq!(place.boards(), "id,name\nb,one\n");
    let scopes = place.query("SELECT COUNT(*) FROM _headwater_scopes");
    assert!(stdout(&scopes).ends_with("\n1\n"));
    let status = headwater(place.path(), &["status", "--format", "csv"]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    let reads = headwater::database::connect_to_read(&address)
        .await
        .unwrap();
    assert_eq!(reads.scopes().await.unwrap().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(20));
    writing.commit().await.unwrap();
    assert_eq!(place.boards(), "id,name\nb,two\nc,three\n");
    if on != On::Sqlite {
        let refused = reads.register(&scope, now).await.unwrap_err();
        let refused = headwater::exit::chain(&refused);
        assert!(refused.to_lowercase().contains("read"), "{refused}");
    }
    reads.close().await.unwrap();
    store.close().await.unwrap();
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test]
async fn a_query_has_limits_of_time_and_rows(#[case] on: On) {
    let Some(place) = Place::on(on).await else {
        return;
    };
    let short = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let begun = Instant::now();
    let ended = place.within(place.endless(), &short).await.unwrap_err();
    assert!(matches!(ended, QueryError::TooLong(_)), "{ended}");
    assert!(begun.elapsed() < Duration::from_secs(20));

    let few = Limits {
        rows: 2,
        ..Limits::default()
    };
    let three = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3";
    let ended = place.within(three, &few).await.unwrap_err();
    assert!(matches!(ended, QueryError::TooMany(2)), "{ended}");
    let two = place
        .within("SELECT 1 UNION ALL SELECT 2", &few)
        .await
        .unwrap();
    assert_eq!(two.rows.len(), 2);

    let small = Limits {
        bytes: 1 << 20,
        ..Limits::default()
    };
    let large = match on {
        On::Sqlite => "SELECT hex(zeroblob(20000000))",
        _ => "SELECT repeat('x', 2000000)",
    };
    let ended = place.within(large, &small).await.unwrap_err();
    assert!(
        matches!(ended, QueryError::TooLarge(_) | QueryError::Refused(_)),
        "{ended}"
    );
    let sum = place.within("SELECT 1 + 1", &small).await.unwrap();
    assert_eq!(sum.rows, [[Cell::Integer(2)]]);
}

#[cfg(unix)]
#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test]
async fn ctrl_c_ends_the_query_on_the_server_too(#[case] on: On) {
    let Some(place) = Place::on(on).await else {
        return;
    };
    let mut child = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_headwater")))
        .args(["query", place.endless()])
        .current_dir(place.path())
        .env_remove("HEADWATER_CONFIG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let running = match on {
        On::Sqlite => None,
        On::Postgres => Some(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = \
             current_database() AND query LIKE 'SELECT pg_sleep%'",
        ),
        On::MariaDb => Some(
            "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND info \
             LIKE 'SELECT count(*), sleep%'",
        ),
    };
    let count = async |expected| {
        let Some(sql) = running else { return };
        for _ in 0..500 {
            let answer = place.within(sql, &Limits::default()).await.unwrap();
            if answer.rows == [[Cell::Integer(expected)]] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{sql} never gave {expected}");
    };
    if on == On::Sqlite {
        // Nothing outside shows that it has begun.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    count(1).await;
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    count(0).await;
}
