//! Mentions of accounts are counted as if they had been counted anew each time.

use std::collections::BTreeMap;

use std::sync::Arc;

use headwater_domain::rows::{Described, Mention};
use headwater_store::mentions::{MentionCounts, MentionScope};
use proptest::prelude::*;

use crate::temp_store::{RAW, TempStore, item, rocket, second};

/// What one item says: when, and of whom what.
type Said = (i64, BTreeMap<String, String>);

/// How often something is said, and the time and item it was last said.
type Counted = (usize, (i64, i64));

/// What all items say, as the table of mentions should tell it.
fn expected(items: &BTreeMap<i64, Said>) -> Vec<String> {
    let mut counted: BTreeMap<(&str, &str), Counted> = BTreeMap::new();
    for (&id, (at, accounts)) in items {
        for (account, profile) in accounts {
            let (count, newest) = counted.entry((account, profile)).or_default();
            *count += 1;
            *newest = (*newest).max((*at, id));
        }
    }
    let lines = counted
        .into_iter()
        .map(|((account, profile), (count, (at, id)))| {
            let at = headwater_domain::timestamp::to_text(second(at));
            format!("{account} | {profile} | {count} | {at} | {id} | {id}")
        });
    lines.collect()
}

fn said() -> impl Strategy<Value = Said> {
    let account = prop::sample::select(vec!["a", "aa", "a_"]).prop_map(str::to_owned);
    let profile = prop::sample::select(vec!["p", "p", "p", "q"]).prop_map(str::to_owned);
    (1i64..9, prop::collection::btree_map(account, profile, 0..4))
}

/// Items by id that change at once; none where an item is gone.
fn change() -> impl Strategy<Value = BTreeMap<i64, Option<Said>>> {
    prop::collection::btree_map(1i64..6, prop::option::weighted(0.8, said()), 1..4)
}

async fn replace(
    store: &TempStore,
    counts: &mut MentionCounts,
    change: &BTreeMap<i64, Option<Said>>,
    first: bool,
) {
    let scope = rocket();
    let of = MentionScope {
        scope: &scope,
        source: "pull_requests",
        raw_table: RAW,
    };
    let mut mentions = Vec::new();
    for (&raw_id, said) in change {
        let Some((at, accounts)) = said else { continue };
        for (account_id, profile_id) in accounts {
            mentions.push(Mention {
                raw_id,
                item: raw_id.to_string(),
                seen_at: Some(second(*at)),
                described: Arc::new(Described {
                    account_id: account_id.clone(),
                    profile_id: profile_id.clone(),
                }),
            });
        }
    }
    let ids: Vec<i64> = change.keys().copied().collect();
    let mut page = store.page(1).await;
    page.replace_mentions(of, counts, &ids, mentions, first)
        .await
        .unwrap();
    page.commit().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_changes_leave_the_counts_of_what_is_said_in_the_end(
        changes in prop::collection::vec(change(), 1..8),
        forgets in prop::collection::vec(any::<bool>(), 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = TempStore::new().await;
            store.collect(1, (1..6).map(|key| item("", &key.to_string(), "{}")).collect()).await;
            let mut items = BTreeMap::new();
            let mut counts = MentionCounts::default();
            for (number, change) in changes.iter().enumerate() {
                if forgets.get(number).is_none_or(|&forgets| forgets) {
                    // As another run, which remembers nothing of this one.
                    counts = MentionCounts::default();
                }
                replace(&store, &mut counts, change, number == 0).await;
                for (id, said) in change {
                    match said {
                        Some(said) => items.insert(*id, said.clone()),
                        None => items.remove(id),
                    };
                }
                let counted = store
                    .rows(
                        "SELECT account_id, profile_id, mentions, seen_at, item, _raw_data_id \
                         FROM _headwater_account_mentions ORDER BY 1, 2",
                    )
                    .await;
                assert_eq!(counted, expected(&items), "{changes:?}");
            }
        });
    }
}
