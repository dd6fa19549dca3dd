//! `_tool_bitbucket_pr_reviewers`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One participant of one pull request: whoever reviews, approves or comments.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pr_reviewers",
    comment = "One participant of one pull request: whoever reviews, approves or comments."
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
    /// Account id of the participant.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "account id of the participant"
    )]
    pub account_id: String,
    /// Display name of the participant.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the participant"
    )]
    pub display_name: String,
    /// REVIEWER or PARTICIPANT.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "REVIEWER or PARTICIPANT"
    )]
    pub role: String,
    /// Approved, `changes_requested` or empty.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "approved, changes_requested or empty"
    )]
    pub state: String,
    /// True when the participant approves now.
    #[sea_orm(comment = "true when the participant approves now")]
    pub approved: bool,
    /// When the participant last acted (UTC).
    #[sea_orm(comment = "when the participant last acted (UTC)")]
    pub participated_on: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
