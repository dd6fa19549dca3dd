//! Short commit hashes in rows, made full where the repository has the commit.
//!
//! A conversion names the columns; its mapping puts there what Bitbucket says. The rule, and how
//! rows follow when commits come and go: docs/decisions/0044-short-hashes.md.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater_domain::code::short_hash::Model as ShortHash;
use headwater_domain::{Rows, Scope};
use headwater_store::derivations::{Derivation, Input, Reach};
use headwater_store::hashes::{Meaning, SHORTEST, is_short};
use headwater_store::{Changes, Store, StoreError, Transaction};
use sea_orm::Value;

use crate::conversion::{Conversion, Write};

/// Short hashes for which no full one was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// No commit that the repository has begins with them.
    pub unknown: u64,
    /// Several do.
    pub ambiguous: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.unknown += other.unknown;
        self.ambiguous += other.ambiguous;
    }
}

/// The work lists of conversions that name short hashes follow from the commits there are.
#[must_use]
pub fn derivation() -> Derivation {
    Derivation {
        name: "short_hashes",
        reach: Reach::Scope,
        reads: vec![Input::short_hashes()],
        writes: Vec::new(),
        needs: &[],
    }
}

/// What is to be noted of the short hashes that some driver keys name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Keys of which something else was noted before: that goes.
    keys: Vec<String>,
    /// What was not noted before.
    hashes: Vec<ShortHash>,
    /// How much less there is than before.
    removed: u64,
    /// Of all keys, also those that were noted alike.
    pub(crate) counts: Counts,
}

/// Makes short hashes in rows full, as far as they can be. With `first`, nothing was noted before.
pub(crate) async fn resolve(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    (rows, keys): (&mut Rows, &[String]),
    first: bool,
) -> Result<Named, StoreError> {
    if !conversion.resolves_hashes() {
        return Ok(Named::default());
    }
    let repo_id = conversion.ids.repository(scope);
    let step = conversion.step();
    let mut before = HashMap::new();
    if !first {
        before = store.short_hashes_of(&repo_id, &step, keys).await?;
    }
    let owners = keys
        .iter()
        .map(|key| ((conversion.owner)(scope, key), key.as_str()));
    let given = given(rows, &conversion.writes, &owners.collect());
    let shorts: BTreeSet<String> = given.iter().map(|(_, short)| short.clone()).collect();
    let meanings = store.meanings(&repo_id, shorts).await?;
    fill_in(rows, &conversion.writes, &meanings);
    let mut now: HashMap<String, BTreeSet<ShortHash>> = HashMap::new();
    for (key, short) in given {
        let meaning = meanings.get(&short).unwrap_or(&Meaning::Unknown);
        let hash = noted((&repo_id, &step), key, &short, meaning);
        now.entry(key.to_owned()).or_default().insert(hash);
    }
    Ok(Named::between(keys, before, now))
}

/// The short hashes in rows, with the driver keys that these were made of.
fn given<'k>(
    rows: &mut Rows,
    writes: &[Write],
    owners: &BTreeMap<String, &'k str>,
) -> BTreeSet<(&'k str, String)> {
    let mut given = BTreeSet::new();
    for write in writes.iter().filter(|write| !write.hashes.is_empty()) {
        let owner = write.table.position(write.owner);
        for row in rows.of_mut(write.table) {
            let Some(Value::String(Some(owner))) = owner.map(|place| &row.values[place]) else {
                continue;
            };
            let Some(key) = owners.get(owner) else {
                continue;
            };
            for place in places(write) {
                if let Value::String(Some(hash)) = &row.values[place]
                    && is_short(hash)
                {
                    given.insert((*key, hash.clone()));
                }
            }
        }
    }
    given
}

/// Writes full hashes over short ones.
fn fill_in(rows: &mut Rows, writes: &[Write], meanings: &HashMap<String, Meaning>) {
    if meanings.is_empty() {
        return;
    }
    for write in writes.iter().filter(|write| !write.hashes.is_empty()) {
        for row in rows.of_mut(write.table) {
            for place in places(write) {
                if let Value::String(Some(hash)) = &mut row.values[place]
                    && let Some(Meaning::Full(full)) = meanings.get(hash)
                {
                    hash.clone_from(full);
                }
            }
        }
    }
}

fn places(write: &Write) -> impl Iterator<Item = usize> {
    let columns = write.hashes.iter();
    columns.filter_map(|column| write.table.position(column))
}

fn noted((repo_id, step): (&str, &str), key: &str, short: &str, meaning: &Meaning) -> ShortHash {
    let commit_sha = match meaning {
        Meaning::Full(full) => full.clone(),
        Meaning::Unknown | Meaning::Ambiguous => String::new(),
    };
    ShortHash {
        repo_id: repo_id.to_owned(),
        step: step.to_owned(),
        row_key: key.to_owned(),
        short_sha: short.to_owned(),
        beginning: short.chars().take(SHORTEST).collect(),
        commit_sha,
        state: meaning.state().to_owned(),
    }
}

impl Named {
    fn between(
        keys: &[String],
        mut before: HashMap<String, BTreeSet<ShortHash>>,
        mut now: HashMap<String, BTreeSet<ShortHash>>,
    ) -> Self {
        let mut named = Self::default();
        for key in keys {
            let before = before.remove(key).unwrap_or_default();
            let now = now.remove(key).unwrap_or_default();
            for hash in &now {
                named.counts += Counts::of(hash);
            }
            if before != now {
                if !before.is_empty() {
                    named.keys.push(key.clone());
                }
                named.removed += before.len().saturating_sub(now.len()) as u64;
                named.hashes.extend(now);
            }
        }
        named
    }

    /// Notes them with the rows.
    pub(crate) async fn write(
        self,
        page: &mut Transaction<'_>,
        scope: &Scope,
        conversion: &Conversion,
    ) -> Result<Changes, StoreError> {
        let changes = Changes {
            written: self.hashes.len() as u64,
            removed: self.removed,
            unchanged: 0,
        };
        if !(self.keys.is_empty() && self.hashes.is_empty()) {
            let repo_id = conversion.ids.repository(scope);
            let step = conversion.step();
            page.set_short_hashes((&repo_id, &step), &self.keys, self.hashes)
                .await?;
        }
        Ok(changes)
    }
}

impl Counts {
    fn of(hash: &ShortHash) -> Self {
        use headwater_store::hashes::state;
        Self {
            unknown: u64::from(hash.state == state::UNKNOWN),
            ambiguous: u64::from(hash.state == state::AMBIGUOUS),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_domain::Table;
    use headwater_domain::code::pull_request as domain;

    use super::*;
    use crate::Convert;
    use crate::bitbucket::PullRequests;

    fn row(id: &str, merge: &str, head: &str) -> domain::Model {
        domain::Model {
            id: id.to_owned(),
            merge_commit_sha: merge.to_owned(),
            head_commit_sha: head.to_owned(),
            ..domain::Model::default()
        }
    }

    fn column(rows: &mut Rows, name: &str) -> Vec<String> {
        let table = Table::of::<domain::Entity>();
        let place = table.position(name).unwrap();
        let text = |value: &Value| match value {
            Value::String(Some(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        let rows = rows.of_mut(table).iter();
        rows.map(|row| text(&row.values[place])).collect()
    }

    #[test]
    fn short_hashes_in_rows_are_found_by_driver_and_filled_in() {
        let full = "a".repeat(40);
        let mut rows = Rows::default();
        rows.push(row("pr:1", "aaaaaaaaaaaa", "bbbbbbbbbbbb"));
        rows.push(row("pr:2", &full, ""));
        rows.push(row("pr:3", "no hash", "aaaaaaaaaaaa"));
        let writes = PullRequests::writes();
        let owners = ["1", "2", "3"].map(|key| (format!("pr:{key}"), key));
        let owners = BTreeMap::from(owners);
        let found = given(&mut rows, &writes, &owners);
        let expected = [
            ("1", "aaaaaaaaaaaa"),
            ("1", "bbbbbbbbbbbb"),
            ("3", "aaaaaaaaaaaa"),
        ];
        let expected = expected.map(|(key, short)| (key, short.to_owned()));
        assert_eq!(found, BTreeSet::from(expected));
        let meanings = [
            ("aaaaaaaaaaaa".to_owned(), Meaning::Full(full.clone())),
            ("bbbbbbbbbbbb".to_owned(), Meaning::Ambiguous),
        ];
        fill_in(&mut rows, &writes, &HashMap::from(meanings));
        let merged = column(&mut rows, "merge_commit_sha");
        assert_eq!(merged, [full.as_str(), &full, "no hash"]);
        let heads = column(&mut rows, "head_commit_sha");
        assert_eq!(heads, ["bbbbbbbbbbbb", "", &full]);
    }

    #[test]
    fn only_what_was_noted_otherwise_is_noted_again_and_everything_is_counted() {
        let hash = |key: &str, meaning: &Meaning| noted(("r", "s"), key, "aaaaaaaaaaaa", meaning);
        let of =
            |key: &str, meaning: &Meaning| (key.to_owned(), BTreeSet::from([hash(key, meaning)]));
        let keys = ["new", "same", "changed", "gone"].map(str::to_owned);
        let full = Meaning::Full("a".repeat(40));
        let before = [
            of("same", &Meaning::Unknown),
            of("changed", &full),
            of("gone", &full),
        ];
        let now = [
            of("new", &Meaning::Ambiguous),
            of("same", &Meaning::Unknown),
            of("changed", &Meaning::Ambiguous),
        ];
        let named = Named::between(&keys, HashMap::from(before), HashMap::from(now));
        assert_eq!(named.keys, ["changed", "gone"]);
        assert_eq!(named.removed, 1);
        let counts = Counts {
            unknown: 1,
            ambiguous: 2,
        };
        assert_eq!(named.counts, counts);
        let noted: Vec<&str> = named
            .hashes
            .iter()
            .map(|hash| hash.row_key.as_str())
            .collect();
        assert_eq!(noted, ["new", "changed"]);
    }
}
