//! A database in a temporary folder, filled from a simulated Bitbucket or from files.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use headwater::clock::Clock;
use headwater::config::{self, Config, DatabaseAddress};
use headwater::connect::Connector;
use headwater::exit::{Exit, Failure};
use headwater::plan::{Depth, Plan, Stages};
use headwater::report::{Reporters, RunSummary, Silent};
use headwater::resolve::Selection;
use headwater::session::{Session, SyncRequest, Verified, VerifyRequest};
use headwater::source::Source;
use headwater::sources::Sources;
use headwater::sources::bitbucket::bitbucket;
use headwater_simulator::{Options, Simulator, Size};
use headwater_store::Store;
use headwater_store::compare::{Difference, tables_equal};
use headwater_store::ledger::Window;
use headwater_store::query::{Cell, Rows, run_sqlite};
use headwater_testing::{On, TestDatabase};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What the simulator accepts as an API token.
pub(crate) const TOKEN: &str = "api-token";

/// The simulator's whole workspace.
pub(crate) const ALL: &str = r#"["acme/*"]"#;

/// A small company behind a simulated Bitbucket.
pub(crate) async fn tiny() -> Simulator {
    let options = Options {
        size: Size::tiny(),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// A database of its own, with the configuration to fill it.
pub(crate) struct Lake {
    folder: TempDir,
    config: Arc<Config>,
    /// The sources that its connections may be of.
    pub(crate) sources: Sources,
    pub(crate) store: Store,
    pub(crate) address: DatabaseAddress,
    // Gone when dropped, after the store.
    database: TestDatabase,
}

/// How a sync is run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub(crate) full: bool,
}

impl How {
    fn depth(self) -> Depth {
        if self.full {
            Depth::Everything
        } else {
            Depth::Changes
        }
    }
}

impl Lake {
    /// An empty lake that collects the simulator's whole workspace.
    pub(crate) async fn beside(simulator: &Simulator) -> Self {
        Self::with_scopes(simulator, ALL).await
    }

    /// An empty lake that collects these scopes.
    pub(crate) async fn with_scopes(simulator: &Simulator, scopes: &str) -> Self {
        Self::on(On::Sqlite, simulator, scopes).await.unwrap()
    }

    /// An empty lake on a database; none where tests have no such server.
    pub(crate) async fn on(on: On, simulator: &Simulator, scopes: &str) -> Option<Self> {
        Self::with(on, &with_everything(&simulator.endpoint(), scopes)).await
    }

    /// An empty lake on a database, filled as that configuration says.
    pub(crate) async fn with(on: On, text: &str) -> Option<Self> {
        let database = TestDatabase::migrated(on).await?;
        let address = DatabaseAddress::parse(&database.address).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[database]\nurl = \"{}\"\n\n{text}", database.address);
        std::fs::write(folder.path().join("headwater.toml"), &text).unwrap();
        let (config, problems) = config::parse(&text, "headwater.toml");
        Some(Self {
            config: Arc::new(config.unwrap_or_else(|| panic!("{problems:?}"))),
            sources: Sources::all(),
            store: headwater::database::open(&address).await.unwrap(),
            folder,
            address,
            database,
        })
    }

    /// Goes on under another configuration, which must not say where the database is.
    pub(crate) fn configure(&mut self, text: &str) {
        let text = format!("[database]\nurl = \"{}\"\n\n{text}", self.database.address);
        std::fs::write(self.folder.path().join("headwater.toml"), &text).unwrap();
        let (config, problems) = config::parse(&text, "headwater.toml");
        self.config = Arc::new(config.unwrap_or_else(|| panic!("{problems:?}")));
    }

    /// The kind of its database.
    pub(crate) fn database_kind(&self) -> On {
        self.database.on
    }

    /// Where its configuration, its mirrors and, on SQLite, its database are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Collects, extracts and converts everything.
    pub(crate) async fn sync(&self, how: How) -> (Exit, RunSummary) {
        self.try_sync(how, CancellationToken::new()).await.unwrap()
    }

    pub(crate) async fn try_sync(
        &self,
        how: How,
        cancel: CancellationToken,
    ) -> Result<(Exit, RunSummary), Failure> {
        self.try_sync_on(&self.store, how, cancel).await
    }

    /// Changes the database without Headwater's knowledge.
    pub(crate) async fn execute(&self, sql: &str) {
        let done = self.store.connection().execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Lets so many days pass since lists that are not read in each run were last read.
    pub(crate) async fn days_pass(&self, days: u64) {
        age_looks(&self.store, days).await;
    }

    /// Reads whole lists again, and repairs what differs.
    pub(crate) async fn reconcile(&self, depth: Depth) -> (Exit, RunSummary) {
        let session = self
            .session(&self.store, CancellationToken::new())
            .await
            .unwrap();
        session.sync(&request("reconcile", depth)).await.unwrap()
    }

    /// Compares with the source, over a scratch database.
    pub(crate) async fn verify(&self, deep: bool) -> Verified {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join("verify.db");
        headwater_testing::migrated_sqlite(&scratch).await;
        let scratch = headwater::database::open(&DatabaseAddress::of_file(&scratch)).await;
        let cancel = CancellationToken::new();
        let session = self.session(&self.store, cancel).await.unwrap();
        let request = VerifyRequest {
            deep,
            limit: 50,
            ..VerifyRequest::default()
        };
        let verified = session.verify_over(scratch.unwrap(), &request).await;
        verified.unwrap()
    }

    /// What runs over this lake, or over another database, work with.
    pub(crate) async fn session(
        &self,
        store: &Store,
        cancel: CancellationToken,
    ) -> Result<Session, Failure> {
        let clock = Clock::system();
        let sources = self.sources.clone();
        let ledger = store.ledger(Window::HOUR).await?;
        Ok(Session {
            config: Arc::clone(&self.config),
            folder: self.folder.path().to_owned(),
            store: store.clone(),
            connector: Connector::recording((self.folder.path(), &clock), &sources, ledger),
            sources,
            reporter: Reporters::of(Arc::new(Silent), &clock),
            clock,
            cancel,
        })
    }

    /// The same database opened once more, as by another process.
    pub(crate) async fn opened_again(&self) -> Store {
        headwater::database::open(&self.address).await.unwrap()
    }

    /// The same with another table of contents.
    pub(crate) async fn sync_with(&self, source: Source, how: How) -> (Exit, RunSummary) {
        self.try_sync_with(source, how).await.unwrap()
    }

    pub(crate) async fn try_sync_with(
        &self,
        source: Source,
        how: How,
    ) -> Result<(Exit, RunSummary), Failure> {
        let cancel = CancellationToken::new();
        let session = Session {
            sources: Sources::of(vec![source]),
            ..self.session(&self.store, cancel).await?
        };
        session.sync(&request("sync", how.depth())).await
    }

    pub(crate) async fn try_sync_on(
        &self,
        store: &Store,
        how: How,
        cancel: CancellationToken,
    ) -> Result<(Exit, RunSummary), Failure> {
        let session = self.session(store, cancel).await?;
        session.sync(&request("sync", how.depth())).await
    }

    /// The program itself, started beside this lake, over the same database.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        Command::new(PathBuf::from(env!("CARGO_BIN_EXE_headwater")))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("HEADWATER_CONFIG")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What differs from another lake, over every table.
    pub(crate) async fn differences(&self, other: &Self) -> Vec<Difference> {
        let tables = bitbucket().tables();
        tables_equal(&self.store, &other.store, &tables, 20)
            .await
            .unwrap()
    }

    /// Fails, with the differences, unless this lake equals a first sync into an empty one.
    pub(crate) async fn assert_equals_a_first_sync(&self, simulator: &Simulator) {
        let fresh = Self::beside(simulator).await;
        let (exit, _) = fresh.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        let differences = self.differences(&fresh).await;
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(
            shown.is_empty(),
            "here: synced step by step, there: at once\n{shown:#?}"
        );
    }

    /// Fails, with what differs, when its tables do not equal another one's.
    pub(crate) async fn assert_equals(&self, other: &Self) {
        let differences = self.differences(other).await;
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{shown:#?}");
    }

    /// What the latest collection of a stream says of itself.
    pub(crate) async fn remarks(&self, stream: &str) -> String {
        let sql = format!(
            "SELECT message FROM _headwater_steps WHERE stage = 'collect' AND stream = '{stream}' \
             ORDER BY id DESC LIMIT 1"
        );
        match &self.ask(&sql).await.rows[0][0] {
            Cell::Text(message) => message.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The first cell of the first row.
    pub(crate) async fn number(&self, sql: &str) -> usize {
        let answer = self.ask(sql).await;
        match answer.rows[0][0] {
            Cell::Integer(number) => usize::try_from(number).unwrap(),
            ref other => panic!("{sql} gave {other:?}"),
        }
    }

    pub(crate) async fn ask(&self, sql: &str) -> Answer {
        let mut answer = Answer::default();
        headwater::database::query(&self.address, sql, &mut answer)
            .await
            .unwrap();
        answer
    }
}

/// Lets so many days pass since lists that are not read in each run were last read.
pub(crate) async fn age_looks(store: &Store, days: u64) {
    let millis = days * 24 * 60 * 60 * 1000;
    let sql = format!(
        "UPDATE _headwater_looks SET looked_at = looked_at - {millis}, \
         absent_since = absent_since - {millis}"
    );
    store.connection().execute_unprepared(&sql).await.unwrap();
}

/// Everything of every repository that is configured.
pub(crate) fn request(command: &'static str, depth: Depth) -> SyncRequest {
    SyncRequest {
        plan: Plan {
            command,
            stages: Stages::ALL,
            streams: bitbucket().stream_names(),
            depth,
        },
        selection: Selection::default(),
        since: None,
        run: None,
    }
}

/// The same with the streams that are only collected where that is asked for.
pub(crate) fn with_everything(endpoint: &str, scopes: &str) -> String {
    let rules = "[scope_config.default]\ncommit_statuses = true\n\n";
    format!("{rules}{}", configuration(endpoint, scopes))
}

/// A configuration that collects from this endpoint without any limit.
pub(crate) fn configuration(endpoint: &str, scopes: &str) -> String {
    format!(
        "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
         endpoint = \"{endpoint}\"\nauth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
         auth.token = \"{TOKEN}\"\nrequests_per_hour = 1000000000\nscopes = {scopes}\n"
    )
}

/// The result of a query.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Rows for Answer {
    fn columns(&mut self, names: Vec<String>) -> std::io::Result<()> {
        self.columns = names;
        Ok(())
    }

    fn row(&mut self, cells: Vec<Cell>) -> std::io::Result<()> {
        self.rows.push(cells);
        Ok(())
    }
}

pub(crate) async fn ask(database: &Path, sql: &str) -> Answer {
    let mut answer = Answer::default();
    run_sqlite(database, sql, &mut answer).await.unwrap();
    answer
}

/// Standard output of a started program that must succeed.
pub(crate) fn ended_output(child: Child) -> String {
    stdout(&child.wait_with_output().unwrap())
}

/// The program itself, run in a folder without any variables of ours.
pub(crate) fn headwater(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PathBuf::from(env!("CARGO_BIN_EXE_headwater")))
        .args(arguments)
        .current_dir(folder)
        .env_remove("HEADWATER_CONFIG")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

/// Standard output of a run that must succeed.
pub(crate) fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// The exit code of a program that ended by itself.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
