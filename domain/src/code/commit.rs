//! `commits`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commits", comment = "One commit.")]
pub struct Model {
    /// Hash.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "hash"
    )]
    pub sha: String,
    /// Lines added, as git counts them; 0 for a merge, and where lines are not counted.
    #[sea_orm(
        comment = "lines added, as git counts them; 0 for a merge, and where lines are not counted"
    )]
    pub additions: i64,
    /// Lines removed, likewise.
    #[sea_orm(comment = "lines removed, likewise")]
    pub deletions: i64,
    /// Always 0.
    #[sea_orm(comment = "always 0")]
    pub dev_eq: i64,
    /// Message.
    #[sea_orm(column_type = "Text", comment = "message")]
    pub message: String,
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
    /// When it was written (UTC).
    #[sea_orm(comment = "when it was written (UTC)")]
    pub authored_date: Option<DateTime<Utc>>,
    /// Account of the author, joins `accounts.id`; else the address.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "account of the author, joins `accounts.id`; else the address"
    )]
    pub author_id: String,
    /// Likewise of the committer; where only the API was asked, as the author.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "likewise of the committer; where only the API was asked, as the author"
    )]
    pub committer_name: String,
    /// Likewise of the committer; where only the API was asked, as the author.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "likewise of the committer; where only the API was asked, as the author"
    )]
    pub committer_email: String,
    /// When it was written (UTC).
    #[sea_orm(comment = "when it was written (UTC)")]
    pub committed_date: Option<DateTime<Utc>>,
    /// Likewise of the committer; where only the API was asked, as the author.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "likewise of the committer; where only the API was asked, as the author"
    )]
    pub committer_id: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
