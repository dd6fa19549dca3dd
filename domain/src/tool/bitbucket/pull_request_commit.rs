//! `_tool_bitbucket_pull_request_commits`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One commit of a pull request.
pub struct PullRequestCommits;

impl Stream for PullRequestCommits {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_commits";
    const DESCRIBES: &'static str = "One commit of a pull request.";
}

/// One commit of one pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pull_request_commits",
    comment = "One commit of one pull request."
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
    /// Full hash of the commit.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "full hash of the commit"
    )]
    pub commit_sha: String,
    /// Author's name as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "author's name as git has it"
    )]
    pub commit_author_name: String,
    /// Author's e-mail as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "author's e-mail as git has it"
    )]
    pub commit_author_email: String,
    /// Account of the author; empty where Bitbucket knows none.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account of the author; empty where Bitbucket knows none"
    )]
    pub commit_author_id: String,
    /// Date of the commit (UTC).
    #[sea_orm(comment = "date of the commit (UTC)")]
    pub commit_authored_date: Option<DateTime<Utc>>,
    /// Issues that the message names, as written, with a space between them.
    #[sea_orm(
        column_type = "Text",
        comment = "issues that the message names, as written, with a space between them"
    )]
    pub mentions: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
