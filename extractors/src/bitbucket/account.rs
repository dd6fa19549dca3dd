//! Accounts as other payloads carry them.

use headwater_domain::Stream as _;
use headwater_domain::Table;
use headwater_domain::headwater::account_profile::Profile;
use headwater_domain::tool::bitbucket::account;
use headwater_domain::tool::bitbucket::workspace_member::WorkspaceMembers;
use headwater_store::git::AddressColumns;
use serde::Deserialize;

use super::Links;
use crate::accounts::AccountTable;
use crate::json;

/// `_tool_bitbucket_accounts`.
pub const ACCOUNTS: AccountTable = AccountTable {
    table: Table::of::<account::Entity>,
    key: "account_id",
    members: WorkspaceMembers::NAME,
    row: |known, organization, rows| {
        rows.push(account::Model {
            connection_id: known.connection_id,
            account_id: known.account_id,
            user_name: known.user_name,
            account_status: known.account_status,
            display_name: known.display_name,
            avatar_url: known.avatar_url,
            html_url: known.html_url,
            uuid: known.uuid,
            has2_fa_enabled: false,
            nickname: known.nickname,
            organization,
        });
    },
    addresses: &[
        AddressColumns {
            table: "_tool_bitbucket_commits",
            email: "author_email",
            account: "author_id",
        },
        AddressColumns {
            table: "_tool_bitbucket_pull_request_commits",
            email: "commit_author_email",
            account: "commit_author_id",
        },
    ],
};

/// A user, a team or an app inside another payload; any part may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Received")]
pub(crate) struct User {
    /// Atlassian's account id. Teams, some apps and deleted accounts have none: theirs is the
    /// UUID, in braces (decision 34). Empty where the payload has neither.
    pub(crate) account_id: String,
    pub(crate) display_name: String,
    username: String,
    account_status: String,
    pub(crate) uuid: String,
    nickname: String,
    links: Option<Links>,
}

impl TryFrom<Received> for User {
    type Error = json::Unfit;

    fn try_from(received: Received) -> Result<Self, Self::Error> {
        let account_id = if received.account_id.is_empty() {
            in_braces(&received.uuid)?
        } else {
            received.account_id
        };
        Ok(Self {
            account_id,
            display_name: received.display_name,
            username: received.username,
            account_status: received.account_status,
            uuid: received.uuid,
            nickname: received.nickname,
            links: received.links,
        })
    }
}

/// A UUID as the id of an account: one spelling, whether the payload writes braces or not.
fn in_braces(uuid: &str) -> Result<String, json::Unfit> {
    let bare = uuid.trim().trim_matches(['{', '}']);
    if bare.is_empty() {
        return Ok(String::new());
    }
    json::part_of_key(format!("{{{bare}}}"), LONGEST)
}

/// Characters of an account id; Atlassian's own limit.
const LONGEST: usize = 128;

/// The fields as they are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "an account")]
struct Received {
    #[serde(default, deserialize_with = "json::short_text::<LONGEST, _>")]
    account_id: String,
    #[serde(default, deserialize_with = "json::text")]
    display_name: String,
    #[serde(default, deserialize_with = "json::text")]
    username: String,
    #[serde(default, deserialize_with = "json::text")]
    account_status: String,
    #[serde(default, deserialize_with = "json::text")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    nickname: String,
    links: Option<Links>,
}

impl User {
    /// An account of which an id and a name are known.
    pub(crate) fn named(account_id: String, display_name: String) -> Self {
        Self {
            account_id,
            display_name,
            ..Self::default()
        }
    }

    /// Whether the id is Atlassian's, and not the UUID in its place.
    pub(crate) fn has_account_id(&self) -> bool {
        !self.account_id.starts_with('{')
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(json: &str) -> Result<String, String> {
        let user: Result<User, _> = serde_json::from_str(json);
        user.map(|user| user.account_id)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_id_of_an_account_is_its_account_id_and_else_its_uuid_in_braces() {
        for (json, expected) in [
            (r#"{"account_id": "ann", "uuid": "{u-1}"}"#, "ann"),
            (r#"{"type": "team", "uuid": "{u-1}"}"#, "{u-1}"),
            (r#"{"account_id": null, "uuid": "{u-1}"}"#, "{u-1}"),
            (r#"{"account_id": "", "uuid": "u-1"}"#, "{u-1}"),
            (r#"{"account_id": null, "uuid": null}"#, ""),
            (r#"{"uuid": "{}"}"#, ""),
            (r#"{"display_name": "Former user"}"#, ""),
            ("{}", ""),
        ] {
            assert_eq!(id_of(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn a_uuid_that_fits_no_key_is_refused_where_it_is_the_id_only() {
        let long = "u".repeat(200);
        let alone = id_of(&format!(r#"{{"uuid": "{long}"}}"#)).unwrap_err();
        assert!(alone.contains("202 characters"), "{alone}");
        assert!(id_of(r#"{"uuid": "{a\u0009b}"}"#).is_err());
        let beside = id_of(&format!(r#"{{"account_id": "ann", "uuid": "{long}"}}"#));
        assert_eq!(beside.as_deref(), Ok("ann"));
    }
}
