//! `accounts`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One person or bot in one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts", comment = "One person or bot in one source.")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketAccount:<connection>:<account id>`; of an author known from git alone the e-mail address.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "domain id, `bitbucket:BitbucketAccount:<connection>:<account id>`; of an author known from git alone the e-mail address"
    )]
    pub id: String,
    /// E-mail address; Bitbucket does not tell it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "e-mail address; Bitbucket does not tell it"
    )]
    pub email: String,
    /// Name shown to people.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name shown to people"
    )]
    pub full_name: String,
    /// User name; empty in today's payloads.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "user name; empty in today's payloads"
    )]
    pub user_name: String,
    /// Picture of the account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "picture of the account"
    )]
    pub avatar_url: String,
    /// Empty for Bitbucket.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "empty for Bitbucket"
    )]
    pub organization: String,
    /// Empty for Bitbucket.
    #[sea_orm(comment = "empty for Bitbucket")]
    pub created_date: Option<DateTime<Utc>>,
    /// 0 for Bitbucket.
    #[sea_orm(comment = "0 for Bitbucket")]
    pub status: i64,
    /// True when `bot_pattern` of the scope config matches one of its names.
    #[sea_orm(comment = "true when `bot_pattern` of the scope config matches one of its names")]
    pub is_bot: bool,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
