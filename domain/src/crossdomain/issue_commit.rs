//! `issue_commits`.

use sea_orm::entity::prelude::*;

/// One issue that one commit names.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "issue_commits",
    comment = "One issue that one commit names."
)]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Where the issue is named: message. Those of the pull request are in `pull_request_issues`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "where the issue is named: message; those of the pull request are in `pull_request_issues`"
    )]
    pub place: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
