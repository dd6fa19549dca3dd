//! `_tool_bitbucket_accounts`.

use sea_orm::entity::prelude::*;

/// One person or bot, merged from every payload that mentions them.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_tool_bitbucket_accounts",
    comment = "One person or bot, merged from every payload that mentions them."
)]
pub struct Model {
    /// Connection the account was seen through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the account was seen through"
    )]
    pub connection_id: i64,
    /// Atlassian account id; where there is none, the UUID in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "Atlassian account id; where there is none, the UUID in braces"
    )]
    pub account_id: String,
    /// User name; empty in today's payloads.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "user name; empty in today's payloads"
    )]
    pub user_name: String,
    /// State of the account where the API tells it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "state of the account where the API tells it"
    )]
    pub account_status: String,
    /// Name shown to people.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "name shown to people"
    )]
    pub display_name: String,
    /// Picture of the account.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "picture of the account"
    )]
    pub avatar_url: String,
    /// Page a person can open.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "page a person can open"
    )]
    pub html_url: String,
    /// Bitbucket's own id, in braces.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "Bitbucket's own id, in braces"
    )]
    pub uuid: String,
    /// Never told by the API; false.
    #[sea_orm(comment = "never told by the API; false")]
    pub has2_fa_enabled: bool,
    /// Nickname where the API tells it.
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        comment = "nickname where the API tells it"
    )]
    pub nickname: String,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
