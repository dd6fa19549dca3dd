//! `issue_comments`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One comment on one issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issue_comments", comment = "One comment on one issue.")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssueComment:<connection>:<comment id>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketIssueComment:<connection>:<comment id>`"
    )]
    pub id: String,
    /// Issue; joins `issues.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(191))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Text, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "text, Markdown as typed")]
    pub body: String,
    /// Who wrote it; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "who wrote it; joins `accounts.id`"
    )]
    pub account_id: String,
    /// When it was written (UTC).
    #[sea_orm(comment = "when it was written (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// When it was last edited (UTC); null for never.
    #[sea_orm(comment = "when it was last edited (UTC); null for never")]
    pub updated_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
