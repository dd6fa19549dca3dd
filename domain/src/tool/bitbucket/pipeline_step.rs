//! `_tool_bitbucket_pipeline_steps`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One step of one run of a pipeline.
pub struct PipelineSteps;

impl Stream for PipelineSteps {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pipeline_steps";
    const DESCRIBES: &'static str = "One step of one run of a pipeline.";
}

/// One step of one run of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pipeline_steps",
    comment = "One step of one run of a pipeline."
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
    pub pipeline_id: String,
    /// UUID of the step, in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "UUID of the step, in braces"
    )]
    pub bitbucket_id: String,
    /// Name of the step.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the step"
    )]
    pub name: String,
    /// What starts it: automatic or manual.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "what starts it: automatic or manual"
    )]
    pub trigger: String,
    /// State, such as COMPLETED or PENDING.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "state, such as COMPLETED or PENDING"
    )]
    pub state: String,
    /// Result; empty while there is none.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "result; empty while there is none"
    )]
    pub result: String,
    /// Longest time it may run, in minutes.
    #[sea_orm(comment = "longest time it may run, in minutes")]
    pub max_time: i64,
    /// When it started (UTC); none for a step that never ran.
    #[sea_orm(comment = "when it started (UTC); none for a step that never ran")]
    pub started_on: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    #[sea_orm(comment = "when it ended (UTC)")]
    pub completed_on: Option<DateTime<Utc>>,
    /// How long it ran, in seconds.
    #[sea_orm(comment = "how long it ran, in seconds")]
    pub duration_in_seconds: i64,
    /// Build time charged, in seconds.
    #[sea_orm(comment = "build time charged, in seconds")]
    pub build_seconds_used: i64,
    /// How often it was run.
    #[sea_orm(comment = "how often it was run")]
    pub run_number: i64,
    /// DEPLOYMENT where `deployment_pattern` matches, as in DevLake; `cicd_tasks` says what it is.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "DEPLOYMENT where `deployment_pattern` matches, as in DevLake; `cicd_tasks` says what it is"
    )]
    pub r#type: String,
    /// PRODUCTION where `production_pattern` matches or there is none, as in DevLake; `cicd_tasks` says
    /// where it deployed.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "PRODUCTION where `production_pattern` matches or there is none, as in DevLake; `cicd_tasks` says where it deployed"
    )]
    pub environment: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
