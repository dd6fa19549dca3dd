//! `_tool_bitbucket_pull_request_comments`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One comment on a pull request.
pub struct PullRequestComments;

impl Stream for PullRequestComments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_comments";
    const DESCRIBES: &'static str = "One comment on a pull request.";
}

/// One comment on one pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pull_request_comments",
    comment = "One comment on one pull request."
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
    /// Number of the pull request.
    #[sea_orm(comment = "number of the pull request")]
    pub pull_request_id: i64,
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
    /// When it was last edited (UTC).
    #[sea_orm(comment = "when it was last edited (UTC)")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// The payload's type, `pullrequest_comment`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "the payload's type, `pullrequest_comment`"
    )]
    pub r#type: String,
    /// Text, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "text, Markdown as typed")]
    pub body: String,
    /// Comment this one answers; 0 for none.
    #[sea_orm(comment = "comment this one answers; 0 for none")]
    pub parent_id: i64,
    /// File it is attached to; empty for a general comment.
    #[sea_orm(
        column_type = "Text",
        comment = "file it is attached to; empty for a general comment"
    )]
    pub inline_path: String,
    /// Line in the old version of the file.
    #[sea_orm(comment = "line in the old version of the file")]
    pub inline_from: Option<i64>,
    /// Line in the new version of the file.
    #[sea_orm(comment = "line in the new version of the file")]
    pub inline_to: Option<i64>,
    /// True when the comment was deleted and only its place remains.
    #[sea_orm(comment = "true when the comment was deleted and only its place remains")]
    pub deleted: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
