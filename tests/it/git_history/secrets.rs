//! Secrets of git are found nowhere: not on disk, not in what is printed, not among processes.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_simulator::{Credentials, Fault, OnRequest, Options, Simulator, Size};
use headwater_testing::On::Sqlite;

use super::servers::cloud;
use crate::lake::Lake;

const TOKEN: &str = "s3cr3t-t0ken-that-nobody-may-see";

/// The token, and beginnings of it in Base64 behind either user, at any alignment.
fn needles() -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut needles = vec![TOKEN.as_bytes().to_vec()];
    for user in [
        "x-bitbucket-api-token-auth",
        "x-token-auth",
        "me@example.com",
    ] {
        needles.push(engine.encode(format!("{user}:{TOKEN}")).into_bytes());
    }
    for skipped in 0..3 {
        let encoded = engine.encode(&TOKEN.as_bytes()[skipped..]);
        needles.push(encoded.as_bytes()[..20].to_vec());
    }
    needles
}

fn assert_absent(what: &str, bytes: &[u8]) {
    for needle in needles() {
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        let needle = String::from_utf8_lossy(&needle).into_owned();
        assert!(!found, "{what} holds the secret as {needle}");
    }
}

fn assert_absent_below(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            assert_absent_below(&path);
        } else if path.file_name().is_some_and(|name| name != "token.txt") {
            let bytes = std::fs::read(&path).unwrap_or_default();
            assert_absent(&path.display().to_string(), &bytes);
        }
    }
}

/// Command lines of all processes but this one, and how many of them are git's.
fn command_lines() -> Vec<(PathBuf, Vec<u8>)> {
    let own = std::process::id().to_string();
    let mut lines = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.bytes().all(|byte| byte.is_ascii_digit()) && name != own {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            lines.push((entry.path(), line));
        }
    }
    lines
}

fn is_below(process: &Path, ancestor: u32) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let parent = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
    match parent {
        Some(parent) if parent == ancestor => true,
        Some(0 | 1) | None => false,
        Some(parent) => is_below(Path::new(&format!("/proc/{parent}")), ancestor),
    }
}

async fn company() -> Simulator {
    let options = Options {
        size: Size::tiny(),
        credentials: Credentials {
            api_tokens: vec![("me@example.com".to_owned(), TOKEN.to_owned())],
            ..Credentials::default()
        },
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_in_no_file_no_output_and_no_command_line_while_git_fetches() {
    let simulator = company().await;
    let auth = "kind = \"api-token\", email = \"me@example.com\", token = \"file:token.txt\"";
    let configuration = cloud(&simulator, auth, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    std::fs::write(lake.folder().join("token.txt"), format!("{TOKEN}\n")).unwrap();
    // Git waits for an answer that never comes, in plain view.
    let hanging: OnRequest = Arc::new(|request| {
        request
            .path
            .ends_with("/git-upload-pack")
            .then_some(Fault::Hang)
    });
    simulator.set_faults(Some(hanging));
    // Its output is not read until it has ended.
    let mut child = lake.start(&["sync"]);
    let began = Instant::now();
    let mut seen = 0;
    while seen < 2 && began.elapsed() < Duration::from_mins(1) {
        let lines = command_lines();
        for (process, line) in &lines {
            assert_absent(&format!("{}", process.display()), line);
            let is_git = String::from_utf8_lossy(line).contains("git");
            seen += usize::from(is_git && is_below(process, child.id()));
        }
        assert_absent_below(lake.folder());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(seen >= 2, "git was seen while it waited");
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_absent("the log", &output.stderr);
    assert_absent("the output", &output.stdout);
    simulator.behave();
    for arguments in [
        &["-vv", "sync"][..],
        &["--json", "sync", "--full"],
        &["-vv", "connection", "test"],
    ] {
        let output = lake.start(arguments).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_absent("the log", &output.stderr);
        assert_absent("the output", &output.stdout);
    }
    assert_absent_below(lake.folder());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_found_nowhere_either() {
    let simulator = company().await;
    let refused: OnRequest =
        Arc::new(|request| request.path.contains(".git/").then(|| Fault::status(401)));
    simulator.set_faults(Some(refused));
    let auth = "kind = \"api-token\", email = \"me@example.com\", token = \"file:token.txt\"";
    let configuration = cloud(&simulator, auth, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    std::fs::write(lake.folder().join("token.txt"), format!("{TOKEN}\n")).unwrap();
    for (arguments, code) in [
        (&["-vv", "sync"][..], 5),
        (&["-vv", "connection", "test"], 4),
    ] {
        let output = lake.start(arguments).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert_absent("the log", &output.stderr);
        assert_absent("the output", &output.stdout);
    }
    assert_absent_below(lake.folder());
}
