//! `issues`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issues", comment = "One issue.")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssue:<connection>:<repository>:<number>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketIssue:<connection>:<repository>:<number>`"
    )]
    pub id: String,
    /// Page of the issue.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page of the issue"
    )]
    pub url: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub icon_url: String,
    /// Number of the issue.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "number of the issue"
    )]
    pub issue_key: String,
    /// Title.
    #[sea_orm(column_type = "Text", comment = "title")]
    pub title: String,
    /// Description, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "description, Markdown as typed")]
    pub description: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub epic_key: String,
    /// BUG, REQUIREMENT, INCIDENT or what the rules say.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "BUG, REQUIREMENT, INCIDENT or what the rules say"
    )]
    pub r#type: String,
    /// The kind in Bitbucket's words.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "the kind in Bitbucket's words"
    )]
    pub original_type: String,
    /// TODO, `IN_PROGRESS`, DONE or OTHER.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "TODO, IN_PROGRESS, DONE or OTHER"
    )]
    pub status: String,
    /// The state in Bitbucket's words.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "the state in Bitbucket's words"
    )]
    pub original_status: String,
    /// Always null.
    #[sea_orm(comment = "always null")]
    pub story_point: Option<i64>,
    /// When it was resolved (UTC); null while it is not.
    #[sea_orm(comment = "when it was resolved (UTC); null while it is not")]
    pub resolution_date: Option<DateTime<Utc>>,
    /// When it was reported (UTC).
    #[sea_orm(comment = "when it was reported (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    #[sea_orm(comment = "when it last changed (UTC)")]
    pub updated_date: Option<DateTime<Utc>>,
    /// Whole minutes from report to resolution; null while it is not resolved.
    #[sea_orm(comment = "whole minutes from report to resolution; null while it is not resolved")]
    pub lead_time_minutes: Option<i64>,
    /// Always null.
    #[sea_orm(comment = "always null")]
    pub original_estimate_minutes: Option<i64>,
    /// Always null.
    #[sea_orm(comment = "always null")]
    pub time_spent_minutes: Option<i64>,
    /// Always null.
    #[sea_orm(comment = "always null")]
    pub time_remaining_minutes: Option<i64>,
    /// Who reported it; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "who reported it; joins `accounts.id`"
    )]
    pub creator_id: String,
    /// Display name of the reporter.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the reporter"
    )]
    pub creator_name: String,
    /// Who works on it; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "who works on it; joins `accounts.id`"
    )]
    pub assignee_id: String,
    /// Display name of the assignee.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the assignee"
    )]
    pub assignee_name: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub parent_issue_id: String,
    /// Trivial, minor, major, critical or blocker.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "trivial, minor, major, critical or blocker"
    )]
    pub priority: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub severity: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub urgency: String,
    /// Name of the component.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the component"
    )]
    pub component: String,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub original_project: String,
    /// Always false.
    #[sea_orm(comment = "always false")]
    pub is_subtask: bool,
    /// Always null (UTC).
    #[sea_orm(comment = "always null (UTC)")]
    pub due_date: Option<DateTime<Utc>>,
    /// Always empty.
    #[sea_orm(column_type = "Text", comment = "always empty")]
    pub fix_versions: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
