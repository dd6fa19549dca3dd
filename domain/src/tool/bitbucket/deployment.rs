//! `_tool_bitbucket_deployments`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One deployment of a release to an environment.
pub struct Deployments;

impl Stream for Deployments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "deployments";
    const DESCRIBES: &'static str = "One deployment of a release to an environment.";
}

/// One deployment of a release to an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_deployments",
    comment = "One deployment of a release to an environment."
)]
pub struct Model {
    /// Connection the repository is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the repository is read through"
    )]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository, `workspace/slug`"
    )]
    pub repo_id: String,
    /// UUID of the pipeline, or of the deployment itself where no pipeline is named.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the pipeline, or of the deployment itself where no pipeline is named"
    )]
    pub belongs_to: String,
    /// UUID of the deployment, in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the deployment, in braces"
    )]
    pub bitbucket_id: String,
    /// UUID of the pipeline, in braces.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the pipeline, in braces"
    )]
    pub pipeline_id: String,
    /// UUID of the step that deployed, in braces.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the step that deployed, in braces"
    )]
    pub step_id: String,
    /// Kind of the item, `deployment`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "kind of the item, `deployment`"
    )]
    pub r#type: String,
    /// Name of the release, such as `#186`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the release, such as `#186`"
    )]
    pub name: String,
    /// UUID of the environment, in braces.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the environment, in braces"
    )]
    pub environment_id: String,
    /// Name of the environment; empty where the deployment gives its UUID only.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the environment; empty where the deployment gives its UUID only"
    )]
    pub environment: String,
    /// Type of the environment: Test, Staging or Production.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "type of the environment: Test, Staging or Production"
    )]
    pub environment_type: String,
    /// Key of the release.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "key of the release"
    )]
    pub key: String,
    /// Page of the release.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page of the release"
    )]
    pub web_url: String,
    /// State, such as COMPLETED.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "state, such as COMPLETED"
    )]
    pub status: String,
    /// Outcome, such as SUCCESSFUL; empty where it is not told.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "outcome, such as SUCCESSFUL; empty where it is not told"
    )]
    pub result: String,
    /// Page of the state.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page of the state"
    )]
    pub state_url: String,
    /// Commit that was deployed.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "commit that was deployed"
    )]
    pub commit_sha: String,
    /// Page of the commit.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page of the commit"
    )]
    pub commit_url: String,
    /// When the release was created (UTC).
    #[sea_orm(comment = "when the release was created (UTC)")]
    pub created_on: Option<DateTime<Utc>>,
    /// When the deployment started (UTC).
    #[sea_orm(comment = "when the deployment started (UTC)")]
    pub started_on: Option<DateTime<Utc>>,
    /// When the deployment ended (UTC).
    #[sea_orm(comment = "when the deployment ended (UTC)")]
    pub completed_on: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    #[sea_orm(comment = "when it last changed (UTC)")]
    pub last_update_time: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
