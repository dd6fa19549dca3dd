//! `pull_request_issues`.

use sea_orm::entity::prelude::*;

/// One issue that one pull request names.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_issues",
    comment = "One issue that one pull request names."
)]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "pull request; joins `pull_requests.id`"
    )]
    pub pull_request_id: String,
    /// Issue; joins `issues.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "issue; joins `issues.id`"
    )]
    pub issue_id: String,
    /// Number of the pull request.
    #[sea_orm(comment = "number of the pull request")]
    pub pull_request_key: i64,
    /// Key of the issue.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "key of the issue"
    )]
    pub issue_key: String,
    /// Where the issue is named: title, branch or message (of a commit), the first of these.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "where the issue is named: title, branch or message (of a commit), the first of these"
    )]
    pub place: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
