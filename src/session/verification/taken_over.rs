//! Rows that `verify` copies into the scratch database instead of reading them from the source.

use headwater_collectors::{Collection, Paging, content_hash};
use headwater_domain::Scope;
use headwater_domain::table::Layer;
use headwater_store::progress::WalkKey;
use headwater_store::raw::{ItemTime, NewItem, ParentPosition, PendingParent, RawRow, StoredItems};
use std::collections::{BTreeSet, HashSet};
use url::Url;

use super::{LeftOut, Scratch};
use crate::exit::{Exit, Failure};
use crate::run::Job;

/// Parents looked at together.
const PAGE: usize = 256;

impl Scratch<'_> {
    /// Takes over the rows of streams that are skipped: a sync leaves them as they are.
    pub(super) async fn take_skipped(&self, job: &Job) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        for list in self.lists_of(job) {
            if self.is_skipped(job, list.stream) {
                self.take_list((job, client.endpoint()), list).await?;
            }
        }
        Ok(())
    }

    /// Takes over the rows of lists that the source does not have any more: a sync leaves them,
    /// too.
    pub(super) async fn take_absent(
        &self,
        job: &Job,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        let mut absent: Vec<&str> = Vec::new();
        for list in self.lists_of(job) {
            let is_absent = match &list.parent {
                _ if self.is_skipped(job, list.stream) => false,
                Some((parent, _)) => absent.contains(&parent.stream),
                None => self.is_absent(job, list).await?,
            };
            if !is_absent {
                continue;
            }
            absent.push(list.stream);
            if self.take_list((job, client.endpoint()), list).await? > 0 {
                left_out.push(LeftOut {
                    what: format!(
                        "{}:{}: {}",
                        job.connection, job.scope.full_name, list.stream
                    ),
                    why: "the source does not have this list any more; what was collected stays"
                        .to_owned(),
                    exit: Exit::Partial,
                });
            }
        }
        Ok(())
    }

    /// Whether a list that was asked for is not there: its step succeeded and it was not walked.
    pub(super) async fn is_absent(&self, job: &Job, list: &Collection) -> Result<bool, Failure> {
        let stream = list.stream;
        let steps = self.there().scope_status(&job.scope).await?;
        let ran = steps.iter().any(|status| {
            let step = &status.step;
            step.stage == "collect" && step.stream == stream && step.state == "success"
        });
        if !ran || list.endpoint.paging == Paging::Single {
            return Ok(false);
        }
        let scope = &job.scope;
        let walk = self.there().walk_state(WalkKey { scope, stream }).await?;
        Ok(!walk.complete)
    }

    /// Takes over all stored rows of a stream.
    pub(super) async fn take_list(
        &self,
        (job, base): (&Job, &Url),
        list: &Collection,
    ) -> Result<usize, Failure> {
        let scope = &job.scope;
        let further = job.source.children_of(list.stream);
        let (mut position, mut taken) = ((0, 0), 0);
        loop {
            let table = &list.raw_table;
            let rows = self
                .here
                .changed_items(scope, table, position, PAGE)
                .await?;
            let Some(newest) = rows.last() else {
                return Ok(taken);
            };
            position = (newest.changed_seq, newest.id);
            taken += rows.len();
            self.write_rows((scope, base), list, &further, rows, Vec::new())
                .await?;
        }
    }

    /// Takes over what was imported from files: what is derived follows from it, and no source has it.
    pub(super) async fn take_imports(&self) -> Result<(), Failure> {
        let (session, now) = (&self.session, self.session.clock.now());
        let tables = session.sources.tables().rows.into_iter();
        for table in tables.filter(|table| table.layer() == Layer::Domain) {
            self.here.copy_imports(self.there(), table, now).await?;
        }
        Ok(())
    }

    /// The stored ranges: a first sync today would begin later than one of half a year ago.
    pub(super) async fn take_ranges(&self) -> Result<(), Failure> {
        for known in self.here.scopes().await? {
            if known.source_gone_at.is_some() {
                continue;
            }
            let mut walked = false;
            for (_, entry) in self.session.sources.streams() {
                let key = WalkKey {
                    scope: &known.scope,
                    stream: entry.collection.stream,
                };
                walked |= self.here.walk_state(key).await?.walk > 0;
            }
            // Without a walk there is no range yet; it comes from the configuration.
            if walked {
                self.there()
                    .register(&known.scope, self.session.clock.now())
                    .await?;
                self.there().widen(&known.scope, known.data_after).await?;
            }
        }
        Ok(())
    }

    /// Takes over what a first sync would find just so: when unchanged items were seen, and,
    /// unless `deep`, their records. What is not taken over is read from the source.
    pub(super) async fn take_unchanged(&self, job: &Job, deep: bool) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        for entry in &job.source.streams {
            let list = &entry.collection;
            if list.parent.is_some() {
                continue;
            }
            let mut children = Vec::new();
            for child in job.source.children_of(list.stream) {
                if !deep {
                    let pending = self.pending_here(&job.scope, list, &child).await?;
                    children.push((child, pending));
                }
            }
            let mut position = ParentPosition::default();
            loop {
                // Nothing is fetched yet, so every parent is pending.
                let streams = (list.raw_table.as_str(), "");
                let there = self.there();
                let pending = there.pending_parents(&job.scope, streams, position, PAGE);
                let (items, reached) = pending.await?;
                if items.is_empty() {
                    break;
                }
                position = reached;
                let same = self.unchanged(&job.scope, list, items).await?;
                self.take_times(&job.scope, list, &same).await?;
                for (child, pending) in &children {
                    let mut complete = same.clone();
                    complete.retain(|item| !pending.contains(&item.key));
                    let place = (job, client.endpoint());
                    self.take_children(place, child, complete).await?;
                }
            }
        }
        Ok(())
    }

    /// Items that both databases have with the same content.
    pub(super) async fn unchanged(
        &self,
        scope: &Scope,
        list: &Collection,
        items: Vec<PendingParent>,
    ) -> Result<Vec<PendingParent>, Failure> {
        let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
        let table = &list.raw_table;
        let here = self.here.stored_items(scope, table, &keys).await?;
        let there = self.there().stored_items(scope, table, &keys).await?;
        let hash = |stored: &StoredItems, key: &str| {
            let item = stored.get(&(String::new(), key.to_owned()));
            item.map(|item| item.content_hash.clone())
        };
        let same = |item: &PendingParent| hash(&here, &item.key) == hash(&there, &item.key);
        Ok(items.into_iter().filter(same).collect())
    }

    /// Of two descriptions of an account the newer one counts, so it matters when each was seen.
    pub(super) async fn take_times(
        &self,
        scope: &Scope,
        list: &Collection,
        same: &[PendingParent],
    ) -> Result<(), Failure> {
        let keys: Vec<String> = same.iter().map(|item| item.key.clone()).collect();
        let times = self.here.item_times(scope, &list.raw_table, &keys).await?;
        let page = self.there().begin(scope, self.session.clock.now()).await?;
        page.set_item_times(&list.raw_table, times)?;
        page.commit().await?;
        Ok(())
    }

    /// Takes over the stored records of parents that are complete here.
    pub(super) async fn take_children(
        &self,
        (job, base): (&Job, &Url),
        child: &Collection,
        complete: Vec<PendingParent>,
    ) -> Result<(), Failure> {
        let scope = &job.scope;
        let fetched = complete.into_iter();
        let fetched: Vec<(String, i64)> =
            fetched.map(|item| (item.key, item.changed_seq)).collect();
        let keys: Vec<String> = fetched.iter().map(|(key, _)| key.clone()).collect();
        let rows = self
            .here
            .children_of(scope, &child.raw_table, &keys)
            .await?;
        let further = job.source.children_of(child.stream);
        self.write_rows((scope, base), child, &further, rows, fetched)
            .await
    }

    /// Writes stored rows as they would be stored today, with the times at which they were seen,
    /// and notes parents of which they are all.
    pub(super) async fn write_rows(
        &self,
        (scope, base): (&Scope, &Url),
        list: &Collection,
        further: &[Collection],
        rows: Vec<RawRow>,
        fetched: Vec<(String, i64)>,
    ) -> Result<(), Failure> {
        let times: Vec<ItemTime> = rows
            .iter()
            .map(|row| ItemTime {
                parent: row.parent.clone(),
                key: row.key.clone(),
                at: row.created_at,
            })
            .collect();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(remade((scope, base), list, further, row)?);
        }
        let (store, table) = (self.there(), &list.raw_table);
        // There are some when a scope is updated.
        let there = if list.parent.is_some() {
            let parents: BTreeSet<String> = items.iter().map(|item| item.parent.clone()).collect();
            let parents: Vec<String> = parents.into_iter().collect();
            store.stored_children(scope, table, &parents).await?
        } else {
            let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
            store.stored_items(scope, table, &keys).await?
        };
        let mut page = self.there().begin(scope, self.session.clock.now()).await?;
        page.write_items(table, items, &there, None).await?;
        page.set_item_times(&list.raw_table, times)?;
        if !fetched.is_empty() {
            page.set_children_fetched(list.stream, fetched).await?;
        }
        page.commit().await?;
        Ok(())
    }

    /// Parents whose records are not complete in the database: they are read from the source.
    pub(super) async fn pending_here(
        &self,
        scope: &Scope,
        list: &Collection,
        child: &Collection,
    ) -> Result<HashSet<String>, Failure> {
        let mut pending = HashSet::new();
        let mut position = ParentPosition::default();
        loop {
            let streams = (list.raw_table.as_str(), child.stream);
            let found = self.here.pending_parents(scope, streams, position, PAGE);
            let (parents, reached) = found.await?;
            if (reached.seq, reached.id) == (position.seq, position.id) {
                return Ok(pending);
            }
            position = reached;
            pending.extend(parents.into_iter().map(|parent| parent.key));
        }
    }
}

/// A stored record as it would be stored today: all but its data is made anew.
fn remade(
    (scope, base): (&Scope, &Url),
    child: &Collection,
    further: &[Collection],
    row: RawRow,
) -> Result<NewItem, Failure> {
    let url = child.list_url(base, scope, &row.parent);
    let url = url.map_err(|error| Failure::because(Exit::Failed, "making an address", error))?;
    Ok(NewItem {
        content_hash: content_hash(&row.data),
        child_counts: child.child_counts(further, &row.data),
        url: url.to_string(),
        input: child.input(&row.parent),
        parent: row.parent,
        key: row.key,
        data: row.data,
    })
}
