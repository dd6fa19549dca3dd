//! `accounts`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One person or bot in one source.
#[table("accounts")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketAccount:<connection>:<account id>`; of an author known from
    /// git alone the e-mail address.
    #[key]
    pub id: String,
    /// E-mail address; Bitbucket does not tell it.
    pub email: String,
    /// Name shown to people.
    pub full_name: String,
    /// User name; empty in today's payloads.
    pub user_name: String,
    /// Picture of the account.
    pub avatar_url: String,
    /// Workspaces that it is a member of now, by name, joined by commas; empty where none is known.
    pub organization: String,
    /// Empty for Bitbucket.
    pub created_date: Option<DateTime<Utc>>,
    /// 0 for Bitbucket.
    pub status: i64,
    /// True when `bot_pattern` of the scope config matches one of its names.
    pub is_bot: bool,
}
