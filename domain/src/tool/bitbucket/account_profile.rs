//! `_headwater_account_profiles`.

use sea_orm::entity::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::account_mention;
use crate::Item;

/// One distinct description of an account, kept once however many items repeat it.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(
    table_name = "_headwater_account_profiles",
    comment = "One distinct description of an account, kept once however many items repeat it."
)]
pub struct Model {
    /// Connection the description was read through.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        comment = "connection the description was read through"
    )]
    pub connection_id: i64,
    /// Atlassian account id.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(255))",
        comment = "Atlassian account id"
    )]
    pub account_id: String,
    /// Content hash of the columns below.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(40))",
        comment = "content hash of the columns below"
    )]
    pub profile_id: String,
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

/// What one payload says about an account; empty text where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Atlassian account id.
    pub account_id: String,
    /// User name.
    pub user_name: String,
    /// State of the account.
    pub account_status: String,
    /// Name shown to people.
    pub display_name: String,
    /// Picture of the account.
    pub avatar_url: String,
    /// Page a person can open.
    pub html_url: String,
    /// Bitbucket's own id, in braces.
    pub uuid: String,
    /// Nickname.
    pub nickname: String,
}

impl Profile {
    /// The row that keeps this description; its key contains a hash of the content.
    #[must_use]
    pub fn into_row(self, connection_id: i64) -> Model {
        let content = [
            &self.user_name,
            &self.account_status,
            &self.display_name,
            &self.avatar_url,
            &self.html_url,
            &self.uuid,
            &self.nickname,
        ];
        // The separator keeps ("a", "") and ("", "a") apart.
        let joined = content.map(String::as_str).join("\u{1f}");
        Model {
            connection_id,
            profile_id: format!("{:032x}", xxh3_128(joined.as_bytes())),
            account_id: self.account_id,
            user_name: self.user_name,
            account_status: self.account_status,
            display_name: self.display_name,
            avatar_url: self.avatar_url,
            html_url: self.html_url,
            uuid: self.uuid,
            nickname: self.nickname,
        }
    }
}

impl Model {
    /// The mention of this description by one item of a stream.
    #[must_use]
    pub fn mentioned_by(&self, source: &str, item: &Item<'_>) -> account_mention::Model {
        account_mention::Model {
            connection_id: self.connection_id,
            repo_id: item.scope.full_name.clone(),
            source: source.to_owned(),
            item: if item.parent.is_empty() {
                item.key.to_owned()
            } else {
                format!("{}/{}", item.parent, item.key)
            },
            account_id: self.account_id.clone(),
            profile_id: self.profile_id.clone(),
            seen_at: item.seen_at,
        }
    }
}
