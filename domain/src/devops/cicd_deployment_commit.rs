//! `cicd_deployment_commits`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One commit that a deployment brought to an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "cicd_deployment_commits",
    comment = "One commit that a deployment brought to an environment."
)]
pub struct Model {
    /// Domain id.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id"
    )]
    pub id: String,
    /// Where it ran; joins `cicd_scopes.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "where it ran; joins `cicd_scopes.id`"
    )]
    pub cicd_scope_id: String,
    /// Deployment; joins `cicd_deployments.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "deployment; joins `cicd_deployments.id`"
    )]
    pub cicd_deployment_id: String,
    /// Name of the release.
    #[sea_orm(column_type = "Text", comment = "name of the release")]
    pub name: String,
    /// Title that people see.
    #[sea_orm(column_type = "Text", comment = "title that people see")]
    pub display_title: String,
    /// Page of the deployment.
    #[sea_orm(column_type = "Text", comment = "page of the deployment")]
    pub url: String,
    /// SUCCESS, FAILURE or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "SUCCESS, FAILURE or empty"
    )]
    pub result: String,
    /// `IN_PROGRESS`, DONE or OTHER.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "IN_PROGRESS, DONE or OTHER"
    )]
    pub status: String,
    /// Status as Bitbucket spells it.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "status as Bitbucket spells it"
    )]
    pub original_status: String,
    /// Result as Bitbucket spells it.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "result as Bitbucket spells it"
    )]
    pub original_result: String,
    /// PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty"
    )]
    pub environment: String,
    /// Name of the environment as Bitbucket spells it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the environment as Bitbucket spells it"
    )]
    pub original_environment: String,
    /// When it was created (UTC).
    #[sea_orm(comment = "when it was created (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When it was queued (UTC).
    #[sea_orm(comment = "when it was queued (UTC)")]
    pub queued_date: Option<DateTime<Utc>>,
    /// When it started (UTC).
    #[sea_orm(comment = "when it started (UTC)")]
    pub started_date: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    #[sea_orm(comment = "when it ended (UTC)")]
    pub finished_date: Option<DateTime<Utc>>,
    /// How long it took, in seconds.
    #[sea_orm(comment = "how long it took, in seconds")]
    pub duration_sec: Option<i64>,
    /// How long it waited, in seconds.
    #[sea_orm(comment = "how long it waited, in seconds")]
    pub queued_duration_sec: Option<i64>,
    /// Pipeline that deployed; joins `cicd_pipelines.id`. Empty for one made of a pipeline, whose
    /// id is the pipeline's.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "pipeline that deployed; joins `cicd_pipelines.id`; empty for one made of a \
                   pipeline, whose id is the pipeline's"
    )]
    pub cicd_pipeline_id: String,
    /// Full hash of the commit.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full hash of the commit"
    )]
    pub commit_sha: String,
    /// Message of the commit.
    #[sea_orm(column_type = "Text", comment = "message of the commit")]
    pub commit_msg: String,
    /// Branch or tag of the pipeline.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "branch or tag of the pipeline"
    )]
    pub ref_name: String,
    /// Repository; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
    /// Page of the repository.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "page of the repository"
    )]
    pub repo_url: String,
    /// The successful deployment before it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "the successful deployment before it"
    )]
    pub prev_success_deployment_commit_id: String,
    /// What made the row of a pipeline; empty for a deployment that Bitbucket tells.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "what made the row; empty for a deployment that Bitbucket tells"
    )]
    pub subtask_name: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
