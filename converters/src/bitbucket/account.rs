//! Accounts.

use headwater_domain::crossdomain::account as domain;
use headwater_domain::headwater::account_mention;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::account;
use headwater_domain::{Rows, Scope, Sourced};

use crate::rules::Rules;
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_accounts` to `accounts`.
pub struct Accounts;

impl Convert for Accounts {
    type Driver = account::Entity;
    const NAME: &'static str = "accounts";
    const KEY: &'static str = "account_id";
    const VERSION: u32 = 2;

    fn reads() -> Vec<Read> {
        // The row is shared by all scopes; a change in this scope shows in its mentions.
        vec![Read::trigger::<account_mention::Entity>("account_id")]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<domain::Entity>("id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::account(scope.connection_id, key)
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.bot_fingerprint()
    }

    fn convert(_: &Scope, driver: Sourced<account::Model>, related: &Related, rows: &mut Rows) {
        let account = driver.row;
        let names = [&account.display_name, &account.nickname, &account.user_name];
        let is_bot = related.rules().is_bot(&names.map(String::as_str));
        rows.push(domain::Model {
            id: id::account(account.connection_id, &account.account_id),
            full_name: account.display_name,
            user_name: account.user_name,
            avatar_url: account.avatar_url,
            organization: account.organization,
            is_bot,
            ..domain::Model::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{converted, scope};

    #[test]
    fn an_account_keeps_its_names_and_its_picture() {
        let row = account::Model {
            connection_id: 1,
            account_id: "ann".to_owned(),
            user_name: "annie".to_owned(),
            display_name: "Änn".to_owned(),
            avatar_url: "https://avatar/ann".to_owned(),
            ..account::Model::default()
        };
        assert_snapshot!(converted::<Accounts>(row, &Related::default()));
    }

    #[test]
    fn an_account_is_a_bot_when_one_of_its_names_is() {
        let rules = || Rules {
            bot_pattern: Some(regex::Regex::new("(?i)bot$").unwrap()),
            ..Rules::default()
        };
        let named = |display_name: &str, nickname: &str| {
            let row = account::Model {
                display_name: display_name.to_owned(),
                nickname: nickname.to_owned(),
                ..account::Model::default()
            };
            converted::<Accounts>(row, &Related::default().under(rules()))
        };
        assert!(named("Release-Bot", "").contains("is_bot=true"));
        assert!(named("Releases", "releasebot").contains("is_bot=true"));
        assert!(named("Bottleneck", "").contains("is_bot=false"));
    }

    #[test]
    fn an_empty_account_id_still_has_the_form_of_an_id() {
        assert_eq!(
            Accounts::owner(&scope(), ""),
            "bitbucket:BitbucketAccount:1:"
        );
    }
}
