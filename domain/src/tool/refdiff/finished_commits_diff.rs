//! `_tool_refdiff_finished_commits_diffs`.

use sea_orm::entity::prelude::*;

/// One pair of commits that has been compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_refdiff_finished_commits_diffs",
    comment = "One pair of commits that has been compared."
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
    /// Repository whose cut-off history it was made of; empty for a complete one, which is the same in every repository.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository whose cut-off history it was made of; empty for a complete one, which is the same in every repository"
    )]
    pub repo_id: String,
    /// How many commits were found.
    #[sea_orm(comment = "how many commits were found")]
    pub commits: i64,
    /// Whether all history of both ends was known.
    #[sea_orm(comment = "whether all history of both ends was known")]
    pub is_complete: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
