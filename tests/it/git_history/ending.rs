//! The program gets the signal to stop, or killed, while git clones, fetches or is read.

#![cfg(unix)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::exit::Exit;
use headwater_git::fixture::Repository;
use headwater_simulator::{Fault, GitChange, OnRequest, Simulator};
use headwater_testing::On::Sqlite;

use super::servers::{cloud, simulator};
use super::{assert_equals_fresh, leftovers, plain_configuration, stored_commits, texts};
use crate::lake::{How, Lake};

/// What the program promises is two seconds; a machine that is busy with other tests may be late.
const BOUND: Duration = Duration::from_secs(5);

const AUTH: &str = "kind = \"api-token\", email = \"me@example.com\", token = \"api-token\"";

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Git waits for ever for what it asked for.
fn hang(simulator: &Simulator) {
    let hanging: OnRequest = Arc::new(|request| {
        request
            .path
            .ends_with("/git-upload-pack")
            .then_some(Fault::Hang)
    });
    let _ = simulator.take_requests();
    simulator.set_faults(Some(hanging));
}

async fn until_git_waits(simulator: &Simulator) {
    let began = Instant::now();
    let asked = || {
        let requests = simulator.requests();
        requests
            .iter()
            .any(|it| it.path.ends_with("/git-upload-pack"))
    };
    while !asked() {
        assert!(began.elapsed() < Duration::from_mins(1), "git does not ask");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Processes of git that read a mirror below a folder.
fn gits_below(folder: &std::path::Path) -> usize {
    let folder = folder.display().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_ours = processes.filter(|process| {
        let read = |name| std::fs::read(process.path().join(name)).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        let place = std::fs::read_link(process.path().join("cwd")).unwrap_or_default();
        line.contains("git") && (line.contains(&folder) || place.starts_with(&folder))
    });
    of_ours.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_while_git_waits_ends_it_with_the_program() {
    let simulator = simulator().await;
    let configuration = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    hang(&simulator);
    let mut child = lake.start(&["sync"]);
    until_git_waits(&simulator).await;
    send("-INT", &child);
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(began.elapsed() < BOUND, "it took {:?}", began.elapsed());
    assert_eq!(status.code(), Some(130));
    let began = Instant::now();
    while gits_below(lake.folder()) > 0 {
        assert!(began.elapsed() < BOUND, "git goes on without us");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    simulator.behave();
    let (exit, summary) = lake.sync(How::default()).await;
    let told = "SELECT message FROM _headwater_steps WHERE message <> ''";
    assert_eq!(
        exit,
        Exit::Ok,
        "{summary:?}: {:?}",
        texts(&lake, told).await
    );
    assert_equals_fresh(Sqlite, &lake, &configuration).await;
    assert_eq!(leftovers(lake.folder()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_while_it_clones_or_fetches_is_followed_by_one_that_mends_it() {
    let simulator = simulator().await;
    let configuration = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    for what in ["clone", "fetch"] {
        hang(&simulator);
        let mut child = lake.start(&["sync"]);
        until_git_waits(&simulator).await;
        child.kill().unwrap();
        child.wait().unwrap();
        simulator.behave();
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok, "{what}");
        assert_equals_fresh(Sqlite, &lake, &configuration).await;
        assert_eq!(leftovers(lake.folder()), [""; 0], "{what}");
        let mut world = simulator.world();
        let slug = world.repositories()[0].slug.clone();
        world
            .change_git(&slug, &GitChange::Push { count: 2 })
            .unwrap();
    }
}

/// Git's answers come in pieces, so that a pack is on its way for a while.
fn slow_packs(simulator: &Simulator) {
    let slow: OnRequest = Arc::new(|request| {
        let is_git = request.path.ends_with("/git-upload-pack");
        is_git.then_some(Fault::Slow(Duration::from_millis(150)))
    });
    simulator.set_faults(Some(slow));
}

fn has_part_of_a_pack(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("tmp_pack") || has_part_of_a_pack(&path)
    })
}

async fn until_part_of_a_pack_is_there(lake: &Lake) {
    let began = Instant::now();
    while !has_part_of_a_pack(lake.folder()) {
        assert!(began.elapsed() < Duration::from_mins(1), "no pack comes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_within_a_pack_is_followed_by_one_that_leaves_nothing_of_it() {
    let simulator = simulator().await;
    let configuration = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    for what in ["clone", "fetch"] {
        {
            // Git takes a small pack apart while it comes, and keeps a larger one.
            let mut world = simulator.world();
            let slug = world.repositories()[0].slug.clone();
            let pushed = world.change_git(&slug, &GitChange::Push { count: 300 });
            pushed.unwrap();
        }
        slow_packs(&simulator);
        let mut child = lake.start(&["sync"]);
        until_part_of_a_pack_is_there(&lake).await;
        child.kill().unwrap();
        child.wait().unwrap();
        simulator.behave();
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok, "{what}");
        assert_equals_fresh(Sqlite, &lake, &configuration).await;
        assert_eq!(leftovers(lake.folder()), [""; 0], "{what}");
    }
}

/// A history that takes a while to be read.
fn long(commits: usize) -> Repository {
    let source = Repository::new();
    let mut stream = String::new();
    for number in 0..commits {
        let message = format!("commit {number}");
        let content = format!("{number}\n").repeat(number % 7 + 1);
        let date = 1_600_000_000 + number * 60;
        let _ = write!(
            stream,
            "commit refs/heads/main\nmark :{}\nauthor Ada <ada{}@example.com> {date} +0000\n\
             committer Ada <ada@example.com> {date} +0000\ndata {}\n{message}\n",
            number + 1,
            number % 50,
            message.len()
        );
        if number > 0 {
            let _ = writeln!(stream, "from :{number}");
        }
        let _ = write!(
            stream,
            "M 100644 inline f{}.txt\ndata {}\n{content}\n",
            number % 100,
            content.len()
        );
    }
    source.import(stream.as_bytes());
    source
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_while_it_reads_a_history_goes_on_where_it_was() {
    let mut source = long(6_000);
    let url = source.path().display().to_string();
    let rules = "\n[scope_config.default]\nline_counts = true\n";
    let configuration = format!("{}{rules}", plain_configuration(&[("tools/widget", &url)]));
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    assert_eq!(
        lake.start(&["collect"])
            .wait_with_output()
            .unwrap()
            .status
            .code(),
        Some(0)
    );
    let mut killed_within = 0;
    for round in 0..6_u64 {
        let before = stored_commits(&lake).await.len();
        let mut child = lake.start(&["sync"]);
        // At the first rows, or a little later.
        let began = Instant::now();
        while stored_commits(&lake).await.len() == before
            && child.try_wait().unwrap().is_none()
            && began.elapsed() < Duration::from_secs(30)
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        killed_within += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        source.git(&["update-ref", "refs/heads/main", "main~3"]);
        source.commit("main", &format!("instead {round}"), &[("x.txt", "1\n")]);
    }
    assert!(killed_within > 0, "some kill must come while it reads");
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_eq!(stored_commits(&lake).await, super::commits_of(&source));
    assert_equals_fresh(Sqlite, &lake, &configuration).await;
    assert_eq!(leftovers(lake.folder()), [""; 0]);
}
