//! Deployments that imported rows are: `cicd_deployments` and `cicd_deployment_commits`.
//!
//! Of repositories that this database collects, the conversion of pipelines decides; here only
//! pipelines are looked at whose scope no collected repository has made.

use std::collections::HashMap;

use chrono::TimeDelta;
use headwater_domain::Scope;
use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};
use headwater_store::measuring::{METRICS_ORIGIN, PipelineCommit, StoredPipeline};
use headwater_store::{Changes, StepContext, Store, StoreError};

use super::{Projects, Releases};

/// Environments from the most to the least important.
const BY_IMPORTANCE: [&str; 3] = ["PRODUCTION", "STAGING", "TESTING"];

const DEPLOYMENT: &str = "DEPLOYMENT";

/// Makes the deployments of imported pipelines and tags of these scopes (`cicd_scopes.id`) anew. A scope that
/// no project maps, or that a registered repository fills, has none.
///
/// # Errors
/// When the database fails.
pub async fn renew(
    store: &Store,
    scopes: &[String],
    projects: &Projects,
    context: &StepContext<'_>,
) -> Result<Changes, StoreError> {
    let mapped = store.mapped_scopes(scopes).await?;
    let imported = store.imported_scopes(&mapped).await?;
    let (deployments, commits) = made_of_pipelines(store, &imported).await?;
    let releases = Releases::of(store, imported.clone(), projects).await?;
    let others = scopes.iter().filter(|scope| !imported.contains(scope));
    let others: Vec<String> = others.cloned().collect();
    let page = store.begin(&Scope::everywhere(), context.now).await?;
    let mut page = page.deriving(super::IMPORTED_DEPLOYMENTS);
    let mut changes = page.withdraw_deployments_of_pipelines(&others).await?;
    changes += page
        .renew_deployments_of_pipelines(&imported, deployments, commits)
        .await?;
    changes += releases.write(&mut page, METRICS_ORIGIN).await?;
    page.commit().await?;
    Ok(changes)
}

/// The rows that pipelines of imported scopes become.
async fn made_of_pipelines(
    store: &Store,
    scopes: &[String],
) -> Result<
    (
        Vec<cicd_deployment::Model>,
        Vec<cicd_deployment_commit::Model>,
    ),
    StoreError,
> {
    // Predecessors are another step's: what is stored stays.
    let stored = store.deployments_of(scopes).await?.into_iter();
    let previous: HashMap<(String, String), String> = stored
        .map(|row| ((row.id, row.commit_sha), row.previous))
        .collect();
    let pipelines = store.ended_pipelines_of(scopes).await?;
    let released = pipelines.iter().filter(|it| is_deployment(it));
    let (mut deployments, mut commits) = (Vec::new(), Vec::new());
    for pipeline in released {
        deployments.push(deployment(pipeline));
        for commit in &pipeline.commits {
            let mut row = deployed_commit(pipeline, commit);
            let key = (row.id.clone(), row.commit_sha.clone());
            let known = previous.get(&key).cloned();
            row.prev_success_deployment_commit_id = known.unwrap_or_default();
            commits.push(row);
        }
    }
    Ok((deployments, commits))
}

fn is_deployment(pipeline: &StoredPipeline) -> bool {
    let of_task = || pipeline.tasks.iter().any(|task| task.kind == DEPLOYMENT);
    pipeline.row.r#type == DEPLOYMENT || of_task()
}

/// The pipeline's own environment, else the most important one of its tasks.
fn environment(pipeline: &StoredPipeline) -> &str {
    if !pipeline.row.environment.is_empty() {
        return &pipeline.row.environment;
    }
    let reached = |name: &&str| pipeline.tasks.iter().any(|it| it.environment == *name);
    let found = BY_IMPORTANCE.into_iter().find(reached);
    found.unwrap_or_default()
}

fn deployment(pipeline: &StoredPipeline) -> cicd_deployment::Model {
    let row = pipeline.row.clone();
    cicd_deployment::Model {
        environment: environment(pipeline).to_owned(),
        id: row.id,
        cicd_scope_id: row.cicd_scope_id,
        name: row.name,
        display_title: row.display_title,
        url: row.url,
        result: row.result,
        status: row.status,
        original_status: row.original_status,
        original_result: row.original_result,
        original_environment: String::new(),
        created_date: row.created_date,
        queued_date: row.queued_date,
        started_date: row.started_date,
        finished_date: row.finished_date,
        duration_sec: Some(row.duration_sec),
        queued_duration_sec: row.queued_duration_sec,
        cicd_pipeline_id: String::new(),
        subtask_name: "dora.generateDeployments".to_owned(),
    }
}

fn deployed_commit(
    pipeline: &StoredPipeline,
    commit: &PipelineCommit,
) -> cicd_deployment_commit::Model {
    let row = pipeline.row.clone();
    let counted_back = || {
        let duration = TimeDelta::try_seconds(row.duration_sec)?;
        row.finished_date?.checked_sub_signed(duration)
    };
    cicd_deployment_commit::Model {
        id: format!("{}:{}", row.id, commit.repo_url),
        started_date: row.started_date.or_else(counted_back),
        environment: environment(pipeline).to_owned(),
        cicd_scope_id: row.cicd_scope_id,
        cicd_deployment_id: row.id,
        name: row.name,
        display_title: commit.display_title.clone(),
        url: commit.url.clone(),
        result: row.result,
        status: row.status,
        original_status: row.original_status,
        original_result: row.original_result,
        original_environment: String::new(),
        created_date: row.created_date,
        queued_date: None,
        finished_date: row.finished_date,
        duration_sec: Some(row.duration_sec),
        queued_duration_sec: row.queued_duration_sec,
        cicd_pipeline_id: String::new(),
        commit_sha: commit.commit_sha.clone(),
        commit_msg: String::new(),
        ref_name: commit.branch.clone(),
        repo_id: commit.repo_id.clone(),
        repo_url: commit.repo_url.clone(),
        prev_success_deployment_commit_id: String::new(),
        subtask_name: "dora.generateDeploymentCommits".to_owned(),
    }
}
