//! `--json`: standard output is JSON and nothing else, whatever a command finds and however it ends.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use headwater_simulator::{Fault, Simulator};
use serde_json::Value;

use crate::lake::{self, ALL, TOKEN, code, configuration, headwater};

const PROJECT: &str = "[[project]]\nname = \"shop\"\nscopes = [\"acme-cloud:acme/*\"]\n\
                       [[project]]\nname = \"idle\"\nscopes = []\n";

/// What a command prints under `--json`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Prints {
    /// One document.
    One,
    /// One object on each line.
    Lines,
    /// Nothing: the error is text on standard error.
    Nothing,
}

/// A folder with a configuration, the company behind it, and files with good and bad rows.
struct Place {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let simulator = lake::tiny().await;
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{}{PROJECT}", configuration(&simulator.endpoint(), ALL)).replace(
            &format!("auth.token = \"{TOKEN}\""),
            "auth.token = \"file:token.txt\"",
        );
        for (name, content) in [
            ("headwater.toml", text.as_str()),
            ("token.txt", TOKEN),
            (
                "good.csv",
                "id,title,created_date\ni1,\"a\nb\",2026-01-31\n",
            ),
            ("bad.csv", "id,created_date\ni1,soon\n"),
            (
                "twice.csv",
                "id,created_date\ni1,2026-01-31\ni1,2026-01-31\n",
            ),
            ("elsewhere.csv", "id,title\ni1,another\ni9,unknown\n"),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        Self { simulator, folder }
    }

    /// Runs commands one after the other, each with its exit code and what it prints.
    async fn run(&self, commands: Vec<(&'static [&'static str], i32, Prints)>) {
        let folder = self.folder.path().to_owned();
        let run = move || {
            for (arguments, exit, prints) in commands {
                check(&folder, arguments, exit, prints);
            }
        };
        tokio::task::spawn_blocking(run).await.unwrap();
    }
}

fn check(folder: &Path, arguments: &[&str], exit: i32, prints: Prints) {
    let output = headwater(folder, &[&["--json"], arguments].concat());
    let Output { stdout, stderr, .. } = &output;
    let (stdout, stderr) = (
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr),
    );
    let about = format!("{arguments:?}: {stdout}{stderr}");
    assert_eq!(code(&output), exit, "{about}");
    match prints {
        Prints::One => {
            let read: Result<Value, _> = serde_json::from_str(&stdout);
            assert!(
                read.is_ok_and(|it| it.is_object() || it.is_array()),
                "{about}"
            );
        }
        Prints::Lines => {
            let is_object =
                |line: &str| serde_json::from_str(line).is_ok_and(|read: Value| read.is_object());
            assert!(
                !stdout.is_empty() && stdout.lines().all(is_object),
                "{about}"
            );
        }
        Prints::Nothing => {
            assert_eq!(stdout, "", "{about}");
            assert!(!stderr.trim().is_empty(), "{about}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_json_and_nothing_else_when_it_succeeds() {
    use Prints::{Lines, One};
    let place = Place::new().await;
    place
        .run(vec![
            (&["plan"], 0, One),
            (&["sync", "--plan"], 0, One),
            (&["migrate", "--dry-run"], 0, One),
            (&["migrate", "--status"], 0, One),
            (&["migrate"], 0, One),
            (&["migrate"], 0, One),
            (&["status"], 0, One),
            (&["dead-letters"], 0, One),
            (&["doctor", "idle"], 5, Lines),
            (&["sync"], 0, Lines),
            (&["transform"], 0, Lines),
            (&["plan", "shop"], 0, One),
            (&["status"], 0, One),
            (&["status", "--steps"], 0, One),
            (&["verify"], 0, One),
            (&["doctor"], 5, Lines),
            (&["doctor", "idle"], 5, Lines),
            (&["metrics", "refresh"], 0, Lines),
            (&["metrics", "dora", "shop"], 0, One),
            (&["metrics", "dora", "idle", "--by", "repository"], 0, One),
            (&["explain", "metric", "shop", "lead_time"], 0, One),
            (&["tags", "acme/ledger"], 0, One),
            (&["query", "SELECT id, title FROM pull_requests"], 0, One),
            (
                &["query", "SELECT id FROM pull_requests WHERE id = ''"],
                0,
                One,
            ),
            (&["tables"], 0, One),
            (&["tables", "pull_requests"], 0, One),
            (&["streams"], 0, One),
            (&["dead-letters"], 0, One),
            (&["scopes", "acme-cloud"], 0, One),
            (&["connection", "test"], 0, Lines),
            (&["config", "check"], 0, One),
            (&["config", "schema"], 0, One),
            (&["config", "schema", "--output", "schema.json"], 0, One),
            (&["import", "incidents", "good.csv"], 0, One),
            (&["table", "import", "incidents", "good.csv"], 0, One),
            (&["table", "compare", "incidents", "good.csv"], 0, One),
            (&["table", "compare", "incidents", "elsewhere.csv"], 5, One),
            (&["people", "join", "--dry-run"], 0, One),
            (&["people", "join"], 0, One),
            (&["raw", "export", "pull_requests", "raw.csv"], 0, One),
            (&["raw", "export", "pull_requests"], 0, Lines),
            (&["raw", "import", "pull_requests", "raw.csv"], 0, One),
            (&["--config", "new.toml", "init"], 0, One),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_prints_no_broken_json() {
    use Prints::{Lines, Nothing, One};
    let place = Place::new().await;
    place
        .run(vec![
            (&["verify"], 2, Nothing),
            (&["diff", "acme/rocket", "a..b"], 2, Nothing),
            (&["sync"], 0, Lines),
            (&["diff", "acme/nothing", "a..b"], 2, Nothing),
            (&["doctor", "nobody"], 2, Nothing),
            (&["plan", "nobody"], 2, Nothing),
            (&["metrics", "dora", "nobody"], 2, Nothing),
            (
                &[
                    "metrics",
                    "dora",
                    "shop",
                    "--from",
                    "2026-02-01",
                    "--to",
                    "2026-01-01",
                ],
                2,
                Nothing,
            ),
            (&["metrics", "refresh", "nobody"], 2, Nothing),
            (&["explain", "pr", "acme/nothing#1"], 2, Nothing),
            (&["query", "SELECT nothing FROM nowhere"], 2, Nothing),
            (
                &["query", "SELECT sha FROM commits", "--max-rows", "1"],
                6,
                One,
            ),
            (&["import", "incidents", "bad.csv"], 3, Nothing),
            (&["import", "incidents", "twice.csv"], 3, Nothing),
            (&["import", "incidents", "missing.csv"], 2, Nothing),
            (&["table", "import", "incidents", "bad.csv"], 3, Nothing),
            (&["table", "import", "incident", "good.csv"], 2, Nothing),
            (&["table", "compare", "incidents", "twice.csv"], 3, Nothing),
            (&["--config", "missing.toml", "plan"], 3, Nothing),
            (&["connection", "test", "nobody"], 2, Nothing),
        ])
        .await;
    place.simulator.set_faults(Some(Arc::new(|request| {
        let refused = request.path.contains("/pullrequests");
        let body = r#"{"type":"error","error":{"message":"Forbidden"}}"#;
        refused.then(|| Fault::Status(403, body.into(), Vec::new()))
    })));
    let refused: Vec<(&[&str], i32, Prints)> = vec![
        (&["verify"], 5, One),
        (&["sync"], 5, Lines),
        (&["status"], 0, One),
        (&["doctor"], 5, Lines),
    ];
    place.run(refused).await;
}
