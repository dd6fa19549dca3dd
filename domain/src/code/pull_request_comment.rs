//! `pull_request_comments`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One comment on one pull request; deleted comments are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_comments",
    comment = "One comment on one pull request; deleted comments are left out."
)]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketPrComment:<connection>:<comment id>`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketPrComment:<connection>:<comment id>`"
    )]
    pub id: String,
    /// Pull request; joins `pull_requests.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "pull request; joins `pull_requests.id`"
    )]
    pub pull_request_id: String,
    /// Text, Markdown as typed.
    #[sea_orm(column_type = "Text", comment = "text, Markdown as typed")]
    pub body: String,
    /// Author; joins `accounts.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "author; joins `accounts.id`"
    )]
    pub account_id: String,
    /// When it was written (UTC).
    #[sea_orm(comment = "when it was written (UTC)")]
    pub created_date: Option<DateTime<Utc>>,
    /// Empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "empty for Bitbucket"
    )]
    pub commit_sha: String,
    /// NORMAL, or DIFF for a comment on a line of code.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "NORMAL, or DIFF for a comment on a line of code"
    )]
    pub r#type: String,
    /// Empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "empty for Bitbucket"
    )]
    pub review_id: String,
    /// Empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "empty for Bitbucket"
    )]
    pub status: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
