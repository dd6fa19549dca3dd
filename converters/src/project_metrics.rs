//! What is measured of projects, and their incidents: computed for each project whose rows changed.

mod code;

use std::collections::BTreeSet;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::code::repo;
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
use headwater_store::derivations::{Input, Reach, RowChange, Written};
use headwater_store::{Changes, StoreError};

use crate::derivation::{Derivation, Derive, Task};
use crate::engine::{Error, Outcome};
use code::{COMMITS, MERGED, NAMES, PULL_REQUESTS, of_code};

/// Raise it when other rows are to be made: all projects are computed again.
const VERSION: u32 = 3;

/// Pull requests computed in one transaction.
const PAGE: usize = 256;

/// Commits of which each is looked at; of more than these, the projects are computed.
const MANY: usize = 1000;

/// DORA metrics of projects, and the incidents that issues are. Keys are names of projects.
pub struct ProjectMetrics;

/// A table whose column holds the id of something that `project_mapping` maps.
fn mapped<E: sea_orm::EntityTrait>(column: &'static str) -> Input {
    Input::through::<E, project_mapping::Entity>(column, "row_id", "project_name")
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
            for list in [PULL_REQUESTS, NAMES, MERGED, COMMITS] {
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
    list_concerned_by_commits(task, &step).await?;
    let mut outcome = Outcome::default();
    outcome.changes += own_rows_again(task, &step).await?;
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

/// Lists the projects that new commits concern, and the pull requests that became them.
async fn list_concerned_by_commits(task: &Task<'_>, step: &str) -> Result<(), Error> {
    let (store, scope, context) = (task.store, task.scope, task.context);
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, COMMITS, MANY, context);
        let shas = taken.await.map_err(failed)?;
        if shas.is_empty() {
            return Ok(());
        }
        let concern = stored::concerned_by_commits(store, &shas, shas.len() == MANY).await;
        let concern = concern.map_err(failed)?;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            let projects = concern.projects.into_iter().collect();
            page.add_work(step, projects).await?;
            let pull_requests = concern.pull_requests.into_iter().collect();
            page.add_work(MERGED, pull_requests).await?;
            page.finish_taken(COMMITS, &shas)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
    }
}

/// Computes the rows of pull requests that were merged, or became other commits, and that are not
/// deployed; of all others it lists the projects.
async fn own_rows_again(task: &Task<'_>, step: &str) -> Result<Changes, Error> {
    let (store, scope, context) = (task.store, task.scope, task.context);
    let mut changes = Changes::default();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, MERGED, PAGE, context);
        let ids = taken.await.map_err(failed)?;
        if ids.is_empty() {
            return Ok(changes);
        }
        let renewed = stored::renew_undeployed(store, &ids, task.projects, context).await;
        let (renewed, concerned) = renewed.map_err(failed)?;
        changes += renewed;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            page.add_work(step, concerned.into_iter().collect()).await?;
            page.finish_taken(MERGED, &ids)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
        (context.progress)(ids.len() as u64);
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
