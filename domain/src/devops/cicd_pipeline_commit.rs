//! `cicd_pipeline_commits`.

use sea_orm::entity::prelude::*;

/// One commit that a pipeline ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "cicd_pipeline_commits",
    comment = "One commit that a pipeline ran on."
)]
pub struct Model {
    /// Pipeline; joins `cicd_pipelines.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "pipeline; joins `cicd_pipelines.id`"
    )]
    pub pipeline_id: String,
    /// Full hash of the commit.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full hash of the commit"
    )]
    pub commit_sha: String,
    /// Message of the commit.
    #[sea_orm(column_type = "Text", comment = "message of the commit")]
    pub commit_msg: String,
    /// Build number, as people see it.
    #[sea_orm(column_type = "Text", comment = "build number, as people see it")]
    pub display_title: String,
    /// Page of the commit.
    #[sea_orm(column_type = "Text", comment = "page of the commit")]
    pub url: String,
    /// Branch or tag the pipeline ran for.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "branch or tag the pipeline ran for"
    )]
    pub branch: String,
    /// Repository; joins `repos.id`.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "repository; joins `repos.id`"
    )]
    pub repo_id: String,
    /// Page of the repository.
    #[sea_orm(
        column_type = "String(StringLen::N(500))",
        comment = "page of the repository"
    )]
    pub repo_url: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
