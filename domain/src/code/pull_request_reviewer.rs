//! `pull_request_reviewers`.

use sea_orm::entity::prelude::*;

/// One reviewer of one pull request: asked to review, or approved, or asked for changes; never the author.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_reviewers",
    comment = "One reviewer of one pull request: asked to review, or approved, or asked for changes; never the author."
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
    /// Reviewer; joins `accounts.id`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "reviewer; joins `accounts.id`"
    )]
    pub reviewer_id: String,
    /// Display name of the reviewer.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name of the reviewer"
    )]
    pub name: String,
    /// Display name again, as DevLake fills it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "display name again, as DevLake fills it"
    )]
    pub user_name: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
