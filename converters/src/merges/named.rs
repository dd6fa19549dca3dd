//! Commits whose subject says the number of a pull request.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use headwater_domain::graph::{Commit, Graph, RangeWalk};
use headwater_domain::merges::{Method, brought_by, merged_number};
use headwater_store::{Store, StoreError};

use super::destinations::Destinations;
use super::engine::{Linked, Linking};
use super::patches::Stop;

/// Commits read at a time.
const PAGE: i64 = 10_000;

/// Commits that may say one number; of more, those with the first hashes are looked at.
const MOST: usize = 100;

/// A commit and when it was committed (UTC).
type Dated = (Commit, Option<DateTime<Utc>>);

/// The first line of a message.
pub(super) fn subject_of(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// The commits that say these numbers, those nearest to a root first.
async fn commits_by_number(
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

impl Linking<'_> {
    /// Finds commits of the destination that say the number of a pull request which nothing else
    /// was found of.
    pub(super) async fn by_number(
        &self,
        linked: &mut [Linked],
        graph: &Graph,
        destinations: &mut Destinations<'_>,
    ) -> Result<(), Stop> {
        let mut left: Vec<&mut Linked> =
            linked.iter_mut().filter(|it| it.links.is_empty()).collect();
        let numbers: HashSet<i64> = left.iter().map(|it| it.row.number).collect();
        if numbers.is_empty() || graph.is_empty() {
            return Ok(());
        }
        let wanted = |number| numbers.contains(&number);
        let named = commits_by_number(self.store, self.repo_id, graph, wanted).await?;
        let mut walk = RangeWalk::over(graph);
        for pull_request in &mut left {
            let named = named.get(&pull_request.row.number);
            pull_request.is_named = named.is_some();
            let reach = destinations.reach(&pull_request.row.base_ref);
            let (Some(named), Some(reach)) = (named, reach) else {
                continue;
            };
            let created = pull_request.row.created;
            // A number that was said before there was such a pull request is of something else.
            let fits = |committed: Option<_>| committed.zip(created).is_none_or(|(c, p)| c >= p);
            let mut named = named.iter();
            let found = named.find(|(commit, at)| reach.has(*commit) && fits(*at));
            if let Some((commit, _)) = found {
                let source = pull_request.source();
                let links = brought_by(&mut walk, graph, *commit, source, Method::Number);
                pull_request.links = links;
            }
        }
        Ok(())
    }
}
