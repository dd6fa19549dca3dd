//! Commits whose subject says the number of a pull request.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use headwater_domain::graph::{Commit, Graph};
use headwater_domain::merges::merged_number;
use headwater_store::{Store, StoreError};

/// Commits read at a time.
const PAGE: i64 = 10_000;

/// Commits that may say one number; of more, those with the first hashes are looked at.
const MOST: usize = 100;

/// A commit and when it was committed (UTC).
pub(super) type Dated = (Commit, Option<DateTime<Utc>>);

/// The first line of a message.
pub(super) fn subject_of(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// The commits that say these numbers, those nearest to a root first.
pub(super) async fn commits_by_number(
    store: &Store,
    repo_id: &str,
    graph: &Graph,
    wanted: impl Fn(i64) -> bool,
) -> Result<HashMap<i64, Vec<Dated>>, StoreError> {
    let mut found: HashMap<i64, Vec<Dated>> = HashMap::new();
    let mut after = String::new();
    loop {
        let commits = store.commits_naming(repo_id, &after, PAGE).await?;
        for naming in &commits {
            let number =
                merged_number(subject_of(&naming.message)).filter(|number| wanted(*number));
            let commit = naming.sha.parse().ok().and_then(|hash| graph.find(hash));
            if let (Some(number), Some(commit)) = (number, commit) {
                let known = found.entry(number).or_default();
                if known.len() < MOST {
                    known.push((commit, naming.committed));
                }
            }
        }
        match commits.last() {
            Some(last) if i64::try_from(commits.len()).is_ok_and(|it| it == PAGE) => {
                after.clone_from(&last.sha);
            }
            _ => break,
        }
    }
    for commits in found.values_mut() {
        commits.sort_by_cached_key(|(commit, _)| graph.height(*commit));
    }
    Ok(found)
}
