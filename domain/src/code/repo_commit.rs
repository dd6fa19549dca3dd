//! `repo_commits`.

use sea_orm::entity::prelude::*;

/// One commit that one repository has: by git any, by the API one of the main branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "repo_commits",
    comment = "One commit that one repository has: by git any, by the API one of the main branch."
)]
pub struct Model {
    /// Repository; joins `repos.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
    /// Commit; joins `commits.sha`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "commit; joins `commits.sha`"
    )]
    pub commit_sha: String,
    /// Repository and commit in one: `<repository id>:<sha>`.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "repository and commit in one: `<repository id>:<sha>`"
    )]
    pub source_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
