//! The contents of a commit range.

use std::collections::{BTreeMap, HashSet};

use headwater_domain::Scope;
use headwater_domain::graph::Graph;
use headwater_store::Store;
use headwater_store::range_contents::{BroughtCommit, BroughtIssue, BroughtPullRequest};

use crate::exit::Failure;

/// An author of commits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) commits: usize,
}

/// Commits of a range in their order, with their contents.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) commits: Vec<BroughtCommit>,
    pub(super) pull_requests: Vec<BroughtPullRequest>,
    pub(super) issues: Vec<BroughtIssue>,
    pub(super) authors: Vec<Author>,
}

impl Contents {
    pub(super) async fn read(
        store: &Store,
        scope: &Scope,
        (repository, graph): (&str, &Graph),
        shas: &[String],
    ) -> Result<Self, Failure> {
        let found: HashSet<&str> = shas.iter().map(String::as_str).collect();
        let merged = store.merged_pull_requests(repository).await?;
        let is_brought = |pull_request: &BroughtPullRequest| {
            if !pull_request.merged_with.is_empty() {
                let mut tips = pull_request.merged_with.iter();
                return tips.any(|tip| found.contains(tip.as_str()));
            }
            // Nothing was linked with it: what the source says of it is all there is.
            let merge = pull_request.merge_commit.as_str();
            let is_known = merge.parse().is_ok_and(|hash| graph.find(hash).is_some());
            found.contains(merge)
                || (!is_known
                    && pull_request
                        .commits
                        .iter()
                        .any(|c| found.contains(c.as_str())))
        };
        let pull_requests: Vec<BroughtPullRequest> =
            merged.into_iter().filter(is_brought).collect();
        let by_commit = store.issues_by_commit(scope, repository).await?;
        let direct = shas.iter().filter_map(|sha| by_commit.get(sha)).flatten();
        let named = pull_requests.iter().flat_map(|pr| &pr.issues);
        let issues: HashSet<String> = direct.chain(named).cloned().collect();
        let commits = store.commits_brought(shas).await?;
        Ok(Self {
            issues: store.issues_brought(&issues).await?,
            authors: authors_of(&commits),
            pull_requests,
            commits,
        })
    }
}

/// Who wrote most comes first.
fn authors_of(commits: &[BroughtCommit]) -> Vec<Author> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for commit in commits {
        let who = (commit.author_name.as_str(), commit.author_email.as_str());
        *counts.entry(who).or_default() += 1;
    }
    let authors = counts.into_iter().map(|((name, email), commits)| Author {
        name: name.to_owned(),
        email: email.to_owned(),
        commits,
    });
    let mut authors: Vec<Author> = authors.collect();
    authors.sort_by_key(|author| std::cmp::Reverse(author.commits));
    authors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_counted_the_busiest_first() {
        let commit = |name: &str| BroughtCommit {
            author_name: name.to_owned(),
            ..BroughtCommit::default()
        };
        let authors = authors_of(&[commit("Ann"), commit("Bob"), commit("Bob")]);
        let shown: Vec<_> = authors
            .iter()
            .map(|a| (a.name.as_str(), a.commits))
            .collect();
        assert_eq!(shown, [("Bob", 2), ("Ann", 1)]);
    }
}
