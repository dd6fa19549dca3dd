//! Broken output: readers that go away, disks that are full, standard error that is closed.

#![cfg(unix)]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use headwater_simulator::{Options, Simulator, Size};
use rstest::rstest;

use crate::lake::{TOKEN, configuration, headwater, stdout};
use headwater_testing::{On, TestDatabase};

/// A simulator, and a folder with a configuration for it over a database of its own.
struct Place {
    _simulator: Simulator,
    folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl Place {
    /// None where there is no such server.
    async fn on(on: On) -> Option<Self> {
        let database = TestDatabase::empty(on).await?;
        let options = Options {
            size: Size::tiny(),
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[database]\nurl = \"{}\"\n\n{}",
            database.address,
            configuration(&simulator.endpoint(), "[\"acme/*\"]").replace(
                &format!("auth.token = \"{TOKEN}\""),
                "auth.token = \"file:token.txt\""
            )
        );
        std::fs::write(folder.path().join("token.txt"), TOKEN).unwrap();
        std::fs::write(folder.path().join("headwater.toml"), text).unwrap();
        Some(Self {
            _simulator: simulator,
            folder,
            _database: database,
        })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_headwater")));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("HEADWATER_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Runs on a thread of its own: the simulator lives in this process.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn states(folder: &Path) -> String {
    let folder = folder.to_owned();
    let sql = "SELECT state FROM _headwater_runs ORDER BY id";
    beside(move || stdout(&headwater(&folder, &["query", sql, "--format", "csv"]))).await
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_after_one_line_ends_no_run(#[case] on: On) {
    let Some(place) = Place::on(on).await else {
        return;
    };
    for arguments in [&["sync"][..], &["--json", "sync"], &["-v", "sync"]] {
        let folder = place.path().to_owned();
        let (line, output) = beside(move || {
            let mut command = program(&folder, arguments);
            let started = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            let mut child = started.unwrap();
            let mut line = String::new();
            BufReader::with_capacity(1, child.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            (line, child.wait_with_output().unwrap())
        })
        .await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(line.ends_with('\n'), "{line}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
    assert_eq!(
        states(place.path()).await,
        "state\nsuccess\nsuccess\nsuccess\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_no_run_and_is_told() {
    let place = Place::on(On::Sqlite).await.unwrap();
    let folder = place.path().to_owned();
    let (told, deaf) = beside(move || {
        let mut command = program(&folder, &["sync"]);
        let told = command.stdout(full_disk()).output().unwrap();
        let mut command = program(&folder, &["-vv", "sync"]);
        let deaf = command.stdout(full_disk()).stderr(full_disk());
        (told, deaf.status().unwrap())
    })
    .await;
    let errors = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains("standard output could not be written"),
        "{errors}"
    );
    assert_eq!(deaf.code(), Some(0));
    assert_eq!(states(place.path()).await, "state\nsuccess\nsuccess\n");
}

/// Commands that do nothing but print.
const PRINTING: [&[&str]; 14] = [
    &["status"],
    &["status", "--steps", "--format", "json"],
    &["query", "SELECT * FROM pull_requests", "--format", "csv"],
    &["query", "SELECT * FROM pull_requests"],
    &["tables"],
    &["tables", "pull_requests"],
    &["streams"],
    &["streams", "--markdown"],
    &["config", "schema"],
    &["config", "check"],
    &["dead-letters"],
    &["migrate", "--status"],
    &["raw", "export", "pull_requests"],
    &["--help"],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_only_prints_fails_on_a_full_disk_and_is_quiet_on_a_closed_pipe() {
    let place = Place::on(On::Sqlite).await.unwrap();
    let folder = place.path().to_owned();
    beside(move || {
        stdout(&headwater(&folder, &["sync"]));
        for arguments in PRINTING {
            let full = program(&folder, arguments)
                .stdout(full_disk())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&full.stderr);
            assert_eq!(full.status.code(), Some(6), "{arguments:?}: {errors}");
            assert!(errors.contains("No space left"), "{arguments:?}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");

            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let closed = program(&folder, arguments).stdout(writer).output().unwrap();
            let errors = String::from_utf8_lossy(&closed.stderr);
            assert_eq!(closed.status.code(), Some(0), "{arguments:?}: {errors}");
            assert_eq!(errors, "", "{arguments:?}");
        }
    })
    .await;
}

#[test]
fn a_failure_keeps_its_code_when_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = &["--database", "postgres://u@127.0.0.1:9/d", "status"];
    for (arguments, expected) in [
        (&["sync"][..], 3),
        (&["nonsense"], 2),
        (&["status"], 2),
        (nowhere, 6),
    ] {
        let mut command = program(folder.path(), arguments);
        let status = command.stdout(full_disk()).stderr(full_disk()).status();
        assert_eq!(status.unwrap().code(), Some(expected), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_our_own_and_without_colours_on_a_pipe() {
    let place = Place::on(On::Sqlite).await.unwrap();
    let folder = place.path().to_owned();
    beside(move || {
        let quiet = headwater(&folder, &["sync"]);
        assert_eq!(String::from_utf8_lossy(&quiet.stderr), "");
        let log = headwater(&folder, &["-v", "sync", "--full"]);
        let log = String::from_utf8_lossy(&log.stderr).into_owned();
        assert!(log.contains("headwater_collectors"), "{log}");
        assert!(!log.contains('\u{1b}'), "{log}");
        for library in ["sqlx", "rustls", "hyper", "reqwest", "h2::"] {
            assert!(!log.contains(library), "{library}: {log}");
        }
        let log = headwater(&folder, &["-vv", "sync", "--full"]);
        assert!(!log.stderr.contains(&0x1b));
    })
    .await;
}
