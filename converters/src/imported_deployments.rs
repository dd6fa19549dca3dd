//! Deployments that imported pipelines and tags are: made anew for each CI/CD scope whose rows changed, or
//! that a project maps, or maps no more.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_domain::code::{commit, git_ref, repo, repo_commit};
use headwater_domain::crossdomain::project_mapping;
use headwater_domain::devops::{
    cicd_deployment, cicd_deployment_commit, cicd_pipeline, cicd_pipeline_commit, cicd_scope,
    cicd_task,
};
use headwater_metrics::stored::{self, IMPORTED_DEPLOYMENTS, Projects};
use headwater_store::StoreError;
use headwater_store::derivations::{Input, Reach, RowChange, Written};

use crate::derivation::{Derivation, Derive, Task};
use crate::engine::{Error, Outcome};
use crate::project_metrics::ProjectMetrics;

/// Raise it when other rows are to be made: all scopes are looked at again.
const VERSION: u32 = 1;

/// Scopes computed in one transaction.
const PAGE: usize = 256;

/// Deployments of CI/CD scopes that no registered repository fills. Keys are ids of `cicd_scopes`.
pub struct ImportedDeployments;

/// A table whose column holds an imported pipeline.
fn of_pipeline<E: sea_orm::EntityTrait>() -> Input {
    Input::through::<E, cicd_pipeline::Entity>("pipeline_id", "id", "cicd_scope_id").of_imports()
}

fn maps_a_scope(change: &RowChange<'_>) -> bool {
    change.may_be("table", "cicd_scopes")
}

impl Derive for ImportedDeployments {
    const NAME: &'static str = IMPORTED_DEPLOYMENTS;
    const REACH: Reach = Reach::Everywhere;
    const NEEDS: &'static [&'static [&'static str]] = ProjectMetrics::NEEDS;

    fn reads() -> Vec<Input> {
        vec![
            Input::key::<cicd_pipeline::Entity>("cicd_scope_id").of_imports(),
            of_pipeline::<cicd_task::Entity>(),
            of_pipeline::<cicd_pipeline_commit::Entity>(),
            Input::key::<cicd_scope::Entity>("id").of_columns(&["id"]),
            Input::key::<project_mapping::Entity>("row_id").only(maps_a_scope),
            // The id of a repository is that of its CI/CD scope.
            Input::key::<git_ref::Entity>("repo_id").of_imports(),
            Input::key::<repo::Entity>("id")
                .of_columns(&["id", "url"])
                .of_imports(),
            Input::key::<repo_commit::Entity>("repo_id").of_imports(),
            Input::through::<commit::Entity, git_ref::Entity>("sha", "commit_sha", "repo_id")
                .of_columns(&["sha", "authored_date", "committed_date"])
                .of_imports(),
        ]
    }

    fn writes() -> Vec<Written> {
        let scopes = "cicd_scope_id";
        vec![
            Written::by::<cicd_deployment::Entity>(scopes).from_all(&["cicd_deployments"]),
            Written::by::<cicd_deployment_commit::Entity>(scopes)
                .from_all(&["cicd_deployment_commits"]),
        ]
    }

    fn is_stale<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<bool, Error>> {
        is_stale(task).map(|asked| asked.map_err(failed)).boxed()
    }

    fn derive<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        derive(task).boxed()
    }
}

fn failed(source: StoreError) -> Error {
    Error::Store {
        conversion: IMPORTED_DEPLOYMENTS,
        scope: "all scopes".to_owned(),
        source,
    }
}

/// What is remembered of the rules: under others all scopes are looked at again.
fn rules(projects: &Projects) -> String {
    let tags: Vec<_> = projects.release_tags().collect();
    let hash = xxhash_rust::xxh3::xxh3_64(format!("{tags:?}").as_bytes());
    format!("v{VERSION} {hash:016x}")
}

/// Where nothing was ever imported, nothing is reported of it.
async fn is_stale(task: &Task<'_>) -> Result<bool, StoreError> {
    let step = Derivation::of::<ImportedDeployments>().declared.step();
    let (store, scope) = (task.store, task.scope);
    let rules = rules(task.projects);
    Ok(store.has_keys_to_compute(scope, &step, &rules).await?
        && (store.has_listed_keys(scope, &step).await? || store.has_imported_releases().await?))
}

async fn derive(task: &Task<'_>) -> Result<Outcome, Error> {
    let declared = Derivation::of::<ImportedDeployments>().declared;
    let step = declared.step();
    let (store, scope, context) = (task.store, task.scope, task.context);
    let rules = rules(task.projects);
    let listed = store.list_all_keys(scope, &declared, &rules, context);
    listed.await.map_err(failed)?;
    let mut outcome = Outcome::default();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let taken = store.take_keys(scope, &step, PAGE, context);
        let scopes = taken.await.map_err(failed)?;
        if scopes.is_empty() {
            return Ok(outcome);
        }
        let renewed = stored::renew_imported_deployments(store, &scopes, task.projects, context);
        outcome.changes += renewed.await.map_err(failed)?;
        let finished = async {
            let page = store.begin(scope, context.now).await?;
            page.finish_taken(&step, &scopes)?;
            page.commit().await
        };
        finished.await.map_err(failed)?;
        outcome.items += scopes.len() as u64;
        (context.progress)(scopes.len() as u64);
    }
}
