//! `_headwater_account_mentions`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// One account named by one raw item; the accounts table is computed from these.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_headwater_account_mentions",
    comment = "One account named by one raw item; the accounts table is computed from these."
)]
pub struct Model {
    /// Connection the item was read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the item was read through"
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
    /// Stream of the item that names the account.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))",
        comment = "stream of the item that names the account"
    )]
    pub source: String,
    /// Key of that item: parent and own key.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "key of that item: parent and own key"
    )]
    pub item: String,
    /// Atlassian account id.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "Atlassian account id"
    )]
    pub account_id: String,
    /// Content hash of what the item says about the account.
    #[sea_orm(
        column_type = "String(StringLen::N(40))",
        comment = "content hash of what the item says about the account"
    )]
    pub profile_id: String,
    /// Server time at which the item was last seen to change (UTC).
    #[sea_orm(comment = "server time at which the item was last seen to change (UTC)")]
    pub seen_at: Option<DateTime<Utc>>,
}

/// No relations: the tables have no foreign keys, as in DevLake.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
