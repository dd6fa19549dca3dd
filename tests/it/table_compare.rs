//! `table compare`: stored rows against those of a file, such as DevLake's.

use std::path::Path;
use std::process::Output;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::hashes::offline;
use crate::lake::{Lake, code, headwater, stdout};

const STORED: &str = "id,title,merged_by_name,created_date,additions\n\
                      a,one,ann,2026-01-31 09:30:00.5,12\n\
                      b,two,,\\N,\\N\n\
                      c,three,,,\n";

/// The differences of a file as CSV without its header, and the exit code.
fn compare(lake: &Lake, content: &str) -> (String, i32) {
    let output = command(lake, content, &["--format", "csv"]);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = printed.lines().skip(1).map(|line| format!("{line}\n"));
    (lines.collect(), code(&output))
}

fn command(lake: &Lake, content: &str, more: &[&str]) -> Output {
    std::fs::write(lake.folder().join("rows.csv"), content).unwrap();
    let arguments = [&["table", "compare", "pull_requests", "rows.csv"], more].concat();
    headwater(lake.folder(), &arguments)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_column_that_differs_is_named_with_its_decision_and_an_example(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    std::fs::write(lake.folder().join("stored.csv"), STORED).unwrap();
    let import = ["table", "import", "pull_requests", "stored.csv"];
    stdout(&headwater(lake.folder(), &import));

    let equal = "key_unknown,created_date,id,title\n\
                 x,2026-01-31T10:30:00.500+01:00,a,one\nx,,b,two\nx,,c,three\n";
    let output = command(&lake, equal, &[]);
    let message = "pull_requests: 3 rows equal, in the key and 2 columns\n";
    assert_eq!(stdout(&output), message);
    let note = String::from_utf8(output.stderr).unwrap();
    let expected = "not compared: pull_requests has no column key_unknown\n";
    assert!(note.ends_with(expected), "{note}");

    let decided = "id,merged_by_name,additions\na,,0\nb,,0\nc,ben,0\n";
    let expected = "pull_requests,additions,3,36,a,12,0\n\
                    pull_requests,merged_by_name,2,11,a,'ann',''\n";
    assert_eq!(compare(&lake, decided), (expected.to_owned(), 0));

    let other = "id,title\na,1\nb,2\nd,4\n";
    let expected = "pull_requests,(row),2,,c,the row,no row\n\
                    pull_requests,title,2,,a,'one','1'\n";
    assert_eq!(compare(&lake, other), (expected.to_owned(), 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_compared_is_refused_with_the_place() {
    let lake = Lake::with(Sqlite, &offline()).await.unwrap();
    stdout(&headwater(lake.folder(), &["migrate"]));
    for (content, expected) in [
        ("title\na\n", "rows.csv:1: the header has no column id"),
        (
            "id,created_date\na,soon\n",
            "rows.csv:2: column created_date: \"soon\" is not a time",
        ),
        (
            "id\na\na\n",
            "rows.csv:3: the key id \"a\" is that of line 2 too",
        ),
    ] {
        let output = command(&lake, content, &[]);
        let message = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(message.contains(expected), "{message}");
        assert_eq!(code(&output), 3, "{content}");
    }
}

/// The steps of docs/devlake.md with rows that DevLake made of raw rows of its own.
#[tokio::test(flavor = "multi_thread")]
async fn moving_from_devlake_ends_with_equal_rows() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/bitbucket");
    if !oracle.exists() {
        println!(
            "skipped: there are no rows of DevLake at {}",
            oracle.display()
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = "[scope_config.default]\ndeployment_ref_pattern = \"main\"\n\
                 production_ref_pattern = \"pipeline\"\n";
    std::fs::write(folder.path().join("headwater.toml"), rules).unwrap();
    for stream in ["repositories", "pull_requests", "issues", "pipelines"] {
        let table = format!("_raw_bitbucket_api_{stream}");
        let file = oracle.join(format!("raw/{table}.csv"));
        let import = ["raw", "import", &table, file.to_str().unwrap()];
        stdout(&headwater(folder.path(), &import));
    }
    stdout(&headwater(folder.path(), &["transform"]));
    for table in [
        "_tool_bitbucket_issues",
        "_tool_bitbucket_pipelines",
        "_tool_bitbucket_pull_requests",
        "_tool_bitbucket_repos",
        "boards",
        "board_issues",
        "cicd_pipelines",
        "cicd_scopes",
        "issues",
        "issue_assignees",
        "pull_requests",
        "repos",
    ] {
        let file = oracle.join(format!("expected/{table}.csv"));
        let compare = ["table", "compare", table, file.to_str().unwrap()];
        let output = headwater(folder.path(), &compare);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(code(&output), 0, "{table}: {printed}");
    }
}
