//! How much lies between two commits: lines and files, counted as those of commits are.

use std::collections::HashMap;

use futures::FutureExt as _;
use headwater_domain::merges::SizeOfChange;
use headwater_git::{GitError, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::counting::counting;
use super::mirror::{Mirror, feed};
use super::numstat::{Parser, Printed};
use super::patches::{in_batches, lines};
use super::{Change, ExtractError, GitSource};

/// Counts what these commits change: lines and files. The mirror must be a full one that has all of
/// these commits.
///
/// # Errors
/// When git fails, or it is cancelled.
pub async fn sizes_of(
    source: &GitSource<'_>,
    scope: &str,
    changes: &[Change],
    cancel: &CancellationToken,
) -> Result<HashMap<Change, SizeOfChange>, ExtractError> {
    in_batches(
        source,
        scope,
        (changes, cancel),
        |mirror, batch, counted| count(mirror, batch, counted).boxed(),
    )
    .await
}

async fn count(
    mirror: &Mirror<'_>,
    batch: &[Change],
    counted: &mut HashMap<Change, SizeOfChange>,
) -> Result<(), GitError> {
    let mut printed = counting(mirror.command()).fed().stream(mirror.cancel)?;
    feed(&mut printed, lines(batch));
    let of_commit: HashMap<&[u8], &Change> = batch
        .iter()
        .map(|change| (change.0.as_bytes(), change))
        .collect();
    let (mut parser, mut current) = (Parser::default(), None);
    while let Some(chunk) = printed.chunk().await? {
        let mut strange = false;
        let pushed = parser.push(chunk, |part| match part {
            Printed::Commit(sha) => {
                current = of_commit.get(sha).copied();
                strange |= current.is_none();
                counted.extend(current.map(|change| (change.clone(), SizeOfChange::default())));
            }
            Printed::File {
                additions,
                deletions,
                ..
            } => match current.and_then(|change| counted.get_mut(change)) {
                Some(size) => size.add_file(additions, deletions),
                None => strange = true,
            },
            Printed::End => {}
        });
        let unexpected = pushed.err().or_else(|| {
            let what = "lines of a commit that was not asked for".to_owned();
            strange.then_some(what)
        });
        if let Some(what) = unexpected {
            return Err(printed.failure(GitErrorKind::Unexpected(what)));
        }
    }
    printed.finish().await.map(|_| ())
}
