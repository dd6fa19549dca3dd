//! Finished walks over lists of parents, sorted.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use headwater_store::dead_letters::{DeadLetter, named};
use headwater_store::raw::{NewItem, StoredItems};

use crate::error::CollectErrorKind;

/// Finished walks, sorted for one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) walks: u64,
    pub(super) received: u64,
    pub(super) items: Vec<NewItem>,
    pub(super) letters: Vec<DeadLetter>,
    /// Parents whose children are complete, with the parent's sequence.
    pub(super) parents: Vec<(String, i64)>,
    /// Parents whose list the server no longer knows.
    pub(super) lost: Vec<(String, i64)>,
    pub(super) counted_empty: HashSet<String>,
    /// Parents with items that could not be stored.
    pub(super) incomplete: HashSet<String>,
    /// Why the collection must not go on.
    pub(super) stopped: Option<CollectErrorKind>,
    pub(super) date: Option<DateTime<Utc>>,
}

impl Batch {
    /// Of earlier dead letters those of parents that were read now, and that did not fail again.
    pub(super) fn settled(&self, old: &[String]) -> Vec<String> {
        if old.is_empty() {
            return Vec::new();
        }
        let again: HashSet<String> = self.letters.iter().map(|l| named(&l.item)).collect();
        let read = self.parents.iter().chain(&self.lost);
        let read: HashSet<&str> = read.map(|(parent, _)| parent.as_str()).collect();
        let parent = |item: &str| item.split_once('/').map(|(parent, _)| parent.to_owned());
        let is_read = |item: &&String| parent(item).is_some_and(|p| read.contains(p.as_str()));
        let settled = old.iter().filter(is_read);
        settled
            .filter(|item| !again.contains(*item))
            .cloned()
            .collect()
    }

    /// Stored children of complete parents that the walks did not find.
    pub(super) fn missing(&self, known: &StoredItems) -> Vec<(String, String)> {
        let found: HashSet<(&str, &str)> = self
            .items
            .iter()
            .map(|item| (item.parent.as_str(), item.key.as_str()))
            .collect();
        let missing = known.keys();
        missing
            .filter(|(parent, key)| !found.contains(&(parent.as_str(), key.as_str())))
            .cloned()
            .collect()
    }
}
