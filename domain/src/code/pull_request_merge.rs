//! `pull_request_merges`.

use sea_orm::entity::prelude::*;

/// One commit that a merged pull request brought or became.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_merges",
    comment = "One commit that a merged pull request brought or became."
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
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// How it was found: ANCESTRY, PATCH-ID or NUMBER.
    #[sea_orm(
        column_type = "String(StringLen::N(20))",
        comment = "how it was found: ANCESTRY, PATCH-ID or NUMBER"
    )]
    pub method: String,
    /// True for the commit with which all of the pull request is there.
    #[sea_orm(comment = "true for the commit with which all of the pull request is there")]
    pub is_tip: bool,
    /// Repository; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
