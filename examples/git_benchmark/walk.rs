//! A history read without a database, to see how fast that is.

use std::path::Path;

use headwater_domain::graph::{CommitHash, GraphBuilder};
use headwater_git::{Command, Git, Running};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

/// What is read of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Its hash and those of its parents, which are put into a graph.
    Graph,
    /// People, dates and message as well, as reading a history does.
    Commits,
}

/// What a walk met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    pub(crate) commits: u64,
    pub(crate) parents: u64,
}

/// Fields of a commit, each of which ends with a NUL.
const FIELDS: &str = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";
const COUNT: usize = 9;

/// Reads every commit that a ref leads to, and keeps nothing.
pub(crate) async fn walk(git: &Git, path: &Path, what: Walk, cancel: &CancellationToken) -> Walked {
    let command = bounded(git.in_repository(path));
    match what {
        Walk::Graph => graph(command, cancel).await,
        Walk::Commits => commits(command, cancel).await,
    }
}

/// The settings under which a history is read.
fn bounded(command: Command) -> Command {
    command.args([
        "-c",
        "core.packedGitWindowSize=4m",
        "-c",
        "core.packedGitLimit=32m",
        "-c",
        "core.deltaBaseCacheLimit=8m",
    ])
}

/// Asks for all refs.
async fn started(command: Command, cancel: &CancellationToken) -> Running {
    let mut running = command.fed().stream(cancel).unwrap();
    let mut input = running.take_input().unwrap();
    input.write_all(b"--all\n").await.unwrap();
    running
}

async fn graph(command: Command, cancel: &CancellationToken) -> Walked {
    let list = command.args(["rev-list", "--stdin", "--parents"]);
    let mut running = started(list, cancel).await;
    let mut graph = GraphBuilder::default();
    while let Some(line) = running.record(b'\n').await.unwrap() {
        let hashes = line.split(|byte| *byte == b' ');
        let hashes = hashes.map(|hash| String::from_utf8_lossy(hash).parse().unwrap());
        let hashes: Vec<CommitHash> = hashes.collect();
        graph.add(hashes[0], &hashes[1..]).unwrap();
    }
    running.finish().await.unwrap();
    let graph = graph.finish();
    let parents = graph.commits().map(|it| graph.parents(it).len() as u64);
    Walked {
        commits: graph.len() as u64,
        parents: parents.sum(),
    }
}

async fn commits(command: Command, cancel: &CancellationToken) -> Walked {
    let log = command.longest_record(128 << 20).args([
        "log",
        "--stdin",
        "-z",
        "--no-patch",
        "--no-decorate",
        "--no-notes",
        "--no-show-signature",
        "--no-color",
        "--encoding=UTF-8",
        "--no-mailmap",
        FIELDS,
    ]);
    let mut running = started(log, cancel).await;
    let mut walked = Walked::default();
    let mut place = 0;
    while let Some(field) = running.record(0).await.unwrap() {
        if place % COUNT == 0 {
            walked.commits += 1;
        }
        if place % COUNT == 1 && !field.is_empty() {
            let more = field.split(|byte| *byte == b' ').count() as u64 - 1;
            walked.parents += more + 1;
        }
        place += 1;
    }
    running.finish().await.unwrap();
    walked
}
