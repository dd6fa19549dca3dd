//! `_tool_bitbucket_pull_request_diffstats`.

use sea_orm::entity::prelude::*;

use crate::Stream;

/// One file that a pull request changes.
pub struct PullRequestDiffstats;

impl Stream for PullRequestDiffstats {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_diffstats";
    const DESCRIBES: &'static str = "One file that a pull request changes.";
}

/// One file that one pull request changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_pull_request_diffstats",
    comment = "One file that one pull request changes."
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
    /// Hash of the file's path, which may be too long for a key.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(127))",
        comment = "hash of the file's path, which may be too long for a key"
    )]
    pub file_key: String,
    /// What became of the file, such as added, modified, removed or renamed.
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        comment = "what became of the file, such as added, modified, removed or renamed"
    )]
    pub status: String,
    /// Path before the change; empty for a file that is new.
    #[sea_orm(
        column_type = "Text",
        comment = "path before the change; empty for a file that is new"
    )]
    pub old_path: String,
    /// Path after the change; empty for a file that is removed.
    #[sea_orm(
        column_type = "Text",
        comment = "path after the change; empty for a file that is removed"
    )]
    pub new_path: String,
    /// Lines added.
    #[sea_orm(comment = "lines added")]
    pub lines_added: i64,
    /// Lines removed.
    #[sea_orm(comment = "lines removed")]
    pub lines_removed: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
