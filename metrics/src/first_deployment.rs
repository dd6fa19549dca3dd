//! Which deployment was the first to ship a commit.

use std::collections::HashMap;
use std::sync::Arc;

use headwater_domain::graph::{Commit, CommitHash, Graph, RangeWalk};

use crate::{DeploymentRows, Facts, History};

/// The commits that each row was the first to bring, by repository.
pub(crate) struct FirstDeployments {
    /// Row by (`repo_id` of the row, commit).
    rows: HashMap<String, HashMap<Arc<str>, usize>>,
    /// For each row the commits that it was the first to bring.
    pub(crate) new_commits: Vec<Vec<Arc<str>>>,
    /// Rows whose commits are unknown.
    pub(crate) missing_history: Vec<bool>,
}

impl FirstDeployments {
    /// Compares each row with its predecessor.
    pub(crate) fn of(facts: &Facts, deployments: &DeploymentRows) -> Self {
        let mut walks: HashMap<&str, RangeWalk<'_>> = HashMap::new();
        let mut found = Self {
            rows: HashMap::new(),
            new_commits: Vec::with_capacity(deployments.rows.len()),
            missing_history: vec![false; deployments.rows.len()],
        };
        for (number, row) in deployments.rows.iter().enumerate() {
            let Some(predecessor) = row.predecessor else {
                found.new_commits.push(Vec::new());
                continue;
            };
            let (new, old) = (&row.commit_sha, &deployments.rows[predecessor].commit_sha);
            let commits =
                if let Some(commits) = compared(facts, &row.repository, new, old, &mut walks) {
                    commits
                } else {
                    found.missing_history[number] = true;
                    Vec::new()
                };
            found.note(number, &row.repo_id, commits);
        }
        found
    }

    fn note(&mut self, row: usize, repo_id: &str, commits: Vec<String>) {
        let rows = self.rows.entry(repo_id.to_owned()).or_default();
        let mut first = Vec::new();
        for commit in commits {
            if let std::collections::hash_map::Entry::Vacant(place) = rows.entry(commit.into()) {
                first.push(Arc::clone(place.key()));
                place.insert(row);
            }
        }
        self.new_commits.push(first);
    }

    /// The row that was the first to bring a commit of a repository. Rows that name no repository
    /// may have deployed commits of any.
    pub(crate) fn of_commit(&self, repo_id: &str, commit: &str) -> Option<usize> {
        let of = |repo_id: &str| self.rows.get(repo_id)?.get(commit).copied();
        match (of(repo_id), of("")) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl FirstDeployments {
    /// The rows that were the first to bring a commit of any repository.
    pub(crate) fn rows_of<'c>(&'c self, commit: &'c str) -> impl Iterator<Item = usize> + 'c {
        self.rows
            .values()
            .filter_map(move |rows| rows.get(commit).copied())
    }
}

/// What `new` has that `old` does not have; none where nothing stored can tell.
fn compared<'f>(
    facts: &'f Facts,
    repository: &str,
    new: &str,
    old: &str,
    walks: &mut HashMap<&'f str, RangeWalk<'f>>,
) -> Option<Vec<String>> {
    if new == old {
        return Some(Vec::new());
    }
    if let Some((name, history)) = facts.histories.get_key_value(repository)
        && let (Some(new), Some(old)) = (history.find(new), history.find(old))
    {
        let walk = walks
            .entry(name.as_str())
            .or_insert_with(|| RangeWalk::over(&history.graph));
        let difference = walk.difference(new, old);
        let commits = difference.commits.iter();
        return Some(commits.map(|it| history.name(*it)).collect());
    }
    let pair = (new.to_owned(), old.to_owned());
    facts.stored_differences.get(&pair).cloned()
}

impl History {
    /// A commit that the repository has.
    pub(crate) fn find(&self, sha: &str) -> Option<Commit> {
        find(&self.graph, sha)
    }
}

pub(crate) fn find(graph: &Graph, sha: &str) -> Option<Commit> {
    graph.find(CommitHash::named(sha))
}
