//! What commits change, as `git patch-id` names it: equal names, equal changes.

use std::collections::{HashMap, HashSet};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_git::{GitError, GitErrorKind, Running};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::mirror::{Mirror, feed};
use super::{ExtractError, GitSource, Stop, text};

/// Commits whose changes one pair of children reports.
const BATCH: usize = 256;

/// Two children that follow each other: one prints changes, the other names them. Options as in
/// counting, said so that no configuration changes them; large files count as binary ones.
const CHANGES: [&str; 15] = [
    "-c",
    "core.bigFileThreshold=8m",
    "diff-tree",
    "--stdin",
    "-r",
    "--patch",
    "--root",
    "--full-index",
    "--no-renames",
    "--diff-algorithm=myers",
    "--no-ext-diff",
    "--no-textconv",
    "--indent-heuristic",
    "--ignore-submodules=none",
    "--no-color",
];

/// A commit, and what it is compared with: another commit, else its first parent.
pub type Change = (String, Option<String>);

/// Names what these commits change. One that changes nothing has no name. The mirror must be a
/// full one that has all of these commits.
///
/// # Errors
/// When git fails, or it is cancelled.
pub async fn patch_ids(
    source: &GitSource<'_>,
    scope: &str,
    changes: &[Change],
    cancel: &CancellationToken,
) -> Result<HashMap<Change, String>, ExtractError> {
    in_batches(source, scope, (changes, cancel), |mirror, batch, named| {
        name(mirror, batch, named).boxed()
    })
    .await
}

/// Work on a batch of changes, which adds what it finds.
type Work<T> = for<'w> fn(
    &'w Mirror<'w>,
    &'w [Change],
    &'w mut HashMap<Change, T>,
) -> BoxFuture<'w, Result<(), GitError>>;

/// Works on changes batch by batch; children of the mirror end with it.
pub(super) async fn in_batches<T>(
    source: &GitSource<'_>,
    scope: &str,
    (changes, cancel): (&[Change], &CancellationToken),
    work: Work<T>,
) -> Result<HashMap<Change, T>, ExtractError> {
    let stop = cancel.child_token();
    let _ending = stop.clone().drop_guard();
    let mirror = Mirror {
        git: source.git,
        path: source.mirror,
        cancel: &stop,
    };
    let mut found = HashMap::with_capacity(changes.len());
    for batch in batches(changes).into_iter().filter(|it| !it.is_empty()) {
        let done = work(&mirror, batch, &mut found).await;
        done.map_err(|error| Stop::from(error).into_error(scope.to_owned(), source))?;
    }
    Ok(found)
}

/// What a child is asked for each change: the commit, and the other one where there is one.
pub(super) fn lines(batch: &[Change]) -> Vec<String> {
    let lines = batch.iter().map(|(commit, base)| match base {
        Some(base) => format!("{commit} {base}"),
        None => commit.clone(),
    });
    lines.collect()
}

/// Batches in each of which a commit occurs once, since commits are only identified by name.
fn batches(changes: &[Change]) -> Vec<&[Change]> {
    let mut batches = Vec::new();
    let mut seen = HashSet::new();
    let mut start = 0;
    for (place, (commit, _)) in changes.iter().enumerate() {
        if seen.len() == BATCH || !seen.insert(commit) {
            batches.push(&changes[start..place]);
            start = place;
            seen.clear();
            seen.insert(commit);
        }
    }
    batches.push(&changes[start..]);
    batches
}

async fn name(
    mirror: &Mirror<'_>,
    batch: &[Change],
    named: &mut HashMap<Change, String>,
) -> Result<(), GitError> {
    let asked = super::bounded(mirror.command()).args(CHANGES).fed();
    let mut changes = asked.stream(mirror.cancel)?;
    feed(&mut changes, lines(batch));
    let asked = mirror.command().args(["patch-id", "--stable"]).fed();
    let mut naming = asked.stream(mirror.cancel)?;
    let of_commit: HashMap<&str, &Change> = batch
        .iter()
        .map(|change| (change.0.as_str(), change))
        .collect();
    let input = naming.take_input();
    // Both at once: each of the two children waits for what it prints to be read.
    let passed = pass_on(&mut changes, input);
    let read = async {
        while let Some(line) = naming.record(b'\n').await?.map(text::text) {
            let found = line.split_once(' ');
            let found = found.and_then(|(id, commit)| Some((*of_commit.get(commit)?, id)));
            let Some((change, id)) = found else {
                return Err(naming.failure(GitErrorKind::Unexpected(line)));
            };
            named.insert(change.clone(), id.to_owned());
        }
        Ok(())
    };
    let (passed, read) = tokio::join!(passed, read);
    passed?;
    changes.finish().await?;
    read?;
    naming.finish().await.map(|_| ())
}

/// Hands what one child prints to another one.
async fn pass_on(from: &mut Running, to: Option<headwater_git::Input>) -> Result<(), GitError> {
    let Some(mut to) = to else {
        return Ok(());
    };
    while let Some(chunk) = from.chunk().await? {
        if to.write_all(chunk).await.is_err() {
            // It ended early, and says why itself.
            return Ok(());
        }
    }
    Ok(())
}
