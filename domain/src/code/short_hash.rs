//! `short_hashes`.

use sea_orm::entity::prelude::*;

/// One short commit hash that Bitbucket gave, and the commit that it stands for in the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DeriveEntityModel)]
#[sea_orm(
    table_name = "short_hashes",
    comment = "One short commit hash that Bitbucket gave, and the commit that it stands for in the repository."
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
    /// Step that makes the rows which name it, such as `convert:pull_requests`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))",
        comment = "step that makes the rows which name it, such as `convert:pull_requests`"
    )]
    pub step: String,
    /// What names it, by Bitbucket's id: a pull request, or a pipeline.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "what names it, by Bitbucket's id: a pull request, or a pipeline"
    )]
    pub row_key: String,
    /// Hash as it was given.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "hash as it was given"
    )]
    pub short_sha: String,
    /// Its first seven digits, by which it is found when commits come and go.
    #[sea_orm(
        column_type = "String(StringLen::N(7))",
        comment = "its first seven digits, by which it is found when commits come and go"
    )]
    pub beginning: String,
    /// The one commit of the repository that begins with it; joins `commits.sha`; empty when there is none, or more than one.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "the one commit of the repository that begins with it; joins `commits.sha`; empty when there is none, or more than one"
    )]
    pub commit_sha: String,
    /// FULL; UNKNOWN where no commit of the repository begins with it; AMBIGUOUS where several do.
    #[sea_orm(
        column_type = "String(StringLen::N(20))",
        comment = "FULL; UNKNOWN where no commit of the repository begins with it; AMBIGUOUS where several do"
    )]
    pub state: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
