//! The commits in the range of each tag and each deployment: an engine of its own, because what it reads is a
//! whole graph and no row by itself.
//!
//! Which pairs stay as they are, and which are computed again: docs/decisions/0040.

mod engine;
mod wanted;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::Table;
use headwater_domain::code::{
    commit, commit_parent, commits_diff, commits_diff_pair, git_ref, pull_request,
    pull_request_commit, pull_request_merge, ref_commit, repo, repo_commit,
};
use headwater_domain::crossdomain::{issue_commit, pull_request_issue, refs_issues_diff};
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};
use headwater_domain::tool::refdiff::finished_commits_diff;
use headwater_store::derivations::{Input, Written};

pub use engine::{VERSION, is_stale, run};
pub use headwater_store::diffs::{GRAPH, STEP};
pub use wanted::{WantedPairs, find_ref, short_name, wanted};

use crate::derivation::{Derive, Task};
use crate::engine::{Error, Outcome};

/// Tags and deployments, and the commits of each.
pub struct Diffs;

impl Derive for Diffs {
    const NAME: &'static str = "diffs";
    const SHARED: bool = true;
    const NEEDS: &'static [&'static [&'static str]] =
        &[&["refs", "repo_commits", "cicd_deployment_commits"]];

    fn reads() -> Vec<Input> {
        vec![
            // What was made of a cut-off history may have to be made again.
            Input::whole::<commit_parent::Entity>().and_steps(&[GRAPH]),
            Input::whole::<repo_commit::Entity>().and_steps(&[GRAPH]),
            Input::whole::<git_ref::Entity>(),
            // When a release was, and of which repository.
            Input::whole::<commit::Entity>().of_columns(&["authored_date", "committed_date"]),
            Input::whole::<repo::Entity>().of_columns(&["url"]),
            Input::whole::<cicd_deployment_commit::Entity>(),
            Input::whole::<pull_request::Entity>(),
            Input::whole::<pull_request_commit::Entity>(),
            Input::whole::<pull_request_merge::Entity>(),
            Input::whole::<pull_request_issue::Entity>(),
            Input::whole::<issue_commit::Entity>(),
        ]
    }

    fn writes() -> Vec<Written> {
        let own = tables().into_iter().map(Written::of);
        // Tags that are releases, and the predecessors of deployments, which conversions write.
        let deployments = Written::to::<cicd_deployment::Entity>();
        let commits = Written::to::<cicd_deployment_commit::Entity>();
        own.chain([
            deployments.from_all(&["cicd_deployments"]),
            commits.from_all(&["cicd_deployment_commits"]),
        ])
        .collect()
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        let rules = (&**task.rules, task.projects);
        is_stale(task.store, (task.scope, task.repo_id), rules).boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        run(
            task.store,
            (task.scope, task.repo_id),
            (&**task.rules, task.projects),
            task.context,
        )
        .boxed()
    }
}

/// Tables that are written.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<commits_diff::Entity>(),
        Table::of::<commits_diff_pair::Entity>(),
        Table::of::<finished_commits_diff::Entity>(),
        Table::of::<ref_commit::Entity>(),
        Table::of::<refs_issues_diff::Entity>(),
    ]
}
