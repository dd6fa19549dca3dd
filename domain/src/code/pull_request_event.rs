//! `pull_request_events`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One thing that happened to one pull request: who did what, when.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_events",
    comment = "One thing that happened to one pull request: who did what, when."
)]
pub struct Model {
    /// Domain id of the record the event was read from; ends in `:created` for the beginning.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id of the record the event was read from; ends in `:created` for the beginning"
    )]
    pub id: String,
    /// Pull request; joins `pull_requests.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "pull request; joins `pull_requests.id`"
    )]
    pub pull_request_id: String,
    /// Created, commented, approved, unapproved, changes requested, updated, merged, declined or reopened.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "created, commented, approved, unapproved, changes requested, updated, merged, declined or reopened"
    )]
    pub kind: String,
    /// Who did it; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "who did it; joins `accounts.id`"
    )]
    pub actor_id: String,
    /// When it happened (UTC).
    #[sea_orm(comment = "when it happened (UTC)")]
    pub at: Option<DateTime<Utc>>,
    /// Record that tells of it: the pull request or the comment.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "record that tells of it: the pull request or the comment"
    )]
    pub source_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
