//! The accounts table: one row per account, merged from every item that mentions it.
//!
//! Accounts are shared between scopes and streams, so no payload owns them. The row is a pure
//! function of the mentions now stored: per field the newest one that has it. An account that
//! nothing mentions has no row.

use std::cmp::Reverse;

use headwater_domain::headwater::account_mention;
use headwater_domain::headwater::account_profile::Model as Profile;
use headwater_domain::rows::Rows;
use headwater_domain::{Scope, Table};
use headwater_store::derivations::{ToList, Tracked};
use headwater_store::git::AddressColumns;
use headwater_store::mentions::Mentioned;
use headwater_store::{Owner, Replacement, StepContext, Store, StoreError};

use crate::engine::{Error, Extracted};

/// Name of the step in checkpoints.
pub const STEP: &str = "extract:accounts";

/// Raise it when [`merged`], or anything else in the row of an account, changes.
const VERSION: u32 = 3;

/// Accounts computed in one transaction.
const PAGE: usize = 64;

/// A source's accounts table.
#[derive(Debug)]
pub struct AccountTable {
    /// The table.
    pub table: fn() -> &'static Table,
    /// Its column that holds what mentions know an account by.
    pub key: &'static str,
    /// The stream that says who is a member of a workspace; empty where none does.
    pub members: &'static str,
    /// Makes the row of an account of what is known of it, and of the names of the workspaces that
    /// it is a member of, joined by commas.
    pub row: fn(Profile, String, &mut Rows),
    /// Tool tables of commits that tell accounts by e-mail address.
    pub addresses: &'static [AddressColumns],
}

/// Computes the accounts whose mentions in this scope changed.
///
/// Mentions of other scopes count too, so runs over scopes of one connection take turns.
///
/// # Errors
/// When cancelled, or the database fails.
pub async fn run(
    store: &Store,
    scope: &Scope,
    accounts: &AccountTable,
    context: &StepContext<'_>,
) -> Result<Extracted, Error> {
    let failed = |source| Error::Store {
        stream: "accounts",
        scope: scope.full_name.clone(),
        source,
    };
    list_work(store, scope, context).await.map_err(failed)?;
    let mut outcome = Extracted::default();
    loop {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let ids = store.work(scope, STEP, "", PAGE).await.map_err(failed)?;
        if ids.is_empty() {
            return Ok(outcome);
        }
        compute(store, scope, (accounts, &ids), context, &mut outcome)
            .await
            .map_err(failed)?;
        (context.progress)(ids.len() as u64);
    }
}

/// Notes every account whose mentions changed, together with the checkpoint.
async fn list_work(
    store: &Store,
    scope: &Scope,
    context: &StepContext<'_>,
) -> Result<(), StoreError> {
    let mentions = Tracked {
        table: Table::of::<account_mention::Entity>(),
        column: "account_id",
        way: None,
    };
    let list = ToList {
        step: STEP,
        reads: vec![mentions],
        rules: format!("v{VERSION}"),
        passes: false,
    };
    store.list_changed(scope, list, context).await.map(|_| ())
}

async fn compute(
    store: &Store,
    scope: &Scope,
    (accounts, ids): (&AccountTable, &[String]),
    context: &StepContext<'_>,
    outcome: &mut Extracted,
) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    let mut forgotten = Vec::new();
    for id in ids {
        let (mentions, unused) = store.mentions_of(scope.connection_id, id).await?;
        if let Some(newest) = newest_first(&mentions).first() {
            rows.from_origin(newest.origin.clone());
            let members = accounts.members;
            let workspaces = store.workspaces_of(scope.connection_id, id, members);
            let workspaces = workspaces.await?;
            let workspaces: Vec<String> = workspaces.into_iter().collect();
            (accounts.row)(merged(&mentions), workspaces.join(","), &mut rows);
        }
        if !unused.is_empty() {
            forgotten.push((id, unused));
        }
    }
    let table = (accounts.table)();
    let mut page = store.begin(scope, context.now).await?;
    let replacement = Replacement {
        table,
        owner: Owner::Column {
            name: accounts.key,
            values: ids.to_vec(),
            connection_id: Some(scope.connection_id),
        },
        rows: rows.take(table),
        first: false,
    };
    outcome.changes += page.replace(replacement).await?;
    for (id, unused) in forgotten {
        page.forget_profiles(scope.connection_id, id, &unused)
            .await?;
    }
    page.finish_work(STEP, ids)?;
    page.commit().await?;
    outcome.items += ids.len() as u64;
    Ok(())
}

/// Newest by the time that the source gives the item; of equal times the greater stream, key and
/// description. What was fetched when plays no part.
fn newest_first(mentions: &[Mentioned]) -> Vec<&Mentioned> {
    let mut sorted: Vec<&Mentioned> = mentions.iter().collect();
    sorted.sort_by_key(|m| {
        let item = (m.source.as_str(), m.item.as_str());
        Reverse((m.seen_at, item, m.profile.profile_id.as_str()))
    });
    sorted
}

/// Per field the newest mention that has it.
fn merged(mentions: &[Mentioned]) -> Profile {
    let newest = newest_first(mentions);
    let field = |of: fn(&Profile) -> &String| {
        let found = newest
            .iter()
            .map(|m| of(&m.profile))
            .find(|text| !text.is_empty());
        found.cloned().unwrap_or_default()
    };
    Profile {
        connection_id: newest
            .first()
            .map(|m| m.profile.connection_id)
            .unwrap_or_default(),
        account_id: field(|p| &p.account_id),
        profile_id: String::new(),
        user_name: field(|p| &p.user_name),
        account_status: field(|p| &p.account_status),
        display_name: field(|p| &p.display_name),
        avatar_url: field(|p| &p.avatar_url),
        html_url: field(|p| &p.html_url),
        uuid: field(|p| &p.uuid),
        nickname: field(|p| &p.nickname),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn mention(second: i64, name: &str, avatar: &str) -> Mentioned {
        Mentioned {
            profile: Profile {
                connection_id: 1,
                account_id: "a".to_owned(),
                display_name: name.to_owned(),
                avatar_url: avatar.to_owned(),
                ..Profile::default()
            },
            seen_at: DateTime::from_timestamp(second, 0),
            source: "pull_requests".to_owned(),
            item: "1".to_owned(),
            origin: headwater_domain::Origin::default(),
        }
    }

    #[test]
    fn a_later_partial_payload_does_not_erase_what_an_earlier_one_knew() {
        let account = merged(&[
            mention(1, "Ann", "https://a/1.png"),
            mention(2, "Ann B", ""),
        ]);
        assert_eq!(account.display_name, "Ann B");
        assert_eq!(account.avatar_url, "https://a/1.png");
    }

    fn said() -> impl Strategy<Value = Mentioned> {
        let text = || prop::sample::select(vec!["", "a", "b", "c"]).prop_map(str::to_owned);
        let source = prop::sample::select(vec!["commits", "issues", "pull_requests"]);
        let times = prop::option::weighted(0.8, 1i64..4);
        let texts = (text(), text(), text());
        (times, source, 1u8..4, texts).prop_map(|(second, source, item, (name, avatar, nick))| {
            Mentioned {
                seen_at: second.and_then(|second| DateTime::from_timestamp(second, 0)),
                source: source.to_owned(),
                item: item.to_string(),
                profile: Profile {
                    profile_id: format!("{name}|{avatar}|{nick}"),
                    nickname: nick,
                    ..mention(0, &name, &avatar).profile
                },
                ..mention(0, "", "")
            }
        })
    }

    /// A field of the mention that decides it: of those that have it the greatest by time, stream,
    /// key and description.
    fn decided(mentions: &[Mentioned], of: fn(&Profile) -> &String) -> String {
        let has = mentions.iter().filter(|m| !of(&m.profile).is_empty());
        let newest = has.max_by_key(|m| {
            let at = m.seen_at.map_or(0, |time| time.timestamp());
            (at, &m.source, &m.item, &m.profile.profile_id)
        });
        newest.map(|m| of(&m.profile).clone()).unwrap_or_default()
    }

    proptest! {
        #[test]
        fn an_account_follows_from_what_is_said_whatever_the_order(
            (said, shuffled) in prop::collection::vec(said(), 1..8)
                .prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
        ) {
            let account = merged(&said);
            prop_assert_eq!(&account, &merged(&shuffled));
            prop_assert_eq!(account.display_name, decided(&said, |p| &p.display_name));
            prop_assert_eq!(account.avatar_url, decided(&said, |p| &p.avatar_url));
            prop_assert_eq!(account.nickname, decided(&said, |p| &p.nickname));
        }
    }

    #[test]
    fn the_order_of_mentions_does_not_matter() {
        let (a, b) = (mention(1, "Ann", "x"), mention(2, "", "y"));
        assert_eq!(merged(&[a.clone(), b.clone()]), merged(&[b, a]));
    }
}
