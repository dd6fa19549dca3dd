//! The demo: what it ends with, that it can be repeated on every database, and that what it finds can be
//! mended.

mod picture;

use std::path::Path;

use headwater::config::DatabaseAddress;
use headwater::sources::Sources;
use headwater_domain::table::Layer;
use headwater_store::Store;
use headwater_store::compare::tables_equal;
use headwater_testing::On::{self, MariaDb, Postgres};
use headwater_testing::TestDatabase;
use regex::Regex;
use rstest::rstest;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::lake::{code, headwater, stdout};

/// The demo of one company, on one day.
const DEMO: [&str; 3] = ["demo", "--as-of", "2026-11-26"];

fn demo(folder: &Path, more: &[&str]) -> String {
    stdout(&headwater(folder, &[&DEMO[..], more].concat()))
}

/// The text without the time that it took.
fn without_time(text: &str) -> String {
    let time = Regex::new(r"in \d+\.\d s").unwrap();
    time.replace(text, "in 3.2 s").into_owned()
}

async fn open(path: &Path) -> Store {
    let address = DatabaseAddress::of_file(path);
    headwater::database::open(&address).await.unwrap()
}

/// Lets raw rows forget at which port the server listened, which the system decides.
async fn without_ports(store: &Store) {
    for (_, entry) in Sources::all().streams() {
        let table = &entry.collection.raw_table;
        let path = "SUBSTR(url, INSTR(url, '/2.0/'))";
        let text = format!("UPDATE {table} SET url = {path}");
        store.connection().execute_unprepared(&text).await.unwrap();
    }
}

/// What `demo --json` answers, by what it is about.
fn answered(text: &str) -> Value {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answers = lines.filter(|line| line["event"] == "answer");
    let answers = answers.map(|line| {
        let about = line["about"].as_str().unwrap();
        (about.to_owned(), line["answer"].clone())
    });
    let mut answers = Value::Object(answers.collect());
    // Weeks would be most of it.
    for metric in answers["dora"]["metrics"].as_array_mut().unwrap() {
        metric.as_object_mut().unwrap().remove("by");
    }
    answers
}

/// Why a domain table has no row after a demo.
const EMPTY: [(&str, &str); 19] = [
    (
        "board_repos",
        "boards of other trackers are about several repositories; Bitbucket's has its own",
    ),
    ("board_sprints", "Bitbucket has no sprints"),
    (
        "cicd_releases",
        "Bitbucket has no releases but tags, which are in refs",
    ),
    (
        "commit_file_components",
        "it needs rules for components of code, which no configuration has",
    ),
    (
        "commit_line_change",
        "lines of files are counted, not stored",
    ),
    (
        "components",
        "it needs rules for components of code, which no configuration has",
    ),
    (
        "issue_custom_array_fields",
        "Bitbucket's issues have no fields of one's own",
    ),
    (
        "issue_relationships",
        "Bitbucket's issues do not name each other",
    ),
    (
        "issue_repo_commits",
        "it is for trackers that link commits of other servers",
    ),
    ("issue_worklogs", "Bitbucket's issues have no work logs"),
    (
        "pull_request_assignees",
        "Bitbucket's pull requests have reviewers, and no assignees",
    ),
    (
        "pull_request_labels",
        "Bitbucket's pull requests have no labels",
    ),
    (
        "refs_pr_cherrypicks",
        "nothing is cherry-picked to release branches",
    ),
    (
        "repo_languages",
        "Bitbucket names one language, which is in repos",
    ),
    ("repo_snapshot", "lines of files are counted, not stored"),
    ("sprint_issues", "Bitbucket has no sprints"),
    ("sprints", "Bitbucket has no sprints"),
    ("unlinked_incidents", "every incident has its deployment"),
    (
        "unlinked_pull_requests",
        "the history has every merged pull request",
    ),
];

async fn assert_filled(store: &Store) {
    let mut empty = Vec::new();
    for table in &Sources::all().tables().rows {
        let is_empty = store.count_rows(table.name).await.unwrap() == 0;
        if is_empty && table.layer() == Layer::Domain {
            empty.push(table.name);
        }
    }
    empty.sort_unstable();
    let known: Vec<&str> = EMPTY.iter().map(|(name, _)| *name).collect();
    assert_eq!(empty, known, "tables without rows, and those known to be");
}

/// What `doctor` finds, but for lists that are old whenever the test runs long after the demo's day.
fn findings(folder: &Path) -> Vec<Value> {
    let found = headwater(
        folder,
        &["--config", "headwater-demo.toml", "doctor", "--json"],
    );
    let found = String::from_utf8(found.stdout).unwrap();
    let findings = found
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    findings
        .filter(|it| it["code"] != "LIST_NOT_READ")
        .collect()
}

/// Writes what `doctor` says into the configuration, as a person would.
fn mend(folder: &Path) {
    let findings = findings(folder);
    assert_eq!(findings.len(), 1, "one flaw is planted: {findings:#?}");
    let (heading, line) = findings[0]["write"]
        .as_str()
        .unwrap()
        .split_once('\n')
        .unwrap();
    let file = folder.join("headwater-demo.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once(heading).unwrap();
    std::fs::write(&file, format!("{before}{heading}\n{line}{after}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fits_a_screen_is_repeatable_and_what_it_finds_can_be_mended() {
    let folder = TempDir::new().unwrap();
    let text = demo(folder.path(), &[]);
    let shown = without_time(&text);
    insta::assert_snapshot!("screen", shown);
    assert!(text.lines().count() <= 40, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    picture::assert_current(&shown);

    let database = folder.path().join("headwater-demo.db");
    let copy = folder.path().join("first.db");
    open(&database).await.copy_to(&copy).await.unwrap();
    let again = demo(folder.path(), &["--json"]);
    let (first, second) = (open(&copy).await, open(&database).await);
    without_ports(&first).await;
    without_ports(&second).await;
    let tables = Sources::all().tables();
    let differences = tables_equal(&first, &second, &tables, 20).await.unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_filled(&second).await;
    insta::assert_snapshot!("answers", format!("{:#}", answered(&again)));

    mend(folder.path());
    let asked = |arguments: &[&str]| {
        let config = ["--config", "headwater-demo.toml"];
        headwater(folder.path(), &[&config[..], arguments].concat())
    };
    let transformed = asked(&["transform"]);
    stdout(&transformed);
    let said = String::from_utf8_lossy(&transformed.stderr);
    assert_eq!(said, "", "its configuration is in order");
    let left = findings(folder.path());
    assert!(left.is_empty(), "{left:#?}");
    let by_repository = stdout(&asked(&["metrics", "dora", "shop", "--by", "repository"]));
    assert!(by_repository.contains("order-worker"), "{by_repository}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn servers_give_the_same_answers_also_a_second_time(#[values(Postgres, MariaDb)] on: On) {
    let Some(database) = TestDatabase::migrated(on).await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let place = ["--json", "--database", &database.address];
    let first = demo(folder.path(), &place);
    insta::assert_snapshot!("answers", format!("{:#}", answered(&first)));
    let config = std::fs::read_to_string(folder.path().join("headwater-demo.toml")).unwrap();
    assert!(
        !config.contains(&database.address),
        "no address, and so no password"
    );
    if on == Postgres {
        let second = demo(folder.path(), &place);
        assert!(answered(&first) == answered(&second));
    }
}

#[test]
fn what_no_demo_wrote_is_refused_and_stays() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("notes.db"), "not a database at all").unwrap();
    std::fs::write(file("own.toml"), "[database]\n").unwrap();
    for (arguments, exit, said) in [
        (&["--output", "notes.db"][..], 6, "notes.db"),
        (&["--output", "own.db"], 2, "own.toml is there already"),
        (
            &["--output", "a.db", "--database", "sqlite:b.db"],
            2,
            "cannot be used with",
        ),
        (&["--database", "sqlite:"], 3, "--database has no path"),
        (&["--as-of", "yesterday"], 2, "--as-of"),
        (&["--as-of", "1969-12-31"], 2, "lives from 1990 to 2100"),
        (&["--seed", "seven"], 2, "--seed"),
    ] {
        let refused = headwater(folder.path(), &[&["demo"], arguments].concat());
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(code(&refused), exit, "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    let notes = std::fs::read_to_string(file("notes.db")).unwrap();
    assert_eq!(notes, "not a database at all");
}
