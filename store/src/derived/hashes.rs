//! Short commit hashes: what they stand for in a repository, and what names them.
//!
//! `short_hashes` says of each row that was made with a short hash what became of it. When
//! commits of a repository come or go, what names a hash that one of them begins with is put on
//! the work list of its step, in the same transaction: docs/decisions/0044-short-hashes.md.

use std::collections::{BTreeSet, HashMap};

use headwater_domain::Table;
use headwater_domain::code::short_hash;
use sea_orm::Value;

use crate::database::sql::{LENGTHS, key_list, list_of, padded_length};
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::read::{model, select};
use crate::{KeyValue, Store};

/// What rows of `short_hashes` say in `_raw_data_table`.
pub const HASH_ORIGIN: &str = "hashes";

/// Digits below which a hash is too short to stand for anything.
pub const SHORTEST: usize = 7;

/// Digits of a full hash.
const FULL: usize = 40;

/// Hashes that are looked up by one statement: each has a part of its own in it, and `SQLite`
/// takes 500.
const GROUP: usize = 64;

/// States of a short hash, as `short_hashes` spells them.
pub mod state {
    /// One commit of the repository begins with it.
    pub const FULL: &str = "FULL";
    /// None does.
    pub const UNKNOWN: &str = "UNKNOWN";
    /// Several do.
    pub const AMBIGUOUS: &str = "AMBIGUOUS";
}

/// True for a hash that a full one can be found for: 7 to 39 hexadecimal digits.
#[must_use]
pub fn is_short(hash: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (SHORTEST..FULL).contains(&hash.len()) && hash.bytes().all(is_digit)
}

/// The full hash that a short hash means in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This commit.
    Full(String),
    /// No commit that the repository has.
    Unknown,
    /// Several of its commits.
    Ambiguous,
}

impl Meaning {
    /// What a hash means among sorted commits that hold the first and the last one it can mean.
    fn among(short: &str, commits: &BTreeSet<String>) -> Self {
        let mut matching = commits
            .range(short.to_owned()..)
            .take_while(|commit| commit.starts_with(short));
        match (matching.next(), matching.next()) {
            (None, _) => Self::Unknown,
            (Some(only), None) => Self::Full(only.clone()),
            (Some(_), Some(_)) => Self::Ambiguous,
        }
    }

    /// The state, as `short_hashes` spells it.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Full(_) => state::FULL,
            Self::Unknown => state::UNKNOWN,
            Self::Ambiguous => state::AMBIGUOUS,
        }
    }
}

impl Store {
    /// What these short hashes stand for in a repository.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meanings(
        &self,
        repo_id: &str,
        shorts: BTreeSet<String>,
    ) -> Result<HashMap<String, Meaning>, StoreError> {
        let shorts: Vec<String> = shorts.into_iter().collect();
        let mut commits = BTreeSet::new();
        // Of the commits that begin with a hash the first and the last tell whether it is one, and
        // however many there are, no more than two are read.
        let part = "SELECT MIN(commit_sha), MAX(commit_sha) FROM repo_commits \
                    WHERE repo_id = ? AND commit_sha >= ? AND commit_sha < ?";
        for group in shorts.chunks(GROUP) {
            let length = padded_length(group.len());
            let text = vec![part; length].join(" UNION ALL ");
            let padded = group.iter().chain(group.last().into_iter().cycle());
            let values = padded.take(length).flat_map(|short| -> [Value; 3] {
                // No digit comes after f, and g is no digit.
                let end = format!("{short}g");
                [repo_id.into(), short.clone().into(), end.into()]
            });
            for row in self.query_all(&text, values.collect()).await? {
                for place in 0..2 {
                    let commit: Option<String> = row.get(place).during("looking up hashes")?;
                    commits.extend(commit);
                }
            }
        }
        let meant = shorts.into_iter().map(|short| {
            let meaning = Meaning::among(&short, &commits);
            (short, meaning)
        });
        Ok(meant.collect())
    }

    /// The short hashes that these keys of a step name, by key, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn short_hashes_of(
        &self,
        repo_id: &str,
        step: &str,
        keys: &[KeyValue],
    ) -> Result<HashMap<KeyValue, BTreeSet<short_hash::Model>>, StoreError> {
        let table = Table::of::<short_hash::Entity>();
        let mut found: HashMap<KeyValue, BTreeSet<short_hash::Model>> = HashMap::new();
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "{} WHERE repo_id = ? AND step = ? AND row_key IN {list}",
                select(table)
            );
            let mut values = vec![repo_id.into(), step.into()];
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                let hash = model::<short_hash::Entity>(table, &row).during(&text)?;
                found.entry(hash.row_key.clone()).or_default().insert(hash);
            }
        }
        Ok(found)
    }
}

impl Transaction<'_> {
    /// Makes the short hashes that these keys of a step name exactly these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_short_hashes(
        &mut self,
        (repo_id, step): (&str, &str),
        keys: &[KeyValue],
        hashes: Vec<short_hash::Model>,
    ) -> Result<(), StoreError> {
        let table = Table::of::<short_hash::Entity>();
        let of_key = |key: &KeyValue| vec![repo_id.into(), step.into(), key.clone().into()];
        let gone: Vec<Vec<Value>> = keys.iter().map(of_key).collect();
        self.note_removed(table, &["repo_id", "step", "row_key"], &gone)
            .await?;
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "DELETE FROM short_hashes WHERE repo_id = ? AND step = ? AND row_key IN {list}"
            );
            let mut values = vec![repo_id.into(), step.into()];
            values.extend(keys);
            self.queue(&text, values)?;
        }
        let mut rows = self.rows_of_step(HASH_ORIGIN);
        for hash in hashes {
            rows.push(hash);
        }
        self.write(table, rows.take(table)).await.map(|_| ())
    }

    /// Puts whatever names a hash that begins like one of these commits on the work list of its
    /// step.
    pub(crate) fn list_namers(
        &self,
        repo_id: &str,
        beginnings: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let known = self.unless_listed();
        let beginnings: Vec<&String> = beginnings.iter().collect();
        for group in beginnings.chunks(LENGTHS[0]) {
            let (list, keys) = key_list(group.iter().map(|&key| key.clone().into()).collect());
            // Commits are read before anything names one, mostly: then the first part is empty and
            // the second is not looked at.
            let text = format!(
                "INSERT INTO _headwater_work (params, step, row_key) \
                 SELECT DISTINCT named._raw_data_params, named.step, named.row_key \
                 FROM (SELECT repo_id FROM short_hashes WHERE repo_id = ? LIMIT 1) AS there \
                 CROSS JOIN short_hashes AS named WHERE named.repo_id = ? \
                 AND named.beginning IN {list} {known}"
            );
            let mut values = vec![repo_id.into(), repo_id.into()];
            values.extend(keys);
            self.queue(&text, values)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_short_by_its_length_and_its_digits() {
        for short in ["0123abc", "0123456789ab", &"a".repeat(39)] {
            assert!(is_short(short), "{short}");
        }
        let full = "a".repeat(40);
        for other in ["", "012345", "0123ABC", "0123abg", "ünïcöde", &full] {
            assert!(!is_short(other), "{other}");
        }
    }

    #[test]
    fn a_hash_means_the_one_commit_that_begins_with_it() {
        let commits = ["aaaaaaaa1", "aaaaaaaa2", "bbbbbbbb1"].map(str::to_owned);
        let commits = BTreeSet::from(commits);
        let meaning = |short| Meaning::among(short, &commits);
        assert_eq!(meaning("aaaaaaaa"), Meaning::Ambiguous);
        assert_eq!(meaning("aaaaaaaa2"), Meaning::Full("aaaaaaaa2".to_owned()));
        assert_eq!(meaning("bbbbbbb"), Meaning::Full("bbbbbbbb1".to_owned()));
        assert_eq!(meaning("ccccccc"), Meaning::Unknown);
        assert_eq!(meaning("bbbbbbbb11"), Meaning::Unknown);
    }
}
