//! Items that have not ended: asked for one by one, so that the list itself is read no further
//! than to what is known. One that never ends costs a request a run, and holds nothing back.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use headwater_store::progress::Checkpoint;
use headwater_store::raw::NewItem;

use super::Walk;
use crate::endpoint::{Collection, Ended};
use crate::engine::Task;
use crate::error::CollectErrorKind;
use crate::key::field;

/// Notes read at once, and items written at once.
const GROUP: usize = 100;

/// Between the key of the item that another one waits for and that one's own.
const WAITS_FOR: char = ' ';

/// What is noted of the items of a list that had not ended when they were last seen.
pub(super) struct Unended {
    ended: Option<Ended>,
    /// By key: the item that it waits for, empty for one that changes by itself.
    noted: BTreeMap<String, String>,
    /// Noted before the walk, and not met by it.
    unmet: BTreeSet<String>,
}

impl Unended {
    pub(super) async fn load(
        task: &Task<'_>,
        collection: &Collection,
    ) -> Result<Self, CollectErrorKind> {
        let mut unended = Self {
            ended: collection.endpoint.ended,
            noted: BTreeMap::new(),
            unmet: BTreeSet::new(),
        };
        if unended.ended.is_none() {
            return Ok(unended);
        }
        let step = collection.unended_step();
        let mut after = String::new();
        loop {
            let notes = task.store.work(task.scope, &step, &after, GROUP).await?;
            let Some(last) = notes.last() else {
                break;
            };
            after.clone_from(last);
            for note in &notes {
                let (leader, key) = note.split_once(WAITS_FOR).unwrap_or(("", note));
                unended.noted.insert(key.to_owned(), leader.to_owned());
                unended.unmet.insert(key.to_owned());
            }
        }
        Ok(unended)
    }

    /// Notes to be added and to be taken back because of items that were met.
    pub(super) fn sort(&mut self, items: &[NewItem]) -> (Vec<String>, Vec<String>) {
        let (mut begun, mut over) = (Vec::new(), Vec::new());
        let Some(ended) = self.ended else {
            return (begun, over);
        };
        for item in items {
            self.unmet.remove(&item.key);
            let now = leader(ended, &item.data);
            if self.noted.get(&item.key) == now.as_ref() {
                continue;
            }
            over.extend(self.forget(&item.key));
            if let Some(leader) = now {
                begun.push(note(&leader, &item.key));
                self.noted.insert(item.key.clone(), leader);
            }
        }
        // A page may show an item twice.
        begun.retain(|note| !over.contains(note));
        (begun, over)
    }

    /// The note of an item that is gone, if there is one.
    pub(super) fn forget(&mut self, key: &str) -> Option<String> {
        self.unmet.remove(key);
        let leader = self.noted.remove(key)?;
        Some(note(&leader, key))
    }

    /// Keys of items that the walk did not meet and that may have changed: not those that wait
    /// for an item that did not. None knows which did where everything may have.
    fn to_ask(&self, changed: Option<&HashSet<String>>) -> Vec<String> {
        let may_have_changed = |key: &&String| {
            let leader = self.noted.get(*key).map_or("", String::as_str);
            leader.is_empty() || changed.is_none_or(|changed| changed.contains(leader))
        };
        let unmet = self.unmet.iter();
        unmet.filter(may_have_changed).cloned().collect()
    }
}

/// What an item that has not ended waits for, empty where it changes by itself; none for one that
/// has ended.
fn leader(ended: Ended, data: &[u8]) -> Option<String> {
    let value = field(data, ended.field);
    if let Some(waiting) = ended.waiting
        && let Some(value) = &value
        && waiting.values.contains(&value.as_str())
    {
        // Without the key of the other item, or with one that could not be noted, it is as any
        // other one that has not ended.
        let leader = field(data, waiting.field);
        return Some(
            leader
                .filter(|it| it.len() <= 100 && !it.contains(WAITS_FOR))
                .unwrap_or_default(),
        );
    }
    let is_over = match value {
        Some(value) => ended.values.is_empty() || ended.values.contains(&value.as_str()),
        None => false,
    };
    (!is_over).then(String::new)
}

fn note(leader: &str, key: &str) -> String {
    format!("{leader}{WAITS_FOR}{key}")
}

/// The key of a noted item that changes by itself; none for one that waits for another.
pub(crate) fn noted(note: &str) -> Option<String> {
    note.strip_prefix(WAITS_FOR).map(str::to_owned)
}

impl Walk<'_> {
    /// Asks for each item that had not ended and was not met. Returns false when there are more of
    /// them than the whole list has pages.
    pub(super) async fn ask_for_unended(&mut self) -> Result<bool, CollectErrorKind> {
        if self.unended.unmet.is_empty() {
            return Ok(true);
        }
        let changed = changed_leaders(self.task, self.collection).await?;
        let keys = self.unended.to_ask(changed.as_ref());
        let (store, scope) = (self.task.store, self.task.scope);
        let table = &self.collection.raw_table;
        let rows = store.scope_rows(scope, table).await?;
        if keys.len() as u64 > rows / self.collection.page_length() + 1 {
            return Ok(false);
        }
        for group in keys.chunks(GROUP) {
            let mut items = Vec::new();
            let stored = store.stored_items(scope, table, group).await?;
            for key in group {
                let id = stored
                    .get(&(String::new(), key.clone()))
                    .map(|item| item.id);
                match (self.still_there(key).await?, id) {
                    (Some(item), _) => items.push(item),
                    (None, id) => self.remove(id.unwrap_or_default(), key).await?,
                }
            }
            self.stage(items, None).await?;
            self.commit().await?;
        }
        Ok(true)
    }
}

/// Keys of the items of the other stream that changed since this list was last read; none where
/// that is not known.
pub(super) async fn changed_leaders(
    task: &Task<'_>,
    collection: &Collection,
) -> Result<Option<HashSet<String>>, CollectErrorKind> {
    let Some(table) = &collection.leader_table else {
        return Ok(None);
    };
    let step = collection.settled_step();
    let read = task.store.checkpoint(task.scope, &step).await?;
    if read == Checkpoint::default() {
        return Ok(None);
    }
    let mut changed = HashSet::new();
    let mut after = (read.seq + 1, 0);
    loop {
        let rows = task
            .store
            .changed_items(task.scope, table, after, GROUP)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(Some(changed));
        };
        after = (last.changed_seq, last.id);
        changed.extend(rows.into_iter().map(|row| row.key));
    }
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::deployment::Deployments;
    use headwater_domain::tool::bitbucket::pipeline::Pipelines;

    use super::*;
    use crate::endpoint::Collect;

    #[test]
    fn an_item_ends_by_its_own_field_or_waits_for_another_one() {
        let pipelines = Pipelines::ENDPOINT.ended.unwrap();
        let deployments = Deployments::ENDPOINT.ended.unwrap();
        for (ended, data, expected) in [
            (
                pipelines,
                r#"{"completed_on": "2026-01-01T00:00:00Z"}"#,
                None,
            ),
            (pipelines, r#"{"completed_on": null}"#, Some("")),
            (pipelines, "{}", Some("")),
            (deployments, r#"{"state": {"name": "COMPLETED"}}"#, None),
            (
                deployments,
                r#"{"state": {"name": "IN_PROGRESS"}}"#,
                Some(""),
            ),
            (deployments, "{}", Some("")),
            (
                deployments,
                r#"{"state": {"name": "UNDEPLOYED"}}"#,
                Some(""),
            ),
            (
                deployments,
                r#"{"state": {"name": "UNDEPLOYED"}, "release": {"pipeline": {"uuid": "{p}"}}}"#,
                Some("{p}"),
            ),
        ] {
            assert_eq!(
                leader(ended, data.as_bytes()).as_deref(),
                expected,
                "{data}"
            );
        }
    }

    #[test]
    fn what_waits_is_asked_for_only_after_what_it_waits_for_changed() {
        let mut unended = Unended {
            ended: Deployments::ENDPOINT.ended,
            noted: BTreeMap::new(),
            unmet: BTreeSet::new(),
        };
        for (key, leader) in [("a", "p"), ("b", "q"), ("c", "")] {
            unended.noted.insert(key.to_owned(), leader.to_owned());
            unended.unmet.insert(key.to_owned());
        }
        let changed = HashSet::from(["q".to_owned()]);
        assert_eq!(unended.to_ask(Some(&changed)), ["b", "c"]);
        assert_eq!(unended.to_ask(None), ["a", "b", "c"]);
        assert_eq!(unended.forget("b").as_deref(), Some("q b"));
        assert_eq!(unended.to_ask(Some(&changed)), ["c"]);
    }
}
