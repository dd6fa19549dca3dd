//! `_tool_bitbucket_issues`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One issue of the repository's tracker.
pub struct Issues;

impl Stream for Issues {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issues";
    const DESCRIBES: &'static str = "One issue of the repository's tracker.";
}

/// One issue of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_issues",
    comment = "One issue of one repository."
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
    /// Number of the issue in its repository.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "number of the issue in its repository"
    )]
    pub bitbucket_id: i64,
    /// The same number, as DevLake repeats it.
    #[sea_orm(comment = "the same number, as DevLake repeats it")]
    pub number: i64,
    /// New, open, resolved, on hold, invalid, duplicate, wontfix or closed.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "new, open, resolved, on hold, invalid, duplicate, wontfix or closed"
    )]
    pub state: String,
    /// What the default rules make of the state: TODO, `IN_PROGRESS`, DONE or OTHER.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "what the default rules make of the state: TODO, IN_PROGRESS, DONE or OTHER"
    )]
    pub std_state: String,
    /// Title.
    #[sea_orm(column_type = "Text", comment = "title")]
    pub title: String,
    /// Description, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "description, Markdown as typed")]
    pub body: String,
    /// Trivial, minor, major, critical or blocker.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "trivial, minor, major, critical or blocker"
    )]
    pub priority: String,
    /// Type of the record, always `issue`.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "type of the record, always `issue`"
    )]
    pub r#type: String,
    /// Bug, enhancement, proposal or task.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "bug, enhancement, proposal or task"
    )]
    pub kind: String,
    /// Account id of the reporter; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of the reporter; empty for a deleted account"
    )]
    pub author_id: String,
    /// Display name of the reporter.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the reporter"
    )]
    pub author_name: String,
    /// Account id of the assignee; empty for nobody.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of the assignee; empty for nobody"
    )]
    pub assignee_id: String,
    /// Display name of the assignee.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the assignee"
    )]
    pub assignee_name: String,
    /// Id of the milestone; 0 for none.
    #[sea_orm(comment = "id of the milestone; 0 for none")]
    pub milestone_id: i64,
    /// Name of the milestone.
    #[sea_orm(column_type = "Text", comment = "name of the milestone")]
    pub milestone: String,
    /// Name of the version.
    #[sea_orm(column_type = "Text", comment = "name of the version")]
    pub version: String,
    /// Name of the component.
    #[sea_orm(column_type = "Text", comment = "name of the component")]
    pub component: String,
    /// Always null; the domain table has it.
    #[sea_orm(comment = "always null; the domain table has it")]
    pub lead_time_minutes: Option<i64>,
    /// Address of the issue in the API.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "address of the issue in the API"
    )]
    pub url: String,
    /// Page of the issue.
    #[sea_orm(column_type = "Text", comment = "page of the issue")]
    pub html_url: String,
    /// Always null; the domain table has it (UTC).
    #[sea_orm(comment = "always null; the domain table has it (UTC)")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Always empty.
    #[sea_orm(column_type = "String(StringLen::N(255))", comment = "always empty")]
    pub severity: String,
    /// When it was reported (UTC).
    #[sea_orm(comment = "when it was reported (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    #[sea_orm(comment = "when it last changed (UTC)")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
