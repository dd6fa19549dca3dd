//! What is measured of projects, and their incidents: computed for each project whose rows changed.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::code::{
    commit, commit_parent, commits_diff, pull_request, pull_request_comment, pull_request_commit,
    pull_request_event, pull_request_merge, repo, repo_commit,
};
use headwater_domain::crossdomain::{
    account, issue_commit, project, project_mapping, pull_request_issue,
};
use headwater_domain::devops::cicd_deployment_commit;
use headwater_domain::metrics::{
    project_deployment, project_incident_deployment_relationship, project_pr_metric,
    unlinked_incident,
};
use headwater_domain::ticket::{board_issue, incident, incident_assignee, issue, issue_assignee};
use headwater_metrics::stored::{self, DERIVATION, Step};
use headwater_store::derivations::{Input, Reach, RowChange, Stale, Written};
use headwater_store::{Changes, StoreError};

use crate::derivation::{Derivation, Derive, Task};
use crate::engine::{Error, Outcome};

/// Raise it when other rows are to be made: all projects are computed again.
const VERSION: u32 = 2;

/// Pull requests computed in one transaction.
const PAGE: usize = 256;

/// DORA metrics of projects, and the incidents that issues are. Keys are names of projects.
pub struct ProjectMetrics;

/// A table whose column holds the id of something that `project_mapping` maps.
fn mapped<E: sea_orm::EntityTrait>(column: &'static str) -> Input {
    Input::through::<E, project_mapping::Entity>(column, "row_id", "project_name")
}

/// The work list of pull requests whose own times are to be computed again, while what they became
/// and what deployed that stays as it is.
const PULL_REQUESTS: &str = "convert:project_metrics:pull_requests";

/// The work list of pull requests whose branch or title changed: where one is that of a hotfix or of
/// a revert, its project is computed as a whole.
const NAMES: &str = "convert:project_metrics:names";

/// Columns of a pull request that concern other rows than its own.
const SHARED_COLUMNS: &[&str] = &[
    "base_repo_id",
    "pull_request_key",
    "merged_date",
    "merge_commit_sha",
];

/// A table whose rows say what a merged pull request became. One that is measured for the first
/// time has a changed row of its own.
fn of_pull_request<E: sea_orm::EntityTrait>() -> Input {
    Input::through::<E, project_pr_metric::Entity>("pull_request_id", "id", "project_name")
}

/// What changes only the times of the pull request itself.
fn own_times(change: &RowChange<'_>) -> Stale {
    of_known_pull_request(change, PULL_REQUESTS)
}

/// What its branch or its title says.
fn names(change: &RowChange<'_>) -> Stale {
    of_known_pull_request(change, NAMES)
}

fn of_known_pull_request(change: &RowChange<'_>, step: &'static str) -> Stale {
    if change.is_new() || change.is_gone() || change.differs(SHARED_COLUMNS) {
        // Its project is computed as a whole.
        return Stale::Nothing;
    }
    change.work(step, "id")
}

/// What only changes when a pull request was begun or reviewed.
fn times_of_pull_request(change: &RowChange<'_>) -> Stale {
    change.work(PULL_REQUESTS, "pull_request_id")
}

/// A table whose column holds a commit of some repository.
fn of_commit<E: sea_orm::EntityTrait>(column: &'static str) -> Input {
    let way = Input::through::<E, repo_commit::Entity>(column, "commit_sha", "repo_id");
    way.and_through::<project_mapping::Entity>("row_id", "project_name")
}

/// A table whose column holds an issue that is an incident.
fn of_incident<E: sea_orm::EntityTrait>(column: &'static str) -> Input {
    let way = Input::through::<E, incident::Entity>(column, "id", "scope_id");
    way.and_through::<project_mapping::Entity>("row_id", "project_name")
}

fn may_be_incident(change: &RowChange<'_>) -> bool {
    change.may_be("type", "INCIDENT")
}

fn may_be_bot(change: &RowChange<'_>) -> bool {
    change.may_be_true("is_bot")
}

/// What decides of which commits there are pull requests, and how long they took.
fn of_code() -> Vec<Input> {
    let stored = Input::through::<commits_diff::Entity, cicd_deployment_commit::Entity>(
        "new_commit_sha",
        "commit_sha",
        "cicd_scope_id",
    );
    vec![
        mapped::<pull_request::Entity>("base_repo_id").of_columns(SHARED_COLUMNS),
        Input::following::<pull_request::Entity>(own_times)
            .of_columns(&["author_id", "created_date"]),
        Input::following::<pull_request::Entity>(names).of_columns(&["title", "head_ref"]),
        Input::following::<pull_request_commit::Entity>(times_of_pull_request).of_columns(&[
            "pull_request_id",
            "commit_sha",
            "commit_authored_date",
        ]),
        Input::following::<pull_request_comment::Entity>(times_of_pull_request).of_columns(&[
            "id",
            "pull_request_id",
            "account_id",
            "created_date",
        ]),
        Input::following::<pull_request_event::Entity>(times_of_pull_request),
        of_pull_request::<pull_request_merge::Entity>(),
        mapped::<repo_commit::Entity>("repo_id").of_columns(&["repo_id", "commit_sha"]),
        of_commit::<commit_parent::Entity>("commit_sha"),
        of_commit::<commit::Entity>("sha").of_columns(&["sha", "authored_date", "message"]),
        stored.and_through::<project_mapping::Entity>("row_id", "project_name"),
    ]
}

impl Derive for ProjectMetrics {
    const NAME: &'static str = DERIVATION;
    const REACH: Reach = Reach::Everywhere;
    const NEEDS: &'static [&'static [&'static str]] = &[&[
        "pull_requests",
        "cicd_deployment_commits",
        "issues",
        "repo_commits",
    ]];

    fn reads() -> Vec<Input> {
        let mut reads = vec![
            Input::key::<project_mapping::Entity>("project_name"),
            Input::key::<project::Entity>("name").of_columns(&["name"]),
            mapped::<cicd_deployment_commit::Entity>("cicd_scope_id").of_columns(&[
                "id",
                "commit_sha",
                "cicd_scope_id",
                "cicd_deployment_id",
                "cicd_pipeline_id",
                "subtask_name",
                "result",
                "environment",
                "original_environment",
                "finished_date",
                "repo_id",
                "repo_url",
            ]),
            Input::whole::<repo::Entity>().of_columns(&["id", "name", "url"]),
            Input::whole::<account::Entity>()
                .of_columns(&["id", "is_bot"])
                .only(may_be_bot),
            of_incident::<issue::Entity>("id").only(may_be_incident),
            Input::through::<issue::Entity, board_issue::Entity>("id", "issue_id", "board_id")
                .and_through::<project_mapping::Entity>("row_id", "project_name")
                .only(may_be_incident),
            mapped::<board_issue::Entity>("board_id"),
            of_incident::<issue_assignee::Entity>("issue_id"),
            mapped::<incident::Entity>("scope_id"),
            of_incident::<issue_commit::Entity>("issue_id").of_columns(&["issue_id", "commit_sha"]),
            of_incident::<pull_request_issue::Entity>("issue_id")
                .of_columns(&["issue_id", "pull_request_id"]),
        ];
        reads.extend(of_code());
        reads
    }

    fn writes() -> Vec<Written> {
        vec![
            Written::by::<project_pr_metric::Entity>("project_name"),
            Written::by::<project_deployment::Entity>("project_name"),
            Written::by::<project_incident_deployment_relationship::Entity>("project_name"),
            Written::by::<unlinked_incident::Entity>("project_name"),
            Written::to::<incident::Entity>(),
            Written::to::<incident_assignee::Entity>(),
        ]
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        let asked = async move {
            // Where there are none, nothing is told of them.
            if task
                .store
                .projects_to_measure()
                .await
                .map_err(failed)?
                .is_empty()
            {
                return Ok(false);
            }
            let step = Derivation::of::<Self>().declared.step();
            let rules = rules(task);
            for list in [PULL_REQUESTS, NAMES] {
                let listed = task.store.has_listed_keys(task.scope, list);
                if listed.await.map_err(failed)? {
                    return Ok(true);
                }
            }
            let asked = task.store.has_keys_to_compute(task.scope, &step, &rules);
            asked.await.map_err(failed)
        };
        asked.boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        derive(task).boxed()
    }
}

/// What is remembered of the rules of all projects: under others all are computed again.
fn rules(task: &Task<'_>) -> String {
    let shown = task.projects.described();
    format!(
        "v{VERSION} {:016x}",
        xxhash_rust::xxh3::xxh3_64(shown.as_bytes())
    )
}

fn failed(source: StoreError) -> Error {
    Error::Store {
        conversion: DERIVATION,
        scope: "all scopes".to_owned(),
        source,
    }
}

async fn derive(task: &Task<'_>) -> Result<Outcome, Error> {
    let declared = Derivation::of::<ProjectMetrics>().declared;
    let step = declared.step();
    let (store, scope, context) = (task.store, task.scope, task.context);
    let all_rules = rules(task);
    let listed = store.list_all_keys(scope, &declared, &all_rules, context);
    listed.await.map_err(failed)?;
    list_concerned_by_names(task, &step).await?;
    let mut outcome = Outcome::default();
    // Imported deployments have a derivation of their own.
    let others = [Step::Deployments, Step::Incidents];
    let of_project: BTreeSet<Step> = Step::ALL
        .into_iter()
        .filter(|step| !others.contains(step))
        .collect();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, &step, 1, context);
        let projects = taken.await.map_err(failed)?;
        let Some(project) = projects.first() else {
            outcome.changes += own_times_again(task).await?;
            return Ok(outcome);
        };
        // Those of all projects at once. Each time: issues may change meanwhile.
        let renewed = stored::renew_incidents(store, context).await;
        outcome.changes += renewed.map_err(failed)?;
        let computed = stored::refresh(store, project, task.projects, &of_project, context);
        outcome.changes += computed.await.map_err(failed)?;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            page.finish_taken(&step, &projects)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
        outcome.items += 1;
        (context.progress)(1);
    }
}

/// Lists the projects that pull requests with another branch or title concern.
async fn list_concerned_by_names(task: &Task<'_>, step: &str) -> Result<(), Error> {
    let (store, scope, context) = (task.store, task.scope, task.context);
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, NAMES, PAGE, context);
        let ids = taken.await.map_err(failed)?;
        if ids.is_empty() {
            return Ok(());
        }
        let concerned = stored::concerned_by_names(store, &ids, task.projects).await;
        let concerned = concerned.map_err(failed)?;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            page.add_work(step, concerned.into_iter().collect()).await?;
            page.finish_taken(NAMES, &ids)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
    }
}

/// Computes the times of pull requests again of which nothing else changed.
async fn own_times_again(task: &Task<'_>) -> Result<Changes, Error> {
    let (store, scope, context) = (task.store, task.scope, task.context);
    let mut changes = Changes::default();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, PULL_REQUESTS, PAGE, context);
        let ids = taken.await.map_err(failed)?;
        if ids.is_empty() {
            return Ok(changes);
        }
        let renewed = stored::renew_own_times(store, &ids, context);
        changes += renewed.await.map_err(failed)?;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            page.finish_taken(PULL_REQUESTS, &ids)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
        (context.progress)(ids.len() as u64);
    }
}
