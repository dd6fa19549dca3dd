//! `pull_request_commits`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One commit of one pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "pull_request_commits",
    comment = "One commit of one pull request."
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
    /// Full hash of the commit.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "full hash of the commit"
    )]
    pub commit_sha: String,
    /// Author's name as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "author's name as git has it"
    )]
    pub commit_author_name: String,
    /// Author's e-mail as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "author's e-mail as git has it"
    )]
    pub commit_author_email: String,
    /// Date of the commit (UTC).
    #[sea_orm(comment = "date of the commit (UTC)")]
    pub commit_authored_date: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
