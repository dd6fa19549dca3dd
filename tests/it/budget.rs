//! The budget of an hour, seen from outside: estimates, the ledger, and what waits for it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_simulator::{Fault, Options, Simulator, Size};
use headwater_store::query::Cell;
use serde_json::Value;
use tempfile::TempDir;

use crate::lake::{TOKEN, ask, headwater, stdout};

/// A folder with a configuration for a simulator.
struct Place {
    simulator: Simulator,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let options = Options {
            size: Size::tiny(),
            ..Options::default()
        };
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes the configuration with this limit.
    fn allow(&self, requests_per_hour: u32) {
        let text = format!(
            "[[connection]]\nid = 1\nname = \"acme-cloud\"\nkind = \"bitbucket-cloud\"\n\
             endpoint = \"{}\"\nauth.kind = \"api-token\"\nauth.email = \"me@example.com\"\n\
             auth.token = \"{TOKEN}\"\nrequests_per_hour = {requests_per_hour}\n\
             scopes = [\"acme/*\"]\n",
            self.simulator.endpoint()
        );
        std::fs::write(self.folder.path().join("headwater.toml"), text).unwrap();
    }

    /// The events of a sync that must succeed.
    async fn sync(&self) -> Vec<Value> {
        self.sync_with(&[]).await
    }

    async fn sync_with(&self, arguments: &'static [&'static str]) -> Vec<Value> {
        let folder = self.folder.path().to_owned();
        let arguments = [&["--json", "sync"], arguments].concat();
        let run = move || stdout(&headwater(&folder, &arguments));
        events(&tokio::task::spawn_blocking(run).await.unwrap())
    }

    /// The ledger: its one credential and the requests that count.
    async fn ledger(&self) -> (String, u64) {
        let sql = "SELECT credential, SUM(requests) FROM _headwater_requests GROUP BY credential";
        let answer = ask(&self.folder.path().join("headwater.db"), sql).await;
        assert_eq!(answer.rows.len(), 1);
        match &answer.rows[0][..] {
            [Cell::Text(credential), Cell::Integer(requests)] => {
                (credential.clone(), u64::try_from(*requests).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }
}

fn events(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

fn find<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = events.iter().find(|event| event["event"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {events:#?}"))
}

/// Requests as they were estimated, and as they were sent to collect.
fn estimated_and_collected(events: &[Value]) -> (u64, u64) {
    let steps = events
        .iter()
        .filter(|event| event["event"] == "step_finished");
    let collected = steps.map(|event| event["requests"].as_u64().unwrap()).sum();
    let estimated = find(events, "estimate")["requests"].as_u64().unwrap();
    (estimated, collected)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_already_is_estimated_exactly() {
    let place = Place::new().await;
    place.allow(1_000_000);
    let unknown = place
        .sync_with(&["--only", "repositories,pull_requests,pipelines"])
        .await;
    assert_eq!(
        find(&unknown, "estimate")["at_least"],
        true,
        "nobody was asked"
    );
    for arguments in [&[][..], &["--full"], &[]] {
        let events = place.sync_with(arguments).await;
        let (estimated, collected) = estimated_and_collected(&events);
        assert_eq!(estimated, collected, "{arguments:?}");
        assert!(collected > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_in_the_ledger_and_the_estimate_comes_close() {
    let place = Place::new().await;
    place.allow(5000);
    let first = place.sync().await;
    let sent = place.simulator.take_requests().len() as u64;
    assert_eq!(find(&first, "run_finished")["requests"], sent);
    let (credential, counted) = place.ledger().await;
    assert_eq!(counted, sent, "what was granted and not sent is given back");
    assert_eq!(credential.len(), 64);
    assert!(credential.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let estimate = find(&first, "estimate");
    assert_eq!(estimate["connection"], "acme-cloud");
    assert_eq!(estimate["per_hour"], 5000);
    assert_eq!(estimate["at_least"], false);
    let (estimated, collected) = estimated_and_collected(&first);
    // Too many by the comments of pull requests that have none.
    assert!(
        (collected..=collected * 3 / 2).contains(&estimated),
        "{estimated} estimated, {collected} sent"
    );

    // The next process goes on where this one stopped.
    let second = place.sync().await;
    let estimate = find(&second, "estimate");
    assert_eq!(estimate["at_least"], true);
    let listing_the_workspace = 1;
    assert_eq!(estimate["used"], sent + listing_the_workspace);
    let sent = sent + place.simulator.take_requests().len() as u64;
    assert_eq!(place.ledger().await, (credential, sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_in_the_middle_send_nothing_more() {
    const CONCURRENCY: u64 = 8;
    let place = Place::new().await;
    place.allow(1_000_000);
    let accepted = 20;
    let seen = AtomicU64::new(0);
    place.simulator.set_faults(Some(Arc::new(move |_| {
        let body = r#"{"type":"error","error":{"message":"Token is expired"}}"#;
        let refused = seen.fetch_add(1, Ordering::SeqCst) >= accepted;
        refused.then(|| Fault::Status(401, body.into(), Vec::new()))
    })));
    let folder = place.folder.path().to_owned();
    let run = move || headwater(&folder, &["sync"]).status.code();
    let code = tokio::task::spawn_blocking(run).await.unwrap();
    // 5 where a repository was complete before.
    assert!(matches!(code, Some(4 | 5)), "{code:?}");
    let sent = place.simulator.take_requests().len() as u64;
    // What was under way at that moment had left already.
    assert!(sent < accepted + 1 + CONCURRENCY, "{sent}");
    place.simulator.set_faults(None);
    place.sync().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_next_hour_says_until_when_and_can_be_stopped() {
    let place = Place::new().await;
    place.allow(5000);
    place.sync().await;
    let (_, used) = place.ledger().await;
    let sent = place.simulator.take_requests().len();
    // With a lower limit the hour is over already.
    place.allow(u32::try_from(used).unwrap());
    let folder = place.folder.path().to_owned();
    let (limited, code) = tokio::task::spawn_blocking(move || stopped_when_limited(&folder))
        .await
        .unwrap();
    assert_eq!(limited["cause"], "budget");
    assert_eq!(limited["connection"], "acme-cloud");
    assert!(
        limited["until"].as_str().unwrap().ends_with('Z'),
        "{limited}"
    );
    assert_eq!(code, Some(130));
    assert_eq!(place.simulator.take_requests().len(), 0, "after {sent}");
}

/// Runs a sync until it says that it waits, then interrupts it. Returns what it said, and its exit
/// code.
#[cfg(unix)]
fn stopped_when_limited(folder: &Path) -> (Value, Option<i32>) {
    let mut child = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_headwater")))
        .args(["--json", "sync"])
        .current_dir(folder)
        .env_remove("HEADWATER_CONFIG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let limited = loop {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if event["event"] == "rate_limited" {
            break event;
        }
    };
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let status = child.wait().unwrap();
    (limited, status.code())
}

/// A program under a terminal of its own, which the system's `script` makes. What it draws comes
/// out of standard output as it is; the program's number is the first line.
#[cfg(target_os = "linux")]
fn at_a_terminal(folder: &Path) -> std::process::Child {
    let program = env!("CARGO_BIN_EXE_headwater");
    let command = format!("stty cols 100 rows 30; echo $$; exec '{program}' sync");
    let started = Command::new("script")
        .args([
            "--quiet",
            "--flush",
            "--return",
            "--command",
            &command,
            "/dev/null",
        ])
        .current_dir(folder)
        .env_remove("HEADWATER_CONFIG")
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    started.expect("script of util-linux is needed to make a terminal")
}

/// The countdowns in what was drawn, in order, each once.
#[cfg(target_os = "linux")]
fn countdowns(drawn: &str) -> Vec<String> {
    let shown = regex::Regex::new(r"goes on in (\d:\d\d:\d\d)").unwrap();
    let mut shown: Vec<String> = shown
        .captures_iter(drawn)
        .map(|found| found[1].to_owned())
        .collect();
    shown.dedup();
    shown
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_a_countdown_while_the_run_waits_and_erases_it_in_the_end() {
    use std::io::Read as _;

    let place = Place::new().await;
    place.allow(5000);
    place.sync().await;
    let (_, used) = place.ledger().await;
    place.allow(u32::try_from(used).unwrap());
    let mut child = at_a_terminal(place.folder.path());
    let mut out = child.stdout.take().unwrap();
    let drawn = tokio::task::spawn_blocking(move || {
        let mut drawn = Vec::new();
        let mut part = [0; 4096];
        let mut is_stopped = false;
        loop {
            let read = out.read(&mut part).unwrap();
            if read == 0 {
                return String::from_utf8_lossy(&drawn).into_owned();
            }
            drawn.extend_from_slice(&part[..read]);
            let so_far = String::from_utf8_lossy(&drawn);
            if !is_stopped && countdowns(&so_far).len() >= 3 {
                let process = so_far.lines().next().unwrap().trim().to_owned();
                let sent = Command::new("kill").args(["-INT", &process]).status();
                assert!(sent.unwrap().success(), "{so_far}");
                is_stopped = true;
            }
        }
    });
    let limit = std::time::Duration::from_mins(1);
    let drawn = tokio::time::timeout(limit, drawn).await.unwrap().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{drawn}");
    let shown = countdowns(&drawn);
    assert!(
        shown.is_sorted_by(|a, b| a > b),
        "it counts down: {shown:?}"
    );
    let last = drawn.rfind("goes on in").unwrap();
    let after = &drawn[last..];
    assert!(after.contains("\u{1b}[2K"), "the line is erased: {after:?}");
    assert!(after.contains("interrupted"), "{after:?}");
}
