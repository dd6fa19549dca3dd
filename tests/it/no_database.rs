//! Commands that read where nothing was collected yet, and where the server is down.

use std::fs;
use std::path::Path;

use headwater_testing::{On, TestDatabase};
use rstest::rstest;

use crate::lake::{ALL, TOKEN, code, configuration, headwater};

/// Commands that answer from what is stored.
const READING: [&[&str]; 17] = [
    &["status"],
    &["status", "--steps", "--format", "json"],
    &["doctor"],
    &["--json", "doctor", "shop"],
    &["explain", "pr", "acme/rocket#1"],
    &[
        "explain",
        "https://bitbucket.org/acme/rocket/pipelines/results/7",
    ],
    &[
        "explain",
        "issue",
        "bitbucket:BitbucketIssue:1:acme/rocket:7",
    ],
    &["explain", "metric", "shop", "lead_time"],
    &["metrics", "dora", "shop"],
    &["metrics", "dora", "shop", "--format", "json"],
    &["query", "SELECT * FROM pull_requests"],
    &["tags", "acme/rocket"],
    &["diff", "acme/rocket", "v1..v2"],
    &["dead-letters"],
    &["raw", "export", "pull_requests"],
    &["table", "compare", "repos", "repos.csv"],
    &["people", "join", "--dry-run"],
];

/// Commands that change what is stored, and make nothing where there is nothing.
const CHANGING: [&[&str]; 6] = [
    &["metrics", "refresh"],
    &["people", "join"],
    &["transform"],
    &["extract"],
    &["convert"],
    &["scopes", "forget", "acme/rocket"],
];

/// A folder with a file of rows, and a configuration where one is wanted.
fn folder(configured: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("repos.csv"), "id\na\n").unwrap();
    if configured {
        let text = configuration("http://127.0.0.1:9/2.0/", ALL).replace(
            &format!("auth.token = \"{TOKEN}\""),
            "auth.token = \"file:token.txt\"",
        );
        fs::write(folder.path().join("token.txt"), TOKEN).unwrap();
        fs::write(folder.path().join("headwater.toml"), text).unwrap();
    }
    folder
}

/// Runs a command that must fail with this code. Returns its message, which is one line.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], expected: i32) -> String {
    let output = headwater(folder, arguments);
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(code(&output), expected, "{arguments:?}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    said
}

#[test]
fn every_command_that_needs_a_database_says_that_nothing_is_collected_and_what_to_do() {
    for (configured, next) in [(false, "`headwater init`"), (true, "`headwater sync`")] {
        let place = folder(configured);
        let mut commands = [&READING[..], &CHANGING].concat();
        if configured {
            commands.push(&["verify"]);
        }
        for arguments in commands {
            let said = refused(place.path(), arguments, 2);
            for part in [
                "there is no database",
                "headwater.db",
                "nothing is collected",
                next,
            ] {
                assert!(said.contains(part), "{arguments:?}: {said}");
            }
        }
        assert!(!place.path().join("headwater.db").exists(), "it was made");
    }
}

#[rstest]
#[case::sqlite(On::Sqlite)]
#[case::postgres(On::Postgres)]
#[case::mariadb(On::MariaDb)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_one_without_data(#[case] on: On) {
    let Some(database) = TestDatabase::empty(on).await else {
        return;
    };
    if let Some(file) = database.address.strip_prefix("sqlite:") {
        fs::write(file, "").unwrap();
    }
    let place = folder(true);
    for arguments in READING {
        let arguments = [&["--database", &database.address], arguments].concat();
        let said = refused(place.path(), &arguments, 2);
        assert!(
            said.contains("has no tables: nothing is collected"),
            "{said}"
        );
    }
    let planned = headwater(place.path(), &["--database", &database.address, "plan"]);
    let said = String::from_utf8_lossy(&planned.stderr).into_owned();
    assert_eq!(code(&planned), 0, "{said}");
}

#[test]
fn a_server_that_is_down_is_named_without_its_password() {
    let place = folder(true);
    for address in [
        "postgres://ada:hunter2@127.0.0.1:9/d",
        "mysql://ada:hunter2@127.0.0.1:9/d",
    ] {
        for arguments in [&READING[..], &[&["sync"]]].concat() {
            let arguments = [&["--database", address], arguments].concat();
            let said = refused(place.path(), &arguments, 6);
            for part in [
                "127.0.0.1:9/d could not be opened",
                "check that the server runs",
            ] {
                assert!(said.contains(part), "{arguments:?}: {said}");
            }
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_stays_as_it_is() {
    let place = folder(true);
    let file = place.path().join("headwater.db");
    fs::write(&file, "id,title\n".repeat(2000)).unwrap();
    let before = fs::read(&file).unwrap();
    for arguments in READING {
        let said = refused(place.path(), arguments, 6);
        assert!(said.contains("headwater.db"), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}
