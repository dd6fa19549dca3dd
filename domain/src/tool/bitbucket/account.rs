//! `_tool_bitbucket_accounts`.

use headwater_macros::table;

/// One person or bot, merged from every payload that mentions them.
#[table("_tool_bitbucket_accounts")]
pub struct Model {
    /// Connection the account was seen through.
    #[key]
    pub connection_id: i64,
    /// Atlassian account id; where there is none, the UUID in braces.
    #[key]
    pub account_id: String,
    /// User name; empty in today's payloads.
    pub user_name: String,
    /// State of the account where the API tells it.
    pub account_status: String,
    /// Name shown to people.
    pub display_name: String,
    /// Picture of the account.
    pub avatar_url: String,
    /// Page a person can open.
    pub html_url: String,
    /// Bitbucket's own id, in braces.
    pub uuid: String,
    /// Not in the API's answers; false.
    pub has2_fa_enabled: bool,
    /// Nickname where the API tells it.
    pub nickname: String,
    /// Workspaces that it is a member of now, by name, joined by commas; empty where none is known.
    pub organization: String,
}
