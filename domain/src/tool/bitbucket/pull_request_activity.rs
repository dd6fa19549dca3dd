//! `_tool_bitbucket_pr_activities`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One entry of the activity log of a pull request: approval, change request, update, merge or decline.
pub struct PullRequestActivities;

impl Stream for PullRequestActivities {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_activities";
    const DESCRIBES: &'static str = "One entry of the activity log of a pull request: approval, change request, update, merge or decline.";
}

/// One entry of a pull request's activity log, other than a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pr_activities",
    comment = "One entry of a pull request's activity log, other than a comment."
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
    /// Number of the pull request.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "number of the pull request"
    )]
    pub pull_request_id: i64,
    /// Kind, time and actor: the API gives entries no id.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "kind, time and actor: the API gives entries no id"
    )]
    pub activity_key: String,
    /// Approval, `changes_requested` or update.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "approval, changes_requested or update"
    )]
    pub kind: String,
    /// State of the pull request after an update; empty for others.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "state of the pull request after an update; empty for others"
    )]
    pub state: String,
    /// State before, when the update says it changed.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "state before, when the update says it changed"
    )]
    pub previous_state: String,
    /// Fields the update changed, comma separated; empty for none.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "fields the update changed, comma separated; empty for none"
    )]
    pub changed_fields: String,
    /// Account id of who did it; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of who did it; empty for a deleted account"
    )]
    pub actor_id: String,
    /// Display name of who did it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of who did it"
    )]
    pub actor_name: String,
    /// When it happened (UTC).
    #[sea_orm(comment = "when it happened (UTC)")]
    pub happened_at: Option<DateTime<Utc>>,
    /// Hash of what an update says, but for its date and actor; empty for others.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "hash of what an update says, but for its date and actor; empty for others"
    )]
    pub content_hash: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
