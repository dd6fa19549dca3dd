//! `_tool_bitbucket_pipelines`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One run of a pipeline.
pub struct Pipelines;

impl Stream for Pipelines {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pipelines";
    const DESCRIBES: &'static str = "One run of a pipeline.";
}

/// One run of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pipelines",
    comment = "One run of a pipeline."
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
    /// UUID of the pipeline, in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the pipeline, in braces"
    )]
    pub bitbucket_id: String,
    /// State, such as COMPLETED or `IN_PROGRESS`.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "state, such as COMPLETED or IN_PROGRESS"
    )]
    pub status: String,
    /// Result, or the stage of one that has none yet.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "result, or the stage of one that has none yet"
    )]
    pub result: String,
    /// Branch or tag it ran for.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "branch or tag it ran for"
    )]
    pub ref_name: String,
    /// Commit it ran on.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "commit it ran on"
    )]
    pub commit_sha: String,
    /// Address of the pipeline in the API, which may be an internal one.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "address of the pipeline in the API, which may be an internal one"
    )]
    pub web_url: String,
    /// DEPLOYMENT where `deployment_ref_pattern` matches, as in DevLake; `cicd_pipelines` says what it is.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "DEPLOYMENT where `deployment_ref_pattern` matches, as in DevLake; `cicd_pipelines` says what it is"
    )]
    pub r#type: String,
    /// PRODUCTION where `production_ref_pattern` matches or there is none, as in DevLake; `cicd_pipelines` says
    /// where it deployed.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "PRODUCTION where `production_ref_pattern` matches or there is none, as in DevLake; `cicd_pipelines` says where it deployed"
    )]
    pub environment: String,
    /// Number within the repository.
    #[sea_orm(comment = "number within the repository")]
    pub build_number: i64,
    /// How long it ran, in seconds.
    #[sea_orm(comment = "how long it ran, in seconds")]
    pub duration_in_seconds: i64,
    /// When it was created (UTC).
    #[sea_orm(comment = "when it was created (UTC)")]
    pub bitbucket_created_on: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    #[sea_orm(comment = "when it ended (UTC)")]
    pub bitbucket_complete_on: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
