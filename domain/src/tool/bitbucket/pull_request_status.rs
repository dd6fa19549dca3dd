//! `_tool_bitbucket_pull_request_statuses`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One status that a build or check gave to a commit of a pull request.
pub struct PullRequestStatuses;

impl Stream for PullRequestStatuses {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_statuses";
    const DESCRIBES: &'static str =
        "One status that a build or check gave to a commit of a pull request.";
}

/// One status that a build or check gave to a commit of a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pull_request_statuses",
    comment = "One status that a build or check gave to a commit of a pull request."
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
    /// Hash of the commit.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "hash of the commit"
    )]
    pub commit_sha: String,
    /// What tells the checks of a commit apart.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(200))",
        comment = "what tells the checks of a commit apart"
    )]
    pub status_key: String,
    /// SUCCESSFUL, FAILED, INPROGRESS or STOPPED.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "SUCCESSFUL, FAILED, INPROGRESS or STOPPED"
    )]
    pub state: String,
    /// Name of the check.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the check"
    )]
    pub name: String,
    /// What the check says of itself.
    #[sea_orm(column_type = "Text", comment = "what the check says of itself")]
    pub description: String,
    /// Page of the check.
    #[sea_orm(column_type = "Text", comment = "page of the check")]
    pub url: String,
    /// Branch or tag that was checked.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "branch or tag that was checked"
    )]
    pub ref_name: String,
    /// When the status was first given (UTC).
    #[sea_orm(comment = "when the status was first given (UTC)")]
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When the status last changed (UTC).
    #[sea_orm(comment = "when the status last changed (UTC)")]
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
