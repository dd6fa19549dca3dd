//! `_headwater_account_mentions`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// How often one stream of one repository gives one description of an account.
///
/// The accounts table is computed from these rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_headwater_account_mentions",
    comment = "How often one stream of one repository gives one description of an account."
)]
pub struct Model {
    /// Connection the items were read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the items were read through"
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
    /// Stream of the items.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))",
        comment = "stream of the items"
    )]
    pub source: String,
    /// Atlassian account id; where there is none, the UUID in braces.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "Atlassian account id; where there is none, the UUID in braces"
    )]
    pub account_id: String,
    /// Content hash of the description.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "content hash of the description"
    )]
    pub profile_id: String,
    /// Number of items that give it.
    #[sea_orm(comment = "number of items that give it")]
    pub mentions: i64,
    /// When the newest of them last changed, as the source says (UTC); none where it says nothing.
    #[sea_orm(
        comment = "when the newest of them last changed, as the source says (UTC); none where it says nothing"
    )]
    pub seen_at: Option<DateTime<Utc>>,
    /// Key of the newest of them: parent and own key.
    #[sea_orm(
        column_type = "String(StringLen::N(520))",
        comment = "key of the newest of them: parent and own key"
    )]
    pub item: String,
}

/// No relations: the tables have no foreign keys, as in `DevLake`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
