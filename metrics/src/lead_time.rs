//! How long a merged pull request took, and which deployment shipped it: `project_pr_metrics`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use headwater_domain::graph::Reach;

use crate::first_deployment::FirstDeployments;
use crate::numbers::{milliseconds, seconds, span};
use crate::{DeploymentRows, Facts, Moment, PullRequest};

/// Why a merged pull request has no deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotDeployed {
    /// No commit is known that it became.
    NoMergeCommit,
    /// Nothing of its repository was deployed to production.
    NoProductionDeployments,
    /// The repository has commits, but none that it became.
    MergeCommitUnknown,
    /// It was in the repository's first deployment, which is compared with nothing.
    InFirstDeployment,
    /// No deployment has it yet.
    NotDeployed,
}

impl NotDeployed {
    /// The text in `project_pr_metrics.reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoMergeCommit => "NO_MERGE_COMMIT",
            Self::NoProductionDeployments => "NO_PRODUCTION_DEPLOYMENTS",
            Self::MergeCommitUnknown => "MERGE_COMMIT_UNKNOWN",
            Self::InFirstDeployment => "IN_FIRST_DEPLOYMENT",
            Self::NotDeployed => "NOT_DEPLOYED",
        }
    }
}

/// One row of `project_pr_metrics`. Minutes are rounded up, seconds down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadTime {
    /// Id of the pull request.
    pub id: String,
    /// Its repository; the pull requests of one share the text.
    pub repository: Arc<str>,
    /// Its first commit.
    pub first_commit: Option<(Moment, String)>,
    /// Its first review.
    pub first_review: Option<(Moment, String)>,
    /// When it was created.
    pub created: Option<Moment>,
    /// When it was merged.
    pub merged: Moment,
    /// The row that was the first to ship it, a number in [`DeploymentRows::rows`].
    pub row: Option<usize>,
    /// `MERGE_COMMIT`, ANCESTRY, PATCH-ID, NUMBER, or empty.
    pub deployment_method: String,
    /// Why no deployment shipped it.
    pub reason: Option<NotDeployed>,
    /// When the deployment ended.
    pub deployed: Option<Moment>,
}

impl LeadTime {
    fn authored(&self) -> Option<Moment> {
        self.first_commit.as_ref().map(|(authored, _)| *authored)
    }

    fn reviewed(&self) -> Option<Moment> {
        self.first_review.as_ref().map(|(at, _)| *at)
    }

    /// From the first commit to the creation: minutes, seconds.
    #[must_use]
    pub fn coding(&self) -> (Option<i64>, Option<i64>) {
        both(self.authored(), self.created)
    }

    /// From the creation to the first review: minutes, seconds.
    #[must_use]
    pub fn pickup(&self) -> (Option<i64>, Option<i64>) {
        both(self.created, self.reviewed())
    }

    /// From the first review to the merge: minutes, seconds.
    #[must_use]
    pub fn review(&self) -> (Option<i64>, Option<i64>) {
        both(self.reviewed(), Some(self.merged))
    }

    /// From the merge to the end of the deployment: minutes, seconds.
    #[must_use]
    pub fn deploy(&self) -> (Option<i64>, Option<i64>) {
        both(Some(self.merged), self.deployed)
    }

    fn parts(&self) -> [(Option<Moment>, Option<Moment>); 3] {
        [
            (self.authored(), self.created),
            (self.created, Some(self.merged)),
            (Some(self.merged), self.deployed),
        ]
    }

    /// Coding, from creation to merge, and deploy: minutes, each part rounded up.
    #[must_use]
    pub fn cycle_minutes(&self) -> i64 {
        let parts = self.parts().into_iter();
        parts.filter_map(|(from, to)| span(from, to)).sum()
    }

    /// The same in seconds, of the sum of the exact parts.
    #[must_use]
    pub fn cycle_seconds(&self) -> i64 {
        let parts = self.parts().into_iter();
        let sum: i64 = parts.filter_map(|(from, to)| milliseconds(from, to)).sum();
        sum / 1000
    }
}

fn both(from: Option<Moment>, to: Option<Moment>) -> (Option<i64>, Option<i64>) {
    (span(from, to), seconds(from, to))
}

/// One row for each merged pull request, by id.
pub(crate) fn lead_times(
    facts: &Facts,
    deployments: &DeploymentRows,
    first: &FirstDeployments,
) -> Vec<LeadTime> {
    let mut baselines = Baselines::of(facts, deployments);
    let deployed: BTreeSet<&str> = deployments
        .rows
        .iter()
        .filter(|row| !row.repo_url.is_empty())
        .map(|row| row.repo_id.as_str())
        .collect();
    let mut repositories: HashMap<&str, Arc<str>> = HashMap::new();
    let mut lead_times: Vec<LeadTime> = facts
        .pull_requests
        .iter()
        .map(|pull_request| {
            let shipped = shipped(pull_request, first);
            let reason = shipped
                .is_none()
                .then(|| reason(facts, pull_request, &deployed, &mut baselines));
            let (row, method) = shipped.unzip();
            LeadTime {
                id: pull_request.id.clone(),
                repository: Arc::clone(
                    repositories
                        .entry(&pull_request.base_repo_id)
                        .or_insert_with(|| pull_request.base_repo_id.as_str().into()),
                ),
                first_commit: pull_request.first_commit.clone(),
                first_review: pull_request.first_review.clone(),
                created: pull_request.created,
                merged: pull_request.merged,
                row,
                deployment_method: method.unwrap_or_default(),
                reason,
                deployed: row.map(|row| deployments.rows[row].finished),
            }
        })
        .collect();
    lead_times.sort_by(|one, other| one.id.cmp(&other.id));
    lead_times
}

/// Commits that a pull request became, with how that is known; the strongest way first.
pub(crate) fn candidates(pull_request: &PullRequest) -> impl Iterator<Item = (&str, &str)> {
    let merge = [("MERGE_COMMIT", pull_request.merge_commit_sha.as_str())];
    let tips = pull_request
        .tips
        .iter()
        .filter(|tip| tip.repo_id.is_empty() || tip.repo_id == pull_request.base_repo_id)
        .map(|tip| (tip.method.as_str(), tip.commit_sha.as_str()));
    merge
        .into_iter()
        .chain(tips)
        .filter(|(_, commit)| !commit.is_empty())
}

fn strength(method: &str) -> usize {
    let methods = ["MERGE_COMMIT", "ANCESTRY", "PATCH-ID", "NUMBER"];
    let place = methods.iter().position(|it| *it == method);
    place.unwrap_or(methods.len())
}

/// The first row that deployed a candidate, and the strongest method among those that it deployed.
fn shipped(pull_request: &PullRequest, first: &FirstDeployments) -> Option<(usize, String)> {
    let brought: Vec<(usize, &str)> = candidates(pull_request)
        .filter_map(|(method, commit)| {
            Some((first.of_commit(&pull_request.base_repo_id, commit)?, method))
        })
        .collect();
    let row = brought.iter().map(|(row, _)| *row).min()?;
    let methods = brought.iter().filter(|(of, _)| *of == row);
    let method = methods
        .map(|(_, method)| *method)
        .min_by_key(|it| strength(it))?;
    Some((row, method.to_owned()))
}

fn reason(
    facts: &Facts,
    pull_request: &PullRequest,
    deployed: &BTreeSet<&str>,
    baselines: &mut Baselines<'_>,
) -> NotDeployed {
    let repository = pull_request.base_repo_id.as_str();
    let commits: Vec<&str> = candidates(pull_request).map(|(_, commit)| commit).collect();
    if commits.is_empty() {
        return NotDeployed::NoMergeCommit;
    }
    if !deployed.contains(repository) && !deployed.contains("") {
        return NotDeployed::NoProductionDeployments;
    }
    let history = facts.histories.get(repository);
    let history = history.filter(|history| !history.graph.is_empty());
    if let Some(history) = history
        && !commits.iter().any(|commit| history.find(commit).is_some())
    {
        return NotDeployed::MergeCommitUnknown;
    }
    if baselines.contain(repository, &commits) {
        return NotDeployed::InFirstDeployment;
    }
    NotDeployed::NotDeployed
}

/// What the first deployments of each repository contain.
struct Baselines<'f> {
    facts: &'f Facts,
    /// Commits of baseline rows by their `repo_id`.
    commits: BTreeMap<&'f str, Vec<&'f str>>,
    /// What can be reached from them, by repository; made when it is asked for.
    reached: HashMap<String, Vec<Reach>>,
}

impl<'f> Baselines<'f> {
    fn of(facts: &'f Facts, deployments: &'f DeploymentRows) -> Self {
        let mut commits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in deployments.rows.iter().filter(|row| row.is_baseline) {
            commits
                .entry(&row.repo_id)
                .or_default()
                .push(&row.commit_sha);
        }
        Self {
            facts,
            commits,
            reached: HashMap::new(),
        }
    }

    fn contain(&mut self, repository: &str, wanted: &[&str]) -> bool {
        let own = self.commits.get(repository).into_iter();
        let unnamed = self.commits.get("").into_iter();
        let baselines: Vec<&str> = own.chain(unnamed).flatten().copied().collect();
        if baselines.iter().any(|commit| wanted.contains(commit)) {
            return true;
        }
        let Some(history) = self.facts.histories.get(repository) else {
            return false;
        };
        let reached = self
            .reached
            .entry(repository.to_owned())
            .or_insert_with(|| {
                let known = baselines.iter().filter_map(|commit| history.find(commit));
                known
                    .map(|commit| Reach::from(&history.graph, commit))
                    .collect()
            });
        let wanted = wanted.iter().filter_map(|commit| history.find(commit));
        let mut wanted = wanted.peekable();
        wanted.peek().is_some() && wanted.any(|it| reached.iter().any(|reach| reach.has(it)))
    }
}
