//! `_tool_bitbucket_commits`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::Stream;

/// One commit of the main branch.
pub struct Commits;

impl Stream for Commits {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "commits";
    const DESCRIBES: &'static str = "One commit of the main branch.";
}

/// One commit of the main branch of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_commits",
    comment = "One commit of the main branch of one repository."
)]
pub struct Model {
    /// Connection the repository is read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the repository is read through"
    )]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "full name of the repository, `workspace/slug`"
    )]
    pub repo_id: String,
    /// Hash.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "hash"
    )]
    pub sha: String,
    /// Account id of the author; empty where the address is nobody's.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account id of the author; empty where the address is nobody's"
    )]
    pub author_id: String,
    /// Name of the author, as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name of the author, as git has it"
    )]
    pub author_name: String,
    /// Address of the author, as git has it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "address of the author, as git has it"
    )]
    pub author_email: String,
    /// Date that the API gives (UTC).
    #[sea_orm(comment = "date that the API gives (UTC)")]
    pub authored_date: Option<DateTime<Utc>>,
    /// The same date (UTC).
    #[sea_orm(comment = "the same date (UTC)")]
    pub committed_date: Option<DateTime<Utc>>,
    /// Message.
    #[sea_orm(column_type = "Text", comment = "message")]
    pub message: String,
    /// Address of the commit in the API.
    #[sea_orm(column_type = "Text", comment = "address of the commit in the API")]
    pub url: String,
    /// Always 0.
    #[sea_orm(comment = "always 0")]
    pub additions: i64,
    /// Always 0.
    #[sea_orm(comment = "always 0")]
    pub deletions: i64,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
