//! `refs_issues_diffs`.

use sea_orm::entity::prelude::*;

/// One issue that the newer of two tags or branches brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "refs_issues_diffs",
    comment = "One issue that the newer of two tags or branches brought."
)]
pub struct Model {
    /// Newer tag or branch; joins `refs.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "newer tag or branch; joins `refs.id`"
    )]
    pub new_ref_id: String,
    /// Older tag or branch; joins `refs.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "older tag or branch; joins `refs.id`"
    )]
    pub old_ref_id: String,
    /// Commit that the newer one stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit that the newer one stands on"
    )]
    pub new_ref_commit_sha: String,
    /// Commit that the older one stands on.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "commit that the older one stands on"
    )]
    pub old_ref_commit_sha: String,
    /// Key of the issue.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "key of the issue"
    )]
    pub issue_number: String,
    /// Issue; joins `issues.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Repository of both; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository of both; joins `repos.id`"
    )]
    pub repo_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
