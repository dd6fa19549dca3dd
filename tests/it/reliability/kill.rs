//! SIGKILL at random points of a real process, most of them while it writes.
//!
//! To know whether it writes, the process is stopped first, and the database is asked whether a
//! transaction with changes is open. So the answer is true at the moment of the kill.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_simulator::{RequestRecord, Simulator};
use headwater_store::Store;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sea_orm::{ConnectionTrait as _, Statement};

use super::installation::{Installation, Running};
use super::worlds::{change, paged};
use super::{is_soak, number};

/// Kills between two syncs that are left alone.
const IN_A_ROW: usize = 3;

/// Changes to the world before a sync that is left alone is followed by kills again.
const CHANGES: usize = 40;

/// What the kills were like.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// While a transaction with changes was open.
    pub(super) writing: u64,
    /// At another time.
    pub(super) between: u64,
    /// Syncs that ended before anybody killed them.
    missed: u64,
    /// Requests of a rerun that the killed runs had made already, by stream: the most.
    repeated: BTreeMap<&'static str, usize>,
}

impl Kills {
    fn count(&self) -> u64 {
        self.writing + self.between
    }
}

/// Kills so many syncs, with syncs that are left alone between, after which the tables must be
/// right. `None` where tests have no such server.
pub(super) async fn kills(on: On, wanted: u64, seed: u64) -> Option<Kills> {
    let simulator = paged(seed).await;
    let installation = Installation::new(on, &simulator).await?;
    // There has to be a database before anybody can ask it.
    let made = installation.run(&["migrate"]).await;
    assert!(made.status.success());
    let eye = Eye::open(&installation).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = Kills::default();
    while kills.count() < wanted {
        for _ in 0..IN_A_ROW {
            let _ = simulator.take_requests();
            kill_once(&installation, &simulator, &eye, &mut random, &mut kills).await;
        }
        let before = simulator.take_requests();
        let done = eye.lists_done().await;
        rerun(&installation).await;
        let after = simulator.take_requests();
        let mut unchanged = eye.lists_done().await;
        unchanged.retain(|path, seq| done.get(path) == Some(seq));
        assert_nothing_stored_is_read_again(&unchanged, &after);
        note_repeated(&before, &after, &mut kills);
        installation.assert_equals_a_first_sync(&simulator).await;
        change(&simulator, &mut random, CHANGES);
        // What no pipeline deployed is looked for once a day.
        installation.a_day_passes().await;
    }
    println!("{on:?}: {kills:?}");
    Some(kills)
}

/// A sync without disturbance: it does not wait until the killed ones' leases run out by
/// themselves, which takes a minute; a busy machine may take its time for everything else.
async fn rerun(installation: &Installation) {
    let began = std::time::Instant::now();
    let done = installation.run(&["sync"]).await;
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let seconds = began.elapsed().as_secs();
    assert!(seconds < 45, "the rerun took {seconds} s\n{said}");
}

/// Starts a sync and kills it, at a request or after a time, mostly while it writes.
async fn kill_once(
    installation: &Installation,
    simulator: &Simulator,
    eye: &Eye,
    random: &mut StdRng,
    kills: &mut Kills,
) {
    let at_request = random.random_bool(0.6).then(|| random.random_range(1..30));
    let after = Duration::from_millis(random.random_range(5..250));
    let while_writing = kills.writing <= kills.between * 2 || random.random_bool(0.6);
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&arrived);
    simulator.set_faults(Some(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        None
    })));
    let running = Running::start(installation, &["sync"]);
    match at_request {
        Some(request) => {
            while arrived.load(Ordering::SeqCst) < request && !running.has_ended() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
        None => tokio::time::sleep(after).await,
    }
    let writes = loop {
        if !running.stop() {
            break false;
        }
        let writes = eye.sees_a_write().await;
        if writes || !while_writing {
            break writes;
        }
        running.go_on();
        let pause = Duration::from_micros(random.random_range(200..4000));
        tokio::time::sleep(pause).await;
    };
    match (running.kill(), writes) {
        (false, _) => kills.missed += 1,
        (true, true) => kills.writing += 1,
        (true, false) => kills.between += 1,
    }
    simulator.set_faults(None);
}

/// The stream a request belongs to, as far as it is one that is resumed.
fn stream(request: &RequestRecord) -> Option<&'static str> {
    let last = request.path.rsplit('/').next()?;
    ["pullrequests", "activity", "comments", "commits"]
        .into_iter()
        .find(|stream| *stream == last)
}

/// What is stored together with its list is not asked for again.
fn assert_nothing_stored_is_read_again(done: &HashMap<String, i64>, after: &[RequestRecord]) {
    for request in after.iter().filter(|request| !request.is_continuation()) {
        let path = &request.path;
        assert!(
            !done.contains_key(path),
            "{path} was stored, and asked for again"
        );
    }
}

/// Counts what the rerun asked for although a killed run had been answered already.
fn note_repeated(before: &[RequestRecord], after: &[RequestRecord], kills: &mut Kills) {
    let answered = before.iter().filter(|request| request.status == 200);
    let known: HashSet<String> = answered.map(RequestRecord::target).collect();
    let mut repeated: HashMap<&'static str, usize> = HashMap::new();
    for request in after {
        if let (Some(stream), true) = (stream(request), known.contains(&request.target())) {
            *repeated.entry(stream).or_default() += 1;
        }
    }
    for (stream, count) in repeated {
        let most = kills.repeated.entry(stream).or_default();
        *most = count.max(*most);
    }
}

/// Looks into the database from outside.
pub(super) struct Eye {
    on: On,
    address: String,
    path: String,
    store: Option<Store>,
}

impl Eye {
    pub(super) async fn open(installation: &Installation) -> Self {
        let on = installation.database.on;
        let address = &installation.database.address;
        let path = address.strip_prefix("sqlite:").unwrap_or_default();
        let store = match on {
            Sqlite => None,
            _ => Some(on.open(address).await),
        };
        Self {
            on,
            address: address.clone(),
            path: path.to_owned(),
            store,
        }
    }

    /// Whether a transaction that has changed something is open. On SQLite: whether a process
    /// holds the right to write, which transactions that write take when they begin.
    pub(super) async fn sees_a_write(&self) -> bool {
        let sql = match self.on {
            Sqlite => return self.is_locked(),
            Postgres => {
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            }
            MariaDb => {
                // What the server shows of transactions is up to a tenth of a second old.
                tokio::time::sleep(Duration::from_millis(110)).await;
                "SELECT COUNT(*) FROM information_schema.innodb_trx JOIN \
                 information_schema.processlist ON id = trx_mysql_thread_id \
                 WHERE db = DATABASE() AND trx_rows_modified > 0"
            }
        };
        let connection = self.store.as_ref().unwrap().connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        rows[0].try_get_by_index::<i64>(0).unwrap() > 0
    }

    /// The connection to a server.
    pub(super) fn connection(&self) -> &sea_orm::DatabaseConnection {
        self.store.as_ref().unwrap().connection()
    }

    /// Whether rows of a scope are being written on a server, so that a lease is held: the ledger
    /// and leases themselves are written in transactions, too. On SQLite any write will do.
    pub(super) async fn sees_rows_written(&self) -> bool {
        let sql = match self.on {
            Sqlite => return self.is_locked(),
            Postgres => {
                "SELECT COUNT(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
                 JOIN pg_database ON pg_database.oid = database \
                 WHERE datname = current_database() AND mode = 'RowExclusiveLock' \
                 AND (relname LIKE '\\_raw%' OR relname LIKE '\\_tool%') AND relkind = 'r'"
            }
            MariaDb => {
                tokio::time::sleep(Duration::from_millis(110)).await;
                "SELECT COUNT(*) FROM information_schema.innodb_trx JOIN \
                 information_schema.processlist ON id = trx_mysql_thread_id \
                 WHERE db = DATABASE() AND trx_rows_modified > 8"
            }
        };
        self.number(sql).await > 0
    }

    async fn number(&self, sql: &str) -> i64 {
        let connection = self.connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        rows[0].try_get_by_index(0).unwrap()
    }

    /// Runs a statement on a server.
    pub(super) async fn execute(&self, sql: &str) {
        self.connection().execute_unprepared(sql).await.unwrap();
    }

    /// Ends the sessions that are in a transaction, as a server does with those that do nothing in
    /// it for a minute.
    pub(super) async fn end_transactions(&self) {
        if self.on == Postgres {
            self.number(
                "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND xact_start IS NOT NULL \
                 AND pid <> pg_backend_pid()",
            )
            .await;
        } else {
            let sql = "SELECT CAST(trx_mysql_thread_id AS SIGNED) FROM \
                       information_schema.innodb_trx JOIN information_schema.processlist \
                       ON id = trx_mysql_thread_id WHERE db = DATABASE()";
            let session = self.number(sql).await;
            self.execute(&format!("KILL {session}")).await;
        }
        while self.sees_a_write().await {}
    }

    /// Every row that a sync writes, but for what is remembered of runs and of the server.
    pub(super) async fn rows(&self) -> Vec<String> {
        let connection = self.connection();
        let backend = connection.get_database_backend();
        let names = match self.on {
            Postgres => "current_schema()",
            _ => "DATABASE()",
        };
        let names = format!(
            "SELECT CAST(table_name AS CHAR(64)) FROM information_schema.tables \
             WHERE table_schema = {names} AND table_type = 'BASE TABLE' ORDER BY table_name"
        );
        let names = Statement::from_string(backend, names);
        let mut shown = Vec::new();
        for name in connection.query_all_raw(names).await.unwrap() {
            let name: String = name.try_get_by_index(0).unwrap();
            let name = name.trim();
            let of_runs = [
                "runs",
                "steps",
                "requests",
                "credentials",
                "clocks",
                "endpoints",
            ];
            if name
                .strip_prefix("_headwater_")
                .is_some_and(|it| of_runs.contains(&it))
            {
                continue;
            }
            let rows = Statement::from_string(backend, format!("SELECT * FROM {name}"));
            let rows = connection.query_all_raw(rows).await.unwrap();
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{name} {row:?}")).collect();
            rows.sort();
            shown.extend(rows);
        }
        shown
    }

    /// Addresses of the lists of pull requests' children that are stored and up to date, with the
    /// sequence at which their pull request changed last.
    async fn lists_done(&self) -> HashMap<String, i64> {
        let sql = "SELECT done.params, done.parent, done.stream, parents.changed_seq \
                   FROM _headwater_fetched_children AS done \
                   JOIN _raw_bitbucket_api_pull_requests AS parents \
                   ON parents.params = done.params AND parents.item_key = done.parent \
                   WHERE done.parent_seq >= parents.changed_seq";
        let opened = self.on.open(&self.address).await;
        let connection = opened.connection();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let text =
            |row: &sea_orm::QueryResult, index| row.try_get_by_index::<String>(index).unwrap();
        let path = |row: &sea_orm::QueryResult| {
            let (params, parent, stream) = (text(row, 0), text(row, 1), text(row, 2));
            let (_, name) = params.split_once("FullName\":\"").unwrap();
            let name = name.split('"').next().unwrap();
            let list = match stream.as_str() {
                "pull_request_activities" => "activity",
                "pull_request_comments" => "comments",
                _ => "commits",
            };
            let path = format!("/2.0/repositories/{name}/pullrequests/{parent}/{list}");
            (path, row.try_get_by_index(3).unwrap())
        };
        let done = rows.iter().map(path).collect();
        opened.close().await.unwrap();
        done
    }

    fn is_locked(&self) -> bool {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        match connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
            Ok(()) => false,
            Err(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy),
        }
    }
}

/// Kills per database: in CI, unless set otherwise.
async fn killed_syncs_are_taken_up(on: On, usual: u64) {
    let usual = if is_soak() { 60 } else { usual };
    let wanted = number("HEADWATER_KILLS").unwrap_or(usual);
    let Some(kills) = kills(on, wanted, 1).await else {
        return;
    };
    assert!(kills.count() >= wanted, "{kills:?}");
    assert!(kills.writing > kills.between, "{kills:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_killed_on_sqlite_are_taken_up_and_give_the_same_tables() {
    killed_syncs_are_taken_up(Sqlite, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_killed_on_postgres_are_taken_up_and_give_the_same_tables() {
    killed_syncs_are_taken_up(Postgres, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_killed_on_mariadb_are_taken_up_and_give_the_same_tables() {
    killed_syncs_are_taken_up(MariaDb, 6).await;
}
