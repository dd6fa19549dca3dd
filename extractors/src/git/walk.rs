//! A history read without a database, to see how fast that is.

use std::path::Path;

use headwater_domain::graph::{CommitHash, Graph, GraphBuilder, GraphError};
use headwater_git::{Git, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::mirror::{Mirror, feed};
use super::{ExtractError, GitSource, Stop, history};

/// What a walk met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Commits.
    pub commits: u64,
    /// Their parents.
    pub parents: u64,
}

/// What is read of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Its hash and those of its parents, which are put into a [`Graph`].
    Graph,
    /// People, dates and message as well, as [`run`](super::run) reads them.
    Commits,
}

/// Reads every commit that a ref leads to, and keeps nothing.
///
/// # Errors
/// When git fails or it is cancelled.
pub async fn walk(
    git: &Git,
    path: &Path,
    what: Walk,
    cancel: &CancellationToken,
) -> Result<Walked, ExtractError> {
    let walked = read(&Mirror { git, path, cancel }, what).await;
    walked.map_err(|stop| {
        let source = GitSource {
            repo_id: "",
            mirror: path,
            git,
        };
        stop.into_error(path.display().to_string(), &source)
    })
}

async fn read(mirror: &Mirror<'_>, what: Walk) -> Result<Walked, Stop> {
    let refs = mirror.refs().await?;
    if refs.tips.is_empty() {
        return Ok(Walked::default());
    }
    let tips = refs.tips.into_iter().collect();
    match what {
        Walk::Graph => {
            let graph = graph(mirror, tips).await?;
            let parents = graph.commits().map(|it| graph.parents(it).len() as u64);
            Ok(Walked {
                commits: graph.len() as u64,
                parents: parents.sum(),
            })
        }
        Walk::Commits => commits(mirror, tips).await,
    }
}

async fn graph(mirror: &Mirror<'_>, tips: Vec<String>) -> Result<Graph, Stop> {
    let list = super::bounded(mirror.command()).args(["rev-list", "--stdin", "--parents"]);
    let mut running = list.fed().stream(mirror.cancel)?;
    feed(&mut running, tips);
    let mut graph = GraphBuilder::default();
    let mut parents = Vec::new();
    while let Some(line) = running.record(b'\n').await? {
        let read = add(&mut graph, line, &mut parents);
        if let Err(error) = read {
            let kind = GitErrorKind::Unexpected(error.to_string());
            return Err(running.failure(kind).into());
        }
    }
    running.finish().await?;
    Ok(graph.finish())
}

/// Adds a commit: its hash and those of its parents, with spaces between.
fn add(
    graph: &mut GraphBuilder,
    line: &[u8],
    parents: &mut Vec<CommitHash>,
) -> Result<(), GraphError> {
    let mut hashes = line
        .split(|byte| *byte == b' ')
        .map(|hash| String::from_utf8_lossy(hash).parse());
    let commit = hashes
        .next()
        .unwrap_or_else(|| Err(GraphError::NotAHash(String::new())))?;
    parents.clear();
    for parent in hashes {
        parents.push(parent?);
    }
    graph.add(commit, parents)
}

async fn commits(mirror: &Mirror<'_>, tips: Vec<String>) -> Result<Walked, Stop> {
    let mut walked = Walked::default();
    let mailmap = mirror.mailmap().await?.is_some();
    let log = history::log(mirror.command(), mailmap).fed();
    let mut running = log.stream(mirror.cancel)?;
    feed(&mut running, tips);
    while let Some(commit) = history::next(&mut running).await? {
        walked.commits += 1;
        walked.parents += commit.parents.len() as u64;
    }
    running.finish().await?;
    Ok(walked)
}
