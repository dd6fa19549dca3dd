//! Accounts.

use headwater_domain::crossdomain::account as domain;
use headwater_domain::tool::bitbucket::{account, account_mention};
use headwater_domain::{Rows, Scope, Sourced, id};

use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_accounts` to `accounts`.
pub struct Accounts;

impl Convert for Accounts {
    type Driver = account::Entity;
    const NAME: &'static str = "accounts";
    const KEY: &'static str = "account_id";

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

    fn convert(_: &Scope, driver: Sourced<account::Model>, _: &Related, rows: &mut Rows) {
        let account = driver.row;
        rows.push(domain::Model {
            id: id::account(account.connection_id, &account.account_id),
            full_name: account.display_name,
            user_name: account.user_name,
            avatar_url: account.avatar_url,
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
    fn an_empty_account_id_still_has_the_form_of_an_id() {
        assert_eq!(
            Accounts::owner(&scope(), ""),
            "bitbucket:BitbucketAccount:1:"
        );
    }
}
