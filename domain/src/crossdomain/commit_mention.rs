//! `commit_mentions`.

use sea_orm::entity::prelude::*;

/// One name of an issue in the message of one commit of one repository, whether or not there is
/// such an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "commit_mentions",
    comment = "One name of an issue in the message of one commit of one repository, whether or not there is such an issue."
)]
pub struct Model {
    /// Repository and commit in one; joins `repo_commits.source_id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(500))",
        comment = "repository and commit in one; joins `repo_commits.source_id`"
    )]
    pub source_id: String,
    /// The name as written: `#12` or `ABC-12`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(64))",
        comment = "the name as written: `#12` or `ABC-12`"
    )]
    pub mention: String,
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Of `#12` the issue of the repository's own tracker, as `issues.id` would be; else empty.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "of `#12` the issue of the repository's own tracker, as `issues.id` would be; else empty"
    )]
    pub issue_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
