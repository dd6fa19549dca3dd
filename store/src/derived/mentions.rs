//! What is known of an account, and from where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_domain::headwater::{account_mention, account_profile};
use headwater_domain::rows::{Described, Mention};
use headwater_domain::{Origin, Rows, Scope, Table};
use sea_orm::Value;

use crate::Store;
use crate::database::sql::key_list;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::read::model;
use crate::rows::shape::Shape;

/// A distinct description of an account with the newest item that gives it.
#[derive(Clone, Debug)]
pub struct Mentioned {
    /// The description.
    pub profile: account_profile::Model,
    /// When the source says that this item last changed (UTC); none where it says nothing.
    pub seen_at: Option<DateTime<Utc>>,
    /// Stream of that item.
    pub source: String,
    /// Key of that item.
    pub item: String,
    /// The raw row of that item.
    pub origin: Origin,
}

impl Store {
    /// Every description of an account that some stored item still gives, and the ids of those
    /// that none gives any more.
    pub async fn mentions_of(
        &self,
        connection_id: i64,
        account_id: &str,
    ) -> Result<(Vec<Mentioned>, Vec<String>), StoreError> {
        let table = Table::of::<account_profile::Entity>();
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let text = format!(
            "SELECT {} FROM {} WHERE connection_id = ? AND account_id = ? ORDER BY profile_id",
            columns.join(", "),
            table.name
        );
        let values = vec![connection_id.into(), account_id.into()];
        let mut mentioned = Vec::new();
        let mut unused = Vec::new();
        for row in self.query_all(&text, values).await? {
            let profile = model::<account_profile::Entity>(table, &row).during(&text)?;
            match self.newest_mention(&profile).await? {
                Some((seen_at, source, item, origin)) => mentioned.push(Mentioned {
                    profile,
                    seen_at,
                    source,
                    item,
                    origin,
                }),
                None => unused.push(profile.profile_id),
            }
        }
        Ok((mentioned, unused))
    }

    /// The workspaces of which some list says that an account is a member, by name; `source` is the
    /// stream of members.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspaces_of(
        &self,
        connection_id: i64,
        account_id: &str,
        source: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        let text = "SELECT DISTINCT repo_id FROM _headwater_account_mentions \
                    WHERE connection_id = ? AND account_id = ? AND source = ?";
        let values = vec![connection_id.into(), account_id.into(), source.into()];
        let rows = self.query_all(text, values).await?;
        let names = rows.iter().map(|row| row.get::<String>(0));
        let names: Vec<String> = names.collect::<Result<_, _>>().during(text)?;
        let workspaces = names.iter().map(|name| {
            let workspace = name.split('/').next();
            workspace.unwrap_or_default().to_owned()
        });
        Ok(workspaces.filter(|name| !name.is_empty()).collect())
    }

    async fn newest_mention(
        &self,
        profile: &account_profile::Model,
    ) -> Result<Option<(Option<DateTime<Utc>>, String, String, Origin)>, StoreError> {
        let text = "SELECT seen_at, source, item, _raw_data_params, _raw_data_table, _raw_data_id \
                    FROM _headwater_account_mentions \
                    WHERE connection_id = ? AND account_id = ? AND profile_id = ? \
                    ORDER BY CASE WHEN seen_at IS NULL THEN 1 ELSE 0 END, seen_at DESC, \
                    source DESC, item DESC, repo_id DESC LIMIT 1";
        let values = vec![
            profile.connection_id.into(),
            profile.account_id.clone().into(),
            profile.profile_id.clone().into(),
        ];
        let rows = self.query_all(text, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || {
            let origin = Origin {
                params: row.get(3)?,
                table: row.get(4)?,
                id: row.get(5)?,
            };
            let first = row.get(0)?;
            Ok((first, row.get(1)?, row.get(2)?, origin))
        };
        read().map(Some).during("reading mentions")
    }
}

/// Which items' mentions are replaced.
#[derive(Clone, Copy, Debug)]
pub struct MentionScope<'a> {
    /// Connection and repository.
    pub scope: &'a Scope,
    /// The stream.
    pub source: &'a str,
    /// Its raw table.
    pub raw_table: &'a str,
}

/// What one item says, as it is stored: account and description, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ItemMentions {
    item: String,
    seen_at: Option<DateTime<Utc>>,
    accounts: Vec<Arc<Described>>,
}

/// When and in which item something was last seen.
type Seen = (Option<DateTime<Utc>>, String, i64);

/// How the mentions of one description change.
#[derive(Debug, Default)]
struct Delta {
    count: i64,
    newest: Option<Seen>,
    lost: Option<Seen>,
}

/// Accounts whose counts are remembered at most.
const REMEMBERED: usize = 4096;

/// Counts and newest items of an account's descriptions.
type OfAccount = HashMap<String, (i64, Option<Seen>)>;

/// The counts that a step has read or written, so that it need not ask for those of the few
/// people who are in every page. True as long as no other process extracts the same stream of the same
/// scope, which its lease sees to.
#[derive(Debug, Default)]
pub struct MentionCounts {
    accounts: HashMap<String, OfAccount>,
}

impl MentionCounts {
    /// What is known of a description.
    fn of(&self, described: &Described) -> (i64, Option<Seen>) {
        let account = self.accounts.get(&described.account_id);
        let known = account.and_then(|account| account.get(&described.profile_id));
        known.cloned().unwrap_or_default()
    }

    fn set(&mut self, described: &Described, count: i64, newest: Option<Seen>) {
        let account = self.accounts.entry(described.account_id.clone());
        let account = account.or_default();
        if count > 0 {
            account.insert(described.profile_id.clone(), (count, newest));
        } else {
            account.remove(&described.profile_id);
        }
    }
}

impl Transaction<'_> {
    /// Replaces what these items say about accounts, and counts again.
    ///
    /// `first` promises that nothing of these items can be stored yet.
    pub async fn replace_mentions(
        &mut self,
        of: MentionScope<'_>,
        counts: &mut MentionCounts,
        raw_ids: &[i64],
        mentions: Vec<Mention>,
        first: bool,
    ) -> Result<(), StoreError> {
        let new = by_item(mentions);
        let old = if first {
            HashMap::new()
        } else {
            self.item_mentions(of, raw_ids).await?
        };
        if old == new {
            return Ok(());
        }
        let deltas = deltas(&old, &new);
        self.write_item_mentions(of, &old, new).await?;
        self.count_mentions(of, counts, deltas).await
    }

    async fn item_mentions(
        &self,
        of: MentionScope<'_>,
        raw_ids: &[i64],
    ) -> Result<HashMap<i64, ItemMentions>, StoreError> {
        let mut found = HashMap::new();
        for group in raw_ids.chunks(256) {
            let (list, ids) = key_list(group.iter().map(|&id| id.into()).collect());
            let text = format!(
                "SELECT raw_id, item, seen_at, accounts FROM _headwater_item_mentions \
                 WHERE raw_table = ? AND raw_id IN {list}"
            );
            let mut values = vec![of.raw_table.into()];
            values.extend(ids);
            for row in self.query_all(&text, values).await? {
                let read = || {
                    let accounts: String = row.get(3)?;
                    let pairs = accounts.lines().filter_map(|line| line.split_once('\t'));
                    let item = ItemMentions {
                        item: row.get(1)?,
                        seen_at: row.get(2)?,
                        accounts: pairs.map(described).collect(),
                    };
                    Ok((row.get(0)?, item))
                };
                let (id, item): (i64, ItemMentions) = read().during("reading mentions")?;
                found.insert(id, item);
            }
        }
        Ok(found)
    }

    async fn write_item_mentions(
        &self,
        of: MentionScope<'_>,
        old: &HashMap<i64, ItemMentions>,
        new: HashMap<i64, ItemMentions>,
    ) -> Result<(), StoreError> {
        let gone: Vec<i64> = old
            .keys()
            .filter(|id| !new.contains_key(id))
            .copied()
            .collect();
        for group in gone.chunks(256) {
            let (list, ids) = key_list(group.iter().map(|&id| id.into()).collect());
            let text = format!(
                "DELETE FROM _headwater_item_mentions WHERE raw_table = ? AND raw_id IN {list}"
            );
            let mut values = vec![of.raw_table.into()];
            values.extend(ids);
            self.execute(&text, values).await?;
        }
        let shape = Shape::plain(
            "_headwater_item_mentions",
            &["raw_table", "raw_id", "item", "seen_at", "accounts"],
            &["raw_table", "raw_id"],
        );
        let row = |(id, item): (i64, ItemMentions)| {
            // Every line begins and ends with a line break, so that a search finds whole lines.
            let mut accounts = String::from("\n");
            for described in &item.accounts {
                accounts.push_str(&described.account_id);
                accounts.push('\t');
                accounts.push_str(&described.profile_id);
                accounts.push('\n');
            }
            vec![
                of.raw_table.into(),
                id.into(),
                item.item.into(),
                item.seen_at.into(),
                accounts.into(),
            ]
        };
        let mut rows: Vec<Vec<Value>> = new.into_iter().map(row).collect();
        rows.sort_by_key(|row| match row[1] {
            Value::BigInt(id) => id,
            _ => None,
        });
        self.upsert(&shape, rows).await
    }

    /// Adds the changes to the counts; a description that nothing gives any more goes.
    async fn count_mentions(
        &mut self,
        of: MentionScope<'_>,
        counts: &mut MentionCounts,
        deltas: BTreeMap<Arc<Described>, Delta>,
    ) -> Result<(), StoreError> {
        let table = Table::of::<account_mention::Entity>();
        self.read_counts(of, counts, &deltas).await?;
        let mut rows = Rows::default();
        let mut gone = Vec::new();
        for (described, delta) in deltas {
            let (count, known) = counts.of(&described);
            let Described {
                account_id,
                profile_id,
            } = (*described).clone();
            let mentions = count + delta.count;
            if mentions <= 0 {
                counts.set(&described, 0, None);
                gone.push(vec![
                    of.scope.connection_id.into(),
                    of.scope.full_name.clone().into(),
                    of.source.into(),
                    account_id.into(),
                    profile_id.into(),
                ]);
                continue;
            }
            let lost_newest = known.is_some() && known == delta.lost && delta.newest < known;
            let newest = if lost_newest {
                self.rescan_newest(of, (&account_id, &profile_id)).await?
            } else {
                known.max(delta.newest)
            };
            counts.set(&described, mentions, newest.clone());
            let (seen_at, item, raw_id) = newest.unwrap_or_default();
            rows.from_origin(Origin {
                params: self.params.clone(),
                table: of.raw_table.to_owned(),
                id: raw_id,
            });
            rows.push(account_mention::Model {
                connection_id: of.scope.connection_id,
                repo_id: of.scope.full_name.clone(),
                source: of.source.to_owned(),
                account_id,
                profile_id,
                mentions,
                seen_at,
                item,
            });
        }
        let rows = rows.take(table);
        self.write(table, rows).await?;
        self.remove(table, gone).await
    }

    /// Reads what is stored of the accounts that are not remembered.
    async fn read_counts(
        &self,
        of: MentionScope<'_>,
        counts: &mut MentionCounts,
        deltas: &BTreeMap<Arc<Described>, Delta>,
    ) -> Result<(), StoreError> {
        if counts.accounts.len() + deltas.len() > REMEMBERED {
            counts.accounts.clear();
        }
        let mut accounts: Vec<Value> = Vec::new();
        for described in deltas.keys() {
            if !counts.accounts.contains_key(&described.account_id) {
                let account = described.account_id.clone();
                accounts.push(account.clone().into());
                counts.accounts.insert(account, OfAccount::new());
            }
        }
        for group in accounts.chunks(256) {
            let (list, keys) = key_list(group.to_vec());
            let text = format!(
                "SELECT account_id, profile_id, mentions, seen_at, item, _raw_data_id \
                 FROM _headwater_account_mentions \
                 WHERE connection_id = ? AND repo_id = ? AND source = ? AND account_id IN {list}"
            );
            let mut values: Vec<Value> = vec![
                of.scope.connection_id.into(),
                of.scope.full_name.clone().into(),
                of.source.into(),
            ];
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                let read = || {
                    let seen = (row.get(3)?, row.get(4)?, row.get(5)?);
                    let described = Described {
                        account_id: row.get(0)?,
                        profile_id: row.get(1)?,
                    };
                    Ok((described, row.get(2)?, seen))
                };
                let (described, count, seen) = read().during("reading mentions")?;
                counts.set(&described, count, Some(seen));
            }
        }
        Ok(())
    }

    /// Finds the newest item that still gives a description, after the newest one went.
    async fn rescan_newest(
        &self,
        of: MentionScope<'_>,
        (account_id, profile_id): (&str, &str),
    ) -> Result<Option<Seen>, StoreError> {
        let text = format!(
            "SELECT said.seen_at, said.item, said.raw_id FROM _headwater_item_mentions AS said \
             JOIN {} AS raw ON raw.id = said.raw_id \
             WHERE said.raw_table = ? AND raw.params = ? AND said.accounts LIKE ? ESCAPE '!' \
             ORDER BY CASE WHEN said.seen_at IS NULL THEN 1 ELSE 0 END, said.seen_at DESC, \
             said.item DESC LIMIT 1",
            of.raw_table
        );
        let account_id = account_id
            .replace('!', "!!")
            .replace('%', "!%")
            .replace('_', "!_");
        let pattern = format!("%\n{account_id}\t{profile_id}\n%");
        let values = vec![
            of.raw_table.into(),
            self.params.clone().into(),
            pattern.into(),
        ];
        let found = self.query_one(&text, values).await?;
        let seen = found.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        seen.transpose().during("reading mentions")
    }

    /// Forgets descriptions of an account that no item gives any more.
    pub async fn forget_profiles(
        &self,
        connection_id: i64,
        account_id: &str,
        profile_ids: &[String],
    ) -> Result<(), StoreError> {
        for profile_id in profile_ids {
            let text = "DELETE FROM _headwater_account_profiles \
                        WHERE connection_id = ? AND account_id = ? AND profile_id = ?";
            let values = vec![
                connection_id.into(),
                account_id.into(),
                profile_id.clone().into(),
            ];
            self.execute(text, values).await?;
        }
        Ok(())
    }
}

fn described((account_id, profile_id): (&str, &str)) -> Arc<Described> {
    Arc::new(Described {
        account_id: account_id.to_owned(),
        profile_id: profile_id.to_owned(),
    })
}

/// Mentions by item, each item's in account order. Of several mentions of an account in one item
/// the last one counts.
fn by_item(mentions: Vec<Mention>) -> HashMap<i64, ItemMentions> {
    let mut items: HashMap<i64, ItemMentions> = HashMap::new();
    for mention in mentions {
        let item = items.entry(mention.raw_id).or_insert_with(|| ItemMentions {
            item: mention.item,
            seen_at: mention.seen_at,
            accounts: Vec::new(),
        });
        let account_id = &mention.described.account_id;
        match item
            .accounts
            .binary_search_by(|known| known.account_id.cmp(account_id))
        {
            Ok(place) => item.accounts[place] = mention.described,
            Err(place) => item.accounts.insert(place, mention.described),
        }
    }
    items
}

fn deltas(
    old: &HashMap<i64, ItemMentions>,
    new: &HashMap<i64, ItemMentions>,
) -> BTreeMap<Arc<Described>, Delta> {
    let mut deltas: BTreeMap<Arc<Described>, Delta> = BTreeMap::new();
    let mut each = |items: &HashMap<i64, ItemMentions>, add: bool| {
        for (&id, item) in items {
            for described in &item.accounts {
                let delta = deltas.entry(Arc::clone(described)).or_default();
                let (count, seen) = if add {
                    (1, &mut delta.newest)
                } else {
                    (-1, &mut delta.lost)
                };
                delta.count += count;
                let newer = seen.as_ref().is_none_or(|(at, key, _)| {
                    (at, key.as_str()) < (&item.seen_at, item.item.as_str())
                });
                if newer {
                    *seen = Some((item.seen_at, item.item.clone(), id));
                }
            }
        }
    };
    each(old, false);
    each(new, true);
    deltas
}
