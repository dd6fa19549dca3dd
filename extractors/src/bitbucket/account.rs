//! Accounts as other payloads carry them.

use headwater_domain::tool::bitbucket::account_profile::Profile;
use serde::Deserialize;

use super::Links;
use crate::json;

/// A user inside another payload; any part may be missing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct User {
    /// Atlassian's own limit.
    #[serde(default, deserialize_with = "json::short_text::<128, _>")]
    pub(crate) account_id: String,
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) display_name: String,
    #[serde(default, deserialize_with = "json::text")]
    username: String,
    #[serde(default, deserialize_with = "json::text")]
    account_status: String,
    #[serde(default, deserialize_with = "json::text")]
    pub(crate) uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    nickname: String,
    links: Option<Links>,
}

impl User {
    /// What this payload says about the account.
    pub(crate) fn profile(&self) -> Profile<'_> {
        let link = |of: fn(&Links) -> Option<&super::Link>| {
            let link = self.links.as_ref().and_then(of);
            link.map(|link| link.href.as_str()).unwrap_or_default()
        };
        Profile {
            account_id: &self.account_id,
            user_name: &self.username,
            account_status: &self.account_status,
            display_name: &self.display_name,
            avatar_url: link(|links| links.avatar.as_ref()),
            html_url: link(|links| links.html.as_ref()),
            uuid: &self.uuid,
            nickname: &self.nickname,
        }
    }
}
