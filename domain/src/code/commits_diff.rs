//! `commits_diffs`.

use sea_orm::entity::prelude::*;

/// One commit that one commit has and another has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "commits_diffs",
    comment = "One commit that one commit has and another has not."
)]
pub struct Model {
    /// Commit of the newer end; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit of the newer end; joins `commits.sha`"
    )]
    pub new_commit_sha: String,
    /// Commit of the older end; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit of the older end; joins `commits.sha`"
    )]
    pub old_commit_sha: String,
    /// Commit that the newer end has and the older one has not; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit that the newer end has and the older one has not; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Place among the commits of the pair, from 1 at the newer end.
    #[sea_orm(comment = "place among the commits of the pair, from 1 at the newer end")]
    pub sorting_index: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
