//! The rows that Apache DevLake makes of the same raw rows.
//!
//! The data is not part of this project: it is read beside the checkout, and the tests say so
//! when it is not there. Columns that Headwater changes on purpose are exceptions, each with its
//! number in `docs/decisions/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headwater_store::query::Cell;

use crate::lake::{ask, headwater, stdout};

/// A column that differs on purpose, with the number of the decision.
struct Exception {
    table: &'static str,
    column: &'static str,
    decision: u32,
}

const fn exception(table: &'static str, column: &'static str, decision: u32) -> Exception {
    Exception {
        table,
        column,
        decision,
    }
}

const ORIGIN: [&str; 3] = ["_raw_data_params", "_raw_data_table", "_raw_data_id"];

const EXCEPTIONS: [Exception; 4] = [
    exception("cicd_scopes", "url", 15),
    exception("issues", "type", 1),
    exception("issues", "url", 3),
    exception("cicd_pipelines", "url", 16),
];

/// Tables whose origin columns differ on purpose.
const ORIGIN_EXCEPTIONS: [(&str, u32); 5] = [
    ("repos", 27),
    ("boards", 27),
    ("cicd_scopes", 27),
    ("_tool_bitbucket_repos", 27),
    ("_tool_bitbucket_accounts", 24),
];

fn is_exception(table: &str, column: &str) -> bool {
    let single = EXCEPTIONS
        .iter()
        .find(|e| e.table == table && e.column == column);
    let origin = ORIGIN_EXCEPTIONS.iter().find(|(name, _)| *name == table);
    let decision = single.map(|e| e.decision).or_else(|| {
        let (_, decision) = origin?;
        ORIGIN.contains(&column).then_some(*decision)
    });
    decision.is_some()
}

/// Folder of the oracle, if it is there.
fn oracle() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/bitbucket");
    if folder.exists() {
        return Some(folder);
    }
    println!(
        "skipped: there is no oracle beside the checkout at {}",
        folder.display()
    );
    None
}

/// Rows of a CSV file by key, as text.
type Table = BTreeMap<Vec<String>, BTreeMap<String, String>>;

fn read_expected(path: &Path, keys: &[&str]) -> (Vec<String>, Table) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let columns: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut table = Table::new();
    for record in reader.records() {
        let record = record.unwrap();
        let cells = columns
            .iter()
            .cloned()
            .zip(record.iter().map(str::to_owned));
        let row: BTreeMap<String, String> = cells.collect();
        let key = keys.iter().map(|key| row[*key].clone()).collect();
        table.insert(key, row);
    }
    (columns, table)
}

async fn read_stored(database: &Path, table: &str, columns: &[String], keys: &[&str]) -> Table {
    let sql = format!("SELECT {} FROM {table}", columns.join(", "));
    let answer = ask(database, &sql).await;
    let mut stored = Table::new();
    for cells in answer.rows {
        let texts = cells.iter().map(|cell| match cell {
            Cell::Null => String::new(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        });
        let row: BTreeMap<String, String> = columns.iter().cloned().zip(texts).collect();
        let key = keys.iter().map(|key| row[*key].clone()).collect();
        stored.insert(key, row);
    }
    stored
}

/// The rules under which the peer's rows were made.
const PEERS_RULES: &str = r#"
[scope_config.default]
deployment_ref_pattern = "main"
production_ref_pattern = "pipeline"
"#;

/// Imports raw rows, transforms them offline, and compares tables with the peer's.
async fn compare(raw: &[&str], expected: &[(&str, &str, &[&str])]) {
    let Some(oracle) = oracle() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("headwater.toml"), PEERS_RULES).unwrap();
    for stream in raw {
        let table = format!("_raw_bitbucket_api_{stream}");
        let file = oracle.join(format!("raw/{table}.csv"));
        stdout(&headwater(
            folder.path(),
            &["raw", "import", &table, file.to_str().unwrap()],
        ));
    }
    stdout(&headwater(folder.path(), &["transform"]));
    let database = folder.path().join("headwater.db");
    for (file, table, keys) in expected {
        let path = oracle.join(format!("expected/{file}.csv"));
        let (columns, rows) = read_expected(&path, keys);
        let stored = read_stored(&database, table, &columns, keys).await;
        assert_eq!(stored.len(), rows.len(), "rows of {table}");
        for (key, row) in rows {
            let own = stored
                .get(&key)
                .unwrap_or_else(|| panic!("{table} lacks {key:?}"));
            for column in columns.iter().filter(|column| !is_exception(table, column)) {
                assert_eq!(own[column], row[column], "{table} {key:?} {column}");
            }
        }
    }
}

#[tokio::test]
async fn repositories_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 4] = [
        (
            "_tool_bitbucket_repos",
            "_tool_bitbucket_repos",
            &["connection_id", "bitbucket_id"],
        ),
        ("repos", "repos", &["id"]),
        ("boards", "boards", &["id"]),
        ("cicd_scopes", "cicd_scopes", &["id"]),
    ];
    compare(&["repositories"], &expected).await;
}

#[tokio::test]
async fn accounts_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 2] = [
        (
            "_tool_bitbucket_accounts_in_pr",
            "_tool_bitbucket_accounts",
            &["connection_id", "account_id"],
        ),
        ("accounts", "accounts", &["id"]),
    ];
    compare(&["pull_requests"], &expected).await;
}

#[tokio::test]
async fn pull_requests_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 2] = [
        (
            "_tool_bitbucket_pull_requests",
            "_tool_bitbucket_pull_requests",
            &["connection_id", "repo_id", "bitbucket_id"],
        ),
        ("pull_requests", "pull_requests", &["id"]),
    ];
    compare(&["pull_requests"], &expected).await;
}

#[tokio::test]
async fn commits_of_pull_requests_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 2] = [
        (
            "_tool_bitbucket_pull_request_commits",
            "_tool_bitbucket_pull_request_commits",
            &["connection_id", "repo_id", "pull_request_id", "commit_sha"],
        ),
        (
            "pull_request_commits",
            "pull_request_commits",
            &["pull_request_id", "commit_sha"],
        ),
    ];
    compare(&["pull_request_commits"], &expected).await;
}

#[tokio::test]
async fn issues_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 6] = [
        (
            "_tool_bitbucket_issues",
            "_tool_bitbucket_issues",
            &["connection_id", "repo_id", "bitbucket_id"],
        ),
        (
            "_tool_bitbucket_accounts_in_issue",
            "_tool_bitbucket_accounts",
            &["connection_id", "account_id"],
        ),
        ("accounts", "accounts", &["id"]),
        ("issues", "issues", &["id"]),
        ("board_issues", "board_issues", &["board_id", "issue_id"]),
        (
            "issue_assignees",
            "issue_assignees",
            &["issue_id", "assignee_id"],
        ),
    ];
    compare(&["issues"], &expected).await;
}

#[tokio::test]
async fn pipelines_give_the_peers_rows() {
    let expected: [(&str, &str, &[&str]); 3] = [
        (
            "_tool_bitbucket_pipelines",
            "_tool_bitbucket_pipelines",
            &["connection_id", "bitbucket_id"],
        ),
        ("cicd_pipelines", "cicd_pipelines", &["id"]),
        (
            "cicd_pipeline_commits",
            "cicd_pipeline_commits",
            &["pipeline_id", "commit_sha"],
        ),
    ];
    compare(&["pipelines"], &expected).await;
}
