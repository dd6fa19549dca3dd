//! The domain rows that concern one project, reduced to the columns that are looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::graph::{Commit, CommitHash, Graph};

/// Milliseconds since 1970 in UTC.
pub type Moment = i64;

/// The domain rows that concern one project. NULL text is empty text.
#[derive(Default)]
pub struct Facts {
    /// `repos.id` that `project_mapping` names.
    pub repositories: BTreeSet<String>,
    /// `cicd_scopes.id` that `project_mapping` names.
    pub scopes: BTreeSet<String>,
    /// Every row of `repos`: an address of a deployment may be that of any.
    pub all_repositories: Vec<Repository>,
    /// `cicd_deployment_commits` of the project's scopes.
    pub deployments: Vec<DeploymentRow>,
    /// Pull requests with a merge date into the project's repositories.
    pub pull_requests: Vec<PullRequest>,
    /// Incidents of the project.
    pub incidents: Vec<Incident>,
    /// Commits of repositories, by `repos.id`. A repository without commits may be missing.
    pub histories: BTreeMap<String, History>,
    /// `commits_diffs` by (new, old), for pairs that no history can tell.
    pub stored_differences: HashMap<(String, String), Vec<String>>,
    /// What is known of commits in these differences, by their texts: no history may have them.
    pub loose_commits: HashMap<String, LooseCommit>,
    /// Commits of the project's repositories whose message names commits that it reverts.
    pub reverting_commits: Vec<RevertingCommit>,
    /// Commits that name incidents of the project (`issue_commits`).
    pub commits_of_incidents: Vec<NamedIssue>,
    /// Pull requests that name incidents of the project (`pull_request_issues`).
    pub pull_requests_of_incidents: Vec<NamedIssue>,
}

/// One row of `repos`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// `repos.id`.
    pub id: String,
    /// `repos.name`.
    pub name: String,
    /// `repos.url`.
    pub url: String,
}

/// One row of `cicd_deployment_commits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentRow {
    /// `id`.
    pub id: String,
    /// `commit_sha`.
    pub commit_sha: String,
    /// `cicd_scope_id`.
    pub scope_id: String,
    /// `cicd_deployment_id`.
    pub deployment_id: String,
    /// `cicd_pipeline_id`.
    pub pipeline_id: String,
    /// `subtask_name`: not empty where the row was made of a pipeline.
    pub subtask_name: String,
    /// `result`.
    pub result: String,
    /// `environment`.
    pub environment: String,
    /// `original_environment`.
    pub original_environment: String,
    /// `finished_date`.
    pub finished: Option<Moment>,
    /// `repo_id`.
    pub repo_id: String,
    /// `repo_url`.
    pub repo_url: String,
    /// `prev_success_deployment_commit_id`, as it is stored.
    pub previous: String,
}

impl From<&cicd_deployment_commit::Model> for DeploymentRow {
    fn from(row: &cicd_deployment_commit::Model) -> Self {
        Self {
            id: row.id.clone(),
            commit_sha: row.commit_sha.clone(),
            scope_id: row.cicd_scope_id.clone(),
            deployment_id: row.cicd_deployment_id.clone(),
            pipeline_id: row.cicd_pipeline_id.clone(),
            subtask_name: row.subtask_name.clone(),
            result: row.result.clone(),
            environment: row.environment.clone(),
            original_environment: row.original_environment.clone(),
            finished: row.finished_date.map(|at| at.timestamp_millis()),
            repo_id: row.repo_id.clone(),
            repo_url: row.repo_url.clone(),
            previous: row.prev_success_deployment_commit_id.clone(),
        }
    }
}

/// One merged pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// `id`.
    pub id: String,
    /// `base_repo_id`.
    pub base_repo_id: String,
    /// `pull_request_key`.
    pub number: i64,
    /// `title`.
    pub title: String,
    /// `head_ref`.
    pub head_ref: String,
    /// `created_date`.
    pub created: Option<Moment>,
    /// `merged_date`.
    pub merged: Moment,
    /// `merge_commit_sha`.
    pub merge_commit_sha: String,
    /// Its first commit by `commit_authored_date`, then by hash: [`first_commit`].
    pub first_commit: Option<(Moment, String)>,
    /// Its first review, by time, then by id: [`first_review`].
    pub first_review: Option<(Moment, String)>,
    /// `pull_request_merges` with `is_tip`.
    pub tips: Vec<MergedCommit>,
}

/// A commit that a pull request became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergedCommit {
    /// `commit_sha`.
    pub commit_sha: String,
    /// `method`: ANCESTRY, PATCH-ID or NUMBER.
    pub method: String,
    /// `repo_id`.
    pub repo_id: String,
}

/// A comment, an approval or a change request.
#[derive(Clone, Copy, Debug)]
pub struct Review<'r> {
    /// Id of the comment or event.
    pub id: &'r str,
    /// Who did it.
    pub actor: &'r str,
    /// When.
    pub at: Option<Moment>,
}

/// The first commit of a pull request: the one authored first; of several the smallest hash.
pub fn first_commit<'c>(
    commits: impl Iterator<Item = (Option<Moment>, &'c str)>,
) -> Option<(Moment, String)> {
    let dated = commits.filter_map(|(authored, sha)| Some((authored?, sha)));
    dated
        .min()
        .map(|(authored, sha)| (authored, sha.to_owned()))
}

/// The first review of a pull request: the earliest between its creation and its merge by a known
/// person who is neither its author nor a bot; of several the smallest id.
pub fn first_review<'r>(
    created: Option<Moment>,
    merged: Moment,
    author: &str,
    bots: &BTreeSet<String>,
    reviews: impl Iterator<Item = Review<'r>>,
) -> Option<(Moment, String)> {
    let created = created?;
    reviews
        .filter(|review| !review.actor.is_empty() && review.actor != author)
        .filter(|review| !bots.contains(review.actor))
        .filter_map(|review| Some((review.at?, review.id)))
        .filter(|(at, _)| (created..=merged).contains(at))
        .min()
        .map(|(at, id)| (at, id.to_owned()))
}

/// One incident of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incident {
    /// `id`.
    pub id: String,
    /// `component`.
    pub component: String,
    /// `scope_id`.
    pub scope_id: String,
    /// `created_date`.
    pub created: Option<Moment>,
    /// `resolution_date`.
    pub resolved: Option<Moment>,
    /// `lead_time_minutes`.
    pub lead_time_minutes: Option<i64>,
    /// `deployment_id`: the cause, where an import says so.
    pub deployment_id: String,
}

/// The commits of one repository.
pub struct History {
    /// All of them with their parents.
    pub graph: Graph,
    /// When each was authored.
    pub authored: Authored,
    /// The texts of commits whose text is no full hash.
    pub names: HashMap<CommitHash, String>,
}

impl History {
    /// The text that names a commit in tables.
    #[must_use]
    pub fn name(&self, commit: Commit) -> String {
        let hash = self.graph.hash(commit);
        let named = self.names.get(&hash).cloned();
        named.unwrap_or_else(|| hash.to_string())
    }
}

/// When commits were authored, by hash.
#[derive(Clone, Debug, Default)]
pub struct Authored(Vec<(CommitHash, Moment)>);

impl Authored {
    /// These.
    #[must_use]
    pub fn of(mut dates: Vec<(CommitHash, Moment)>) -> Self {
        dates.sort_unstable();
        Self(dates)
    }

    /// When the commit with this hash was authored.
    #[must_use]
    pub fn get(&self, sha: &str) -> Option<Moment> {
        let hash = CommitHash::named(sha);
        let place = self.0.binary_search_by_key(&hash, |(known, _)| *known);
        place.ok().map(|place| self.0[place].1)
    }
}

/// A commit that a stored difference names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LooseCommit {
    /// `authored_date`.
    pub authored: Option<Moment>,
    /// It has two distinct parents or more.
    pub is_merge: bool,
}

/// A commit whose message says `This reverts commit HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevertingCommit {
    /// `repos.id` of a repository that has it.
    pub repo_id: String,
    /// Its hash.
    pub sha: String,
    /// Its message.
    pub message: String,
}

/// A commit or pull request that names an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedIssue {
    /// Hash of the commit, or id of the pull request.
    pub from: String,
    /// Id of the issue.
    pub issue_id: String,
}
