//! The choice of parents whose lists are read, where the rules of a scope want some alone.
//!
//! It follows from the rule, from the parent and from the items of another stream, so it is made
//! anew for all parents when the rule or one of these items changed. Children of a parent that is
//! not chosen any more go: the rows are those that a first sync under the same rule would bring.

use std::collections::{HashMap, HashSet};

use headwater_domain::Scope;
use headwater_domain::rules::Rules;
use headwater_store::raw::{KnownParent, ParentPosition, PendingParent};
use headwater_store::{Store, StoreError};

use super::{Batch, Engine, GROUP, PARENTS};
use crate::chosen::Chosen;
use crate::endpoint::Collection;
use crate::engine::Progress;
use crate::error::CollectErrorKind;
use crate::key::field;

/// Which parents of a scope are wanted.
pub(super) struct Choice<'a> {
    store: &'a Store,
    scope: &'a Scope,
    chosen: Chosen,
    /// Raw table of the stream whose items name parents.
    naming_table: &'a str,
    parent_table: &'a str,
    rules: &'a Rules,
    /// What the choice follows from, besides the parents: the rule, and how far the stream is whose
    /// items name parents.
    pub(super) basis: String,
    /// Parents that an item names, once they were asked for.
    named: Option<HashSet<String>>,
}

impl<'a> Choice<'a> {
    /// None where the lists of all parents are read.
    pub(super) async fn of(
        (store, scope): (&'a Store, &'a Scope),
        collection: &'a Collection,
        rules: &'a Rules,
    ) -> Result<Option<Self>, StoreError> {
        let declared = collection.chosen.as_ref().zip(collection.parent.as_ref());
        let Some(((chosen, naming_table), (_, parent_table))) = declared else {
            return Ok(None);
        };
        let rule = (chosen.fingerprint)(rules);
        if rule.is_empty() {
            return Ok(None);
        }
        let (count, latest) = store.extent(scope, naming_table).await?;
        Ok(Some(Self {
            store,
            scope,
            chosen: *chosen,
            naming_table,
            parent_table,
            rules,
            basis: format!("{rule} {count} {latest}"),
            named: None,
        }))
    }

    /// Parents whose lists are read, and those whose lists are not.
    pub(super) async fn split(
        &mut self,
        parents: Vec<KnownParent>,
    ) -> Result<(Vec<KnownParent>, Vec<KnownParent>), StoreError> {
        let named = match self.named.take() {
            Some(named) => named,
            None => self.named_parents().await?,
        };
        let wants = self.chosen.wants;
        let is_wanted = |known: &KnownParent| {
            let is_named = named.contains(&known.parent.key);
            wants(self.rules, is_named, &[])
        };
        let (mut wanted, mut others): (Vec<_>, Vec<_>) = parents.into_iter().partition(is_wanted);
        self.named = Some(named);
        if (self.chosen.looks_at_names)(self.rules) {
            let by_name = self.wanted_by_name(&others).await?;
            let is_wanted = |known: &KnownParent| by_name.contains(&known.id);
            let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(is_wanted);
            wanted.extend(more);
            others = rest;
        }
        Ok((wanted, others))
    }

    /// Keys of the parents that items of the other stream name.
    async fn named_parents(&self) -> Result<HashSet<String>, StoreError> {
        let mut named = HashSet::new();
        let mut after = (0, 0);
        loop {
            let rows = self
                .store
                .changed_items(self.scope, self.naming_table, after, GROUP)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(named);
            };
            after = (last.changed_seq, last.id);
            named.extend(
                rows.iter()
                    .filter_map(|row| field(&row.data, self.chosen.field)),
            );
        }
    }

    /// Raw ids of the parents that the rule wants because of a name.
    async fn wanted_by_name(&self, parents: &[KnownParent]) -> Result<HashSet<i64>, StoreError> {
        let mut wanted = HashSet::new();
        for group in parents.chunks(GROUP) {
            let ids: Vec<i64> = group.iter().map(|known| known.id).collect();
            for row in self.store.items_by_id(self.parent_table, &ids).await? {
                let names = self.chosen.names.iter();
                let names: Vec<String> = names.filter_map(|path| field(&row.data, path)).collect();
                if (self.chosen.wants)(self.rules, false, &names) {
                    wanted.insert(row.id);
                }
            }
        }
        Ok(wanted)
    }
}

impl Engine<'_> {
    /// Of these parents those whose lists are to be read. What is stored of parents that are not
    /// chosen goes.
    pub(super) async fn choose(
        &mut self,
        choice: Option<&mut Choice<'_>>,
        parents: Vec<KnownParent>,
    ) -> Result<Vec<PendingParent>, CollectErrorKind> {
        let wanted = match choice {
            None => parents,
            Some(choice) => {
                let (wanted, others) = choice.split(parents).await?;
                self.leave_out(&others).await?;
                wanted
            }
        };
        let mut pending: Vec<KnownParent> =
            wanted.into_iter().filter(KnownParent::is_pending).collect();
        if let Some((chosen, _)) = &self.collection.chosen {
            self.put_latest_first(&mut pending, chosen.created).await?;
        }
        Ok(pending.into_iter().map(|known| known.parent).collect())
    }

    /// Sorts parents by the time at which they were created; those that tell none come last.
    async fn put_latest_first(
        &self,
        parents: &mut [KnownParent],
        created: &[&str],
    ) -> Result<(), StoreError> {
        let times = self.collection.endpoint.dialect.times;
        let mut of_parents = HashMap::with_capacity(parents.len());
        for group in parents.chunks(GROUP) {
            let ids: Vec<i64> = group.iter().map(|known| known.id).collect();
            let rows = self.task.store.items_by_id(self.parent_table, &ids).await?;
            let times = rows
                .iter()
                .filter_map(|row| Some((row.id, times.read(&field(&row.data, created)?)?)));
            of_parents.extend(times);
        }
        parents.sort_by_key(|known| std::cmp::Reverse(of_parents.get(&known.id).copied()));
        Ok(())
    }

    /// Removes what is stored of parents that are not chosen, and their dead letters.
    async fn leave_out(&mut self, parents: &[KnownParent]) -> Result<(), CollectErrorKind> {
        let (store, scope) = (self.task.store, self.task.scope);
        let table = &self.collection.raw_table;
        for group in parents.chunks(GROUP) {
            let left_out = Batch {
                lost: group
                    .iter()
                    .map(|known| (known.parent.key.clone(), known.parent.changed_seq))
                    .collect(),
                ..Batch::default()
            };
            let settled = left_out.settled(&self.old);
            let fetched = group.iter().filter(|known| known.fetched.is_some());
            let fetched: Vec<String> = fetched.map(|known| known.parent.key.clone()).collect();
            if !(fetched.is_empty() && settled.is_empty()) {
                let stored = store.stored_children(scope, table, &fetched).await?;
                let ids: Vec<i64> = stored.values().map(|item| item.id).collect();
                let mut page = store.begin(scope, self.task.now).await?;
                page.remove_items(table, &ids).await?;
                page.forget_children_of(self.collection.stream, &fetched)
                    .await?;
                page.resolve_letters(self.collection.stream, &settled)
                    .await?;
                page.commit().await?;
                self.outcome.removed += ids.len() as u64;
            }
            (self.task.progress)(Progress {
                parents: group.len() as u64,
                ..Progress::default()
            });
        }
        Ok(())
    }
}

/// How many lists of a child stream are to be read by what is stored: those of chosen parents that
/// changed since, or of all chosen ones; none where the rules want the lists of all parents.
///
/// # Errors
/// When the database fails.
pub async fn chosen_lists(
    (store, scope): (&Store, &Scope),
    collection: &Collection,
    rules: &Rules,
    all: bool,
) -> Result<Option<u64>, StoreError> {
    let Some(mut choice) = Choice::of((store, scope), collection, rules).await? else {
        return Ok(None);
    };
    let done = store.checkpoint(scope, &collection.children_step()).await?;
    let mut position = ParentPosition::default();
    if !all && done.rules == choice.basis {
        position.seq = done.seq;
        position.id = done.row_id;
    }
    let streams = (choice.parent_table, collection.stream);
    let mut count = 0;
    loop {
        let (parents, reached) = store.parents(scope, streams, position, PARENTS).await?;
        if parents.is_empty() {
            return Ok(Some(count));
        }
        position = reached;
        let (wanted, _) = choice.split(parents).await?;
        count += wanted.iter().filter(|it| all || it.is_pending()).count() as u64;
    }
}
