//! `cicd_tasks`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One step of a pipeline that has started.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "cicd_tasks",
    comment = "One step of a pipeline that has started."
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
    /// Name of the step.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the step"
    )]
    pub name: String,
    /// Pipeline; joins `cicd_pipelines.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "pipeline; joins `cicd_pipelines.id`"
    )]
    pub pipeline_id: String,
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
    /// DEPLOYMENT or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "DEPLOYMENT or empty"
    )]
    pub r#type: String,
    /// PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty"
    )]
    pub environment: String,
    /// How long it ran, in seconds.
    #[sea_orm(comment = "how long it ran, in seconds")]
    pub duration_sec: i64,
    /// How long it waited, in seconds.
    #[sea_orm(comment = "how long it waited, in seconds")]
    pub queued_duration_sec: Option<i64>,
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
    /// Where it ran; joins `cicd_scopes.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "where it ran; joins `cicd_scopes.id`"
    )]
    pub cicd_scope_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
