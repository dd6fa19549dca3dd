//! `_headwater_account_profiles`.

use headwater_macros::table;
use xxhash_rust::xxh3::Xxh3;

/// One distinct description of an account, kept once however many items repeat it.
#[table("_headwater_account_profiles")]
pub struct Model {
    /// Connection the description was read through.
    #[key]
    pub connection_id: i64,
    /// Atlassian account id; where there is none, the UUID in braces.
    #[key]
    pub account_id: String,
    /// Content hash of the columns below.
    #[key]
    #[width(40)]
    pub profile_id: String,
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
    /// Nickname where the API tells it.
    pub nickname: String,
}

/// What one payload says about an account; empty text where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile<'a> {
    /// Atlassian account id; where there is none, the UUID in braces.
    pub account_id: &'a str,
    /// User name.
    pub user_name: &'a str,
    /// State of the account.
    pub account_status: &'a str,
    /// Name shown to people.
    pub display_name: &'a str,
    /// Picture of the account.
    pub avatar_url: &'a str,
    /// Page a person can open.
    pub html_url: &'a str,
    /// Bitbucket's own id, in braces.
    pub uuid: &'a str,
    /// Nickname.
    pub nickname: &'a str,
}

impl Profile<'_> {
    /// Hash of everything but the account's id.
    #[must_use]
    pub fn content_hash(&self) -> u128 {
        let mut hash = Xxh3::new();
        for part in [
            self.user_name,
            self.account_status,
            self.display_name,
            self.avatar_url,
            self.html_url,
            self.uuid,
            self.nickname,
        ] {
            hash.update(part.as_bytes());
            // The separator keeps ("a", "") and ("", "a") apart.
            hash.update(b"\x1f");
        }
        hash.digest128()
    }

    /// The row that keeps this description; its key contains the hash of the content.
    #[must_use]
    pub fn to_row(&self, connection_id: i64) -> Model {
        Model {
            connection_id,
            profile_id: format!("{:032x}", self.content_hash()),
            account_id: self.account_id.to_owned(),
            user_name: self.user_name.to_owned(),
            account_status: self.account_status.to_owned(),
            display_name: self.display_name.to_owned(),
            avatar_url: self.avatar_url.to_owned(),
            html_url: self.html_url.to_owned(),
            uuid: self.uuid.to_owned(),
            nickname: self.nickname.to_owned(),
        }
    }
}
