//! `cicd_deployment_commits`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One commit that a deployment released to an environment.
#[table("cicd_deployment_commits")]
pub struct Model {
    /// Domain id.
    #[key]
    pub id: String,
    /// Where it ran; joins `cicd_scopes.id`.
    pub cicd_scope_id: String,
    /// Deployment; joins `cicd_deployments.id`.
    pub cicd_deployment_id: String,
    /// Name of the release.
    #[text]
    pub name: String,
    /// Title that people see.
    #[text]
    pub display_title: String,
    /// Page of the deployment.
    #[text]
    pub url: String,
    /// SUCCESS, FAILURE or empty.
    #[width(100)]
    pub result: String,
    /// `IN_PROGRESS`, DONE or OTHER.
    #[width(100)]
    pub status: String,
    /// Status as Bitbucket spells it.
    #[width(100)]
    pub original_status: String,
    /// Result as Bitbucket spells it.
    #[width(100)]
    pub original_result: String,
    /// PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty.
    pub environment: String,
    /// Name of the environment as Bitbucket spells it.
    pub original_environment: String,
    /// When it was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it was queued (UTC).
    pub queued_date: Option<DateTime<Utc>>,
    /// When it started (UTC).
    pub started_date: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub finished_date: Option<DateTime<Utc>>,
    /// How long it took, in seconds.
    pub duration_sec: Option<i64>,
    /// How long it waited, in seconds.
    pub queued_duration_sec: Option<i64>,
    /// Pipeline that deployed; joins `cicd_pipelines.id`; empty for one made of a pipeline, whose
    /// id is the pipeline's.
    pub cicd_pipeline_id: String,
    /// Full hash of the commit.
    #[key]
    pub commit_sha: String,
    /// Message of the commit.
    #[text]
    pub commit_msg: String,
    /// Branch or tag of the pipeline.
    pub ref_name: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// Page of the repository.
    #[width(500)]
    pub repo_url: String,
    /// The successful deployment before it.
    pub prev_success_deployment_commit_id: String,
    /// What made the row; empty for a deployment that Bitbucket tells.
    pub subtask_name: String,
}
