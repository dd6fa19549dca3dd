//! `unlinked_pull_requests`.

use sea_orm::entity::prelude::*;

/// One merged pull request of which no commit was found, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "unlinked_pull_requests",
    comment = "One merged pull request of which no commit was found, and why."
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
    /// What was looked for and why it was not found, in words.
    #[sea_orm(
        column_type = "Text",
        comment = "what was looked for and why it was not found, in words"
    )]
    pub reason: String,
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
