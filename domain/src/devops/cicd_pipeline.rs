//! `cicd_pipelines`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One run of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cicd_pipelines", comment = "One run of a pipeline.")]
pub struct Model {
    /// Domain id.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id"
    )]
    pub id: String,
    /// Domain id and build number.
    #[sea_orm(column_type = "Text", comment = "domain id and build number")]
    pub name: String,
    /// Build number, as people see it.
    #[sea_orm(column_type = "Text", comment = "build number, as people see it")]
    pub display_title: String,
    /// Page of the pipeline.
    #[sea_orm(column_type = "Text", comment = "page of the pipeline")]
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
    /// DEPLOYMENT or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "DEPLOYMENT or empty"
    )]
    pub r#type: String,
    /// How long it ran, in seconds.
    #[sea_orm(comment = "how long it ran, in seconds")]
    pub duration_sec: i64,
    /// How long it waited for its first step, in seconds.
    #[sea_orm(comment = "how long it waited for its first step, in seconds")]
    pub queued_duration_sec: Option<i64>,
    /// PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty"
    )]
    pub environment: String,
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
    /// Whether another pipeline started it.
    #[sea_orm(comment = "whether another pipeline started it")]
    pub is_child: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
