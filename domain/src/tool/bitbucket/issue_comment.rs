//! `_tool_bitbucket_issue_comments`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One comment on an issue.
pub struct IssueComments;

impl Stream for IssueComments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issue_comments";
    const DESCRIBES: &'static str = "One comment on an issue.";
}

/// One comment on one issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_issue_comments",
    comment = "One comment on one issue."
)]
pub struct Model {
    /// Connection the repository is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the repository is read through"
    )]
    pub connection_id: i64,
    /// Id of the comment.
    #[sea_orm(primary_key, auto_increment = false, comment = "id of the comment")]
    pub bitbucket_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository, `workspace/slug`"
    )]
    pub repo_id: String,
    /// Number of the issue.
    #[sea_orm(comment = "number of the issue")]
    pub issue_id: i64,
    /// Account id of the author; empty for a deleted account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of the author; empty for a deleted account"
    )]
    pub author_id: String,
    /// Display name of the author.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the author"
    )]
    pub author_name: String,
    /// When it was written (UTC).
    #[sea_orm(comment = "when it was written (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it was last edited (UTC); null for never.
    #[sea_orm(comment = "when it was last edited (UTC); null for never")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// Type of the record, `issue_comment`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "type of the record, `issue_comment`"
    )]
    pub r#type: String,
    /// Text, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "text, Markdown as typed")]
    pub body: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
