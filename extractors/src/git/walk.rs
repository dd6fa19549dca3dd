//! A history read without a database, to see how fast that is.

use headwater_git::Git;
use std::path::Path;
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

/// Reads every commit that a ref leads to, as [`run`](super::run) does, and keeps nothing.
///
/// # Errors
/// When git fails or it is cancelled.
pub async fn walk(
    git: &Git,
    path: &Path,
    cancel: &CancellationToken,
) -> Result<Walked, ExtractError> {
    let walked = read(&Mirror { git, path, cancel }).await;
    walked.map_err(|stop| {
        let source = GitSource {
            repo_id: "",
            mirror: path,
            git,
        };
        stop.into_error(path.display().to_string(), &source)
    })
}

async fn read(mirror: &Mirror<'_>) -> Result<Walked, Stop> {
    let refs = mirror.refs().await?;
    let mut walked = Walked::default();
    if refs.tips.is_empty() {
        return Ok(walked);
    }
    let mailmap = mirror.mailmap().await?.is_some();
    let log = history::log(mirror.command(), mailmap).fed();
    let mut running = log.stream(mirror.cancel)?;
    feed(&mut running, refs.tips.into_iter().collect());
    while let Some(commit) = history::next(&mut running).await? {
        walked.commits += 1;
        walked.parents += commit.parents.len() as u64;
    }
    running.finish().await?;
    Ok(walked)
}
