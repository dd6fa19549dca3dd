//! Accounts, and the mentions they are computed from.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_account_mentions")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("source", 100)
            .key("account_id", 255)
            .key("profile_id", 40)
            .number("mentions")
            .time("seen_at")
            .varchar("item", 520)
            .tool()
            .index(&["connection_id", "account_id", "profile_id", "seen_at"]),
        NewTable::new("_headwater_item_mentions")
            .key("raw_table", 100)
            .key_number("raw_id")
            .varchar("item", 520)
            .time("seen_at")
            .text("accounts")
            .clustered(),
        NewTable::new("_headwater_account_profiles")
            .key_number("connection_id")
            .key("account_id", 255)
            .key("profile_id", 40)
            .varchar("user_name", 255)
            .varchar("account_status", 255)
            .varchar("display_name", 255)
            .varchar("avatar_url", 255)
            .varchar("html_url", 255)
            .varchar("uuid", 255)
            .varchar("nickname", 255),
        NewTable::new("_tool_bitbucket_accounts")
            .key_number("connection_id")
            .key("account_id", 255)
            .varchar("user_name", 255)
            .varchar("account_status", 255)
            .varchar("display_name", 255)
            .varchar("avatar_url", 255)
            .varchar("html_url", 255)
            .varchar("uuid", 255)
            .flag("has2_fa_enabled")
            .varchar("nickname", 255)
            .tool(),
        NewTable::new("accounts")
            .key("id", 255)
            .varchar("email", 255)
            .varchar("full_name", 255)
            .varchar("user_name", 255)
            .varchar("avatar_url", 255)
            .varchar("organization", 255)
            .time("created_date")
            .number("status")
            .domain(),
    ]
}
