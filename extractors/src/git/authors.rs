//! Accounts of authors.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use headwater_domain::code::commit;
use headwater_domain::crossdomain::account;
use headwater_domain::id::Ids;
use headwater_domain::rules::Rules;
use headwater_domain::{Origin, Rows};
use headwater_store::{StoreError, Transaction};

/// Accounts that are addresses. An account has the name that its newest commit gives, whichever
/// repository has that.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// The newest commit of an address that was met.
    newest: HashMap<String, (Option<DateTime<Utc>>, String)>,
}

impl Addresses {
    /// The addresses whose accounts are to be written, once these commits are.
    pub(super) fn meet(&mut self, commits: &[commit::Model]) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        for commit in commits {
            if commit.author_id.is_empty() || commit.author_id != commit.author_email {
                continue;
            }
            let age = (commit.authored_date, commit.sha.clone());
            let newest = self.newest.get(&commit.author_id);
            if newest.is_none_or(|newest| *newest < age) {
                self.newest.insert(commit.author_id.clone(), age);
                changed.insert(commit.author_id.clone());
            }
        }
        changed
    }
}

/// Writes or removes the accounts of these addresses, as the commits that are there say.
pub(super) async fn write_accounts(
    page: &mut Transaction<'_>,
    emails: BTreeSet<String>,
    (origin, rules): (&Origin, &Rules),
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    rows.from_origin(origin.clone());
    let mut gone = Vec::new();
    for email in emails {
        match page.newest_author_name(&email).await? {
            None => gone.push(email),
            // An address that is too long for a key is no account.
            Some(name) => rows.push(account::Model {
                is_bot: rules.is_bot(&[&name, &email]),
                id: email.clone(),
                email,
                user_name: name.clone(),
                full_name: name,
                ..account::Model::default()
            }),
        }
    }
    page.remove_git_accounts(&gone).await?;
    page.write_rows(rows).await.map(|_| ())
}

/// Removes the accounts of those of these addresses that no commit has any more.
pub(super) async fn remove_accounts(
    page: &Transaction<'_>,
    emails: BTreeSet<String>,
) -> Result<(), StoreError> {
    let mut gone = Vec::new();
    for email in emails {
        if page.newest_author_name(&email).await?.is_none() {
            gone.push(email);
        }
    }
    page.remove_git_accounts(&gone).await
}

/// Joins commits to accounts anew where the API gives another account for an address: than was
/// noted when commits were last joined, or than this run joined its commits to.
pub(super) async fn rejoin(
    page: &Transaction<'_>,
    (connection_id, ids): (i64, &Ids),
    [noted, used, now]: [&BTreeMap<String, String>; 3],
) -> Result<(), StoreError> {
    let id = |email: &str, account: Option<&String>| match account {
        Some(account) => ids.account(connection_id, account),
        None => email.to_owned(),
    };
    let emails: BTreeSet<&String> = noted.keys().chain(used.keys()).chain(now.keys()).collect();
    for email in emails {
        let account = now.get(email);
        let mut before = vec![noted.get(email), used.get(email)];
        before.retain(|before| *before != account);
        before.dedup();
        for before in before {
            let ids = (id(email, before), id(email, account));
            page.rejoin_author((connection_id, email), (&ids.0, &ids.1))
                .await?;
        }
        if account.is_none() {
            page.forget_joined_account(connection_id, email).await?;
        }
    }
    let changed = now
        .iter()
        .filter(|(email, account)| noted.get(*email) != Some(*account));
    page.note_joined_accounts(connection_id, changed).await
}
