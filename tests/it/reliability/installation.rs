//! The program itself beside a database of its own, as a process that can be stopped and killed.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use headwater::sources::bitbucket::bitbucket;
use headwater_simulator::Simulator;
use headwater_store::compare::tables_equal;
use headwater_testing::{On, TestDatabase};
use tempfile::TempDir;

use crate::lake::{ALL, How, Lake, age_looks, with_everything};

/// A folder with a configuration, and a database.
pub(super) struct Installation {
    pub(super) folder: TempDir,
    pub(super) database: TestDatabase,
    /// As `database.url`; may lead to the database by another way.
    pub(super) address: String,
}

impl Installation {
    /// None where tests have no such server.
    pub(super) async fn new(on: On, simulator: &Simulator) -> Option<Self> {
        let database = TestDatabase::migrated(on).await?;
        let folder = tempfile::tempdir().unwrap();
        let text = with_everything(&simulator.endpoint(), ALL);
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        Some(Self {
            address: database.address.clone(),
            folder,
            database,
        })
    }

    /// Works on this SQLite file in the folder from now on.
    pub(super) fn use_own_file(&mut self, name: &str) {
        let file = self.folder.path().join(name);
        self.address = format!("sqlite:{}", file.display());
    }

    /// The last part of a server's address.
    pub(super) fn database_name(&self) -> String {
        let name = self.address.rsplit('/').next();
        name.unwrap_or_default().to_owned()
    }

    /// A command of the program, without any variables of ours.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_headwater")));
        command
            .args(["--database", &self.address])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("HEADWATER_CONFIG")
            .env_remove("RUST_LOG");
        command
    }

    /// Runs the program to its end, without keeping the simulator from answering.
    pub(super) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// Lets a day pass since lists that are not read in each run were last read.
    pub(super) async fn a_day_passes(&self) {
        let store = self.database.on.open(&self.address).await;
        age_looks(&store, 1).await;
        store.close().await.unwrap();
    }

    /// Fails unless the tables equal those of a first sync.
    pub(super) async fn assert_equals_a_first_sync(&self, simulator: &Simulator) {
        let fresh = Lake::beside(simulator).await;
        fresh.sync(How::default()).await;
        let store = self.database.on.open(&self.address).await;
        let tables = bitbucket().tables();
        let differences = tables_equal(&store, &fresh.store, &tables, 20).await;
        let shown: Vec<String> = differences
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            shown.is_empty(),
            "here: after what happened, there: at once\n{shown:#?}"
        );
        store.close().await.unwrap();
    }
}

/// A sync under way.
pub(super) struct Running {
    child: Arc<Mutex<std::process::Child>>,
    pub(super) id: u32,
    log: tempfile::NamedTempFile,
}

impl Running {
    pub(super) fn start(installation: &Installation, arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = installation
            .command(arguments)
            .stdout(log.reopen().unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            log,
            id: child.id(),
            child: Arc::new(Mutex::new(child)),
        }
    }

    /// Sends SIGKILL; true when it still ran.
    pub(super) fn kill(&self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        let mut child = self.child.lock().unwrap();
        // Fails for a process that has ended.
        let _ = child.kill();
        child.wait().unwrap().signal() == Some(9)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_some()
    }

    /// What it has said.
    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// The exit code, when it ended by itself.
    pub(super) async fn exit_code(&self) -> Option<i32> {
        loop {
            let ended = self.child.lock().unwrap().try_wait().unwrap();
            if let Some(ended) = ended {
                return ended.code();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Holds the process still; false when it has ended.
    pub(super) fn stop(&self) -> bool {
        self.signal("STOP");
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id));
            let stat = stat.unwrap_or_default();
            // The state follows the name, which is in brackets.
            match stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]) {
                Some(b'T' | b't') => return true,
                Some(b'Z' | b'X') | None => return false,
                Some(_) => std::thread::yield_now(),
            }
        }
    }

    /// Lets it run again.
    pub(super) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.id)])
            .stderr(Stdio::null())
            .status();
        // It may have ended by itself.
        let _ = sent.unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
