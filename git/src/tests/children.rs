//! Reading what a child prints, and ending it.

use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::{git, go_on, program};
use crate::fixture::Repository;
use crate::{Command, Git, GitErrorKind};

/// A git whose subcommand `log` does as the lines of a shell script say.
async fn pretend(folder: &Path, lines: &str) -> Command {
    let lines = format!("[ $1 = version ] && exec echo git version 2.40.0\n{lines}");
    let program = program(folder, &lines);
    Git::find(Some(&program))
        .await
        .unwrap()
        .outside()
        .arg("log")
}

#[tokio::test]
async fn records_are_read_whole_whatever_their_length() {
    let mut source = Repository::new();
    let long = "x".repeat(700_000);
    for message in ["one", &long, "three"] {
        source.commit("main", message, &[]);
    }
    let subjects = ["log", "-z", "--format=%s", "--all"];
    let mut running = git()
        .await
        .in_repository(source.path())
        .args(subjects)
        .stream(&go_on())
        .unwrap();
    let mut lengths = Vec::new();
    while let Some(record) = running.record(0).await.unwrap() {
        lengths.push(record.len());
    }
    running.finish().await.unwrap();
    assert_eq!(lengths, [5, long.len(), 3]);
}

#[tokio::test]
async fn a_record_that_is_too_long_ends_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let command = pretend(folder.path(), "yes | tr -d '\\n'")
        .await
        .longest_record(100_000);
    let mut running = command.stream(&go_on()).unwrap();
    let error = running.record(b'\n').await.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::TooLong(100_000));
    let error = pretend(folder.path(), "yes")
        .await
        .output(5000, &go_on())
        .await
        .unwrap_err();
    assert_eq!(error.kind, GitErrorKind::TooLong(5000));
}

#[tokio::test]
async fn an_output_that_breaks_off_is_a_failure_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let command = pretend(folder.path(), "echo one; printf tw; kill -9 $$").await;
    let mut running = command.stream(&go_on()).unwrap();
    assert_eq!(running.record(b'\n').await.unwrap(), Some(&b"one"[..]));
    assert_eq!(running.record(b'\n').await.unwrap(), Some(&b"tw"[..]));
    assert_eq!(running.record(b'\n').await.unwrap(), None);
    let error = running.finish().await.unwrap_err();
    assert!(matches!(error.kind, GitErrorKind::Failed(_)), "{error}");
}

#[tokio::test]
async fn what_is_fed_is_answered_and_counted_bytes_are_read() {
    let mut source = Repository::new();
    let commit = source.commit("main", "one", &[("a", "content\nof two lines")]);
    let batch = ["cat-file", "--batch"];
    let command = git().await.in_repository(source.path()).args(batch).fed();
    let mut running = command.stream(&go_on()).unwrap();
    let mut input = running.take_input().unwrap();
    let asking = tokio::spawn(async move {
        for _ in 0..2000 {
            input
                .write_all(format!("{commit}:a\n").as_bytes())
                .await
                .unwrap();
        }
    });
    for _ in 0..2000 {
        let head = running.record(b'\n').await.unwrap().unwrap().to_vec();
        assert!(
            head.ends_with(b" blob 20"),
            "{}",
            String::from_utf8_lossy(&head)
        );
        assert_eq!(running.bytes(21).await.unwrap(), b"content\nof two lines\n");
    }
    asking.await.unwrap();
    assert_eq!(running.record(b'\n').await.unwrap(), None);
    running.finish().await.unwrap();
}

#[tokio::test]
async fn the_end_of_what_is_said_is_kept_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "i=0; while [ $i -lt 3000 ]; do echo \"noise number $i\" >&2; i=$((i+1)); done; \
                 echo 'fatal: the last word' >&2; exit 3";
    let error = pretend(folder.path(), lines)
        .await
        .run(&go_on())
        .await
        .unwrap_err();
    assert!(
        error.stderr.ends_with("fatal: the last word\n"),
        "{}",
        error.stderr
    );
    assert!(error.stderr.len() < 9000);
    assert_eq!(
        error.kind,
        GitErrorKind::Failed("exit status: 3".to_owned())
    );
}

/// A script that notes its own process and a grandchild's, says that it is there, and stays.
const STAYS: &str = "sleep 1000 & echo $$ $! > \"$(dirname $0)/processes\"; echo here; wait";

/// The processes that the script noted.
fn noted(folder: &Path) -> Vec<PathBuf> {
    let noted = std::fs::read_to_string(folder.join("processes")).unwrap();
    let in_proc = |id: &str| Path::new("/proc").join(id);
    noted.split_whitespace().map(in_proc).collect()
}

/// Waits until the processes have ended; ended ones whose parent has not asked do not count.
async fn are_gone(processes: &[PathBuf]) {
    let lives = |process: &PathBuf| {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    while processes.iter().any(lives) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_cancelled_command_ends_with_everything_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    let mut running = pretend(folder.path(), STAYS).await.stream(&cancel).unwrap();
    assert_eq!(running.record(b'\n').await.unwrap(), Some(&b"here"[..]));
    let processes = noted(folder.path());
    assert!(processes.len() == 2 && processes.iter().all(|process| process.exists()));
    cancel.cancel();
    let error = running.finish().await.unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Cancelled);
    are_gone(&processes).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dropped_command_ends_with_everything_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = pretend(folder.path(), STAYS)
        .await
        .stream(&go_on())
        .unwrap();
    running.record(b'\n').await.unwrap();
    let processes = noted(folder.path());
    drop(running);
    are_gone(&processes).await;
}

#[tokio::test]
async fn nothing_is_started_once_the_work_is_cancelled() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = git()
        .await
        .outside()
        .arg("version")
        .output(100, &cancel)
        .await
        .unwrap_err();
    assert_eq!(error.kind, GitErrorKind::Cancelled);
}
