//! `commit_parents`.

use sea_orm::entity::prelude::*;

/// One parent of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commit_parents", comment = "One parent of one commit.")]
pub struct Model {
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Commit before it; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit before it; joins `commits.sha`"
    )]
    pub parent_commit_sha: String,
    /// Place among the parents of the commit, from 0; the first is what it was made on.
    #[sea_orm(
        comment = "place among the parents of the commit, from 0; the first is what it was made on"
    )]
    pub parent_order: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
