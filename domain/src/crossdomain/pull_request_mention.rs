//! `pull_request_mentions`.

use sea_orm::entity::prelude::*;

/// One name of an issue that one pull request holds, whether or not there is such an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_mentions",
    comment = "One name of an issue that one pull request holds, whether or not there is such an issue."
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
    /// The name as written: `#12` or `ABC-12`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(64))",
        comment = "the name as written: `#12` or `ABC-12`"
    )]
    pub mention: String,
    /// Where it is written: title, branch or message (of a commit), the first of these.
    #[sea_orm(
        column_type = "String(StringLen::N(20))",
        comment = "where it is written: title, branch or message (of a commit), the first of these"
    )]
    pub place: String,
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
