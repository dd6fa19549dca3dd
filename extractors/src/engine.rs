//! The extraction loop: pages of changed raw rows in, tool rows out.

use std::sync::Arc;

use futures::future;
use headwater_domain::rules::Rules;
use headwater_domain::{Item, Origin, Rows, Scope};
use headwater_store::dead_letters::DeadLetter;
use headwater_store::mentions::{MentionCounts, MentionScope};
use headwater_store::progress::Checkpoint;
use headwater_store::raw::RawRow;
use headwater_store::{
    Changes, Owner, Replacement, StepContext, Store, StoreError, Transaction, run_blocking,
};
use tokio::sync::mpsc;

use crate::extraction::{BadPayload, Extraction};

/// Raw rows read at once, if they are not long: then the store reads fewer.
const PAGE: usize = 512;

/// Pages read ahead of the one that is written.
const AHEAD: usize = 1;

/// Raise it when what all mappings share changes: how JSON is read, what is made to fit.
const SHARED_VERSION: u32 = 2;

/// What an extraction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Raw rows read.
    pub items: u64,
    /// What happened to the tool tables.
    pub changes: Changes,
    /// Items that could not be read and are now dead letters.
    pub rejected: u64,
}

/// Why an extraction stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was cancelled; what is committed stays.
    #[error("cancelled")]
    Cancelled,
    /// The database failed.
    #[error("extracting {stream} of {scope}")]
    Store {
        /// The stream.
        stream: &'static str,
        /// Full name of the repository.
        scope: String,
        /// What the database said.
        #[source]
        source: StoreError,
    },
}

/// Extracts what changed in a stream of a scope since the last time.
pub async fn run(
    store: &Store,
    scope: &Scope,
    extraction: &Extraction,
    rules: &Arc<Rules>,
    context: &StepContext<'_>,
) -> Result<Extracted, Error> {
    let version = format!("v{}.{SHARED_VERSION}", extraction.version);
    let engine = Engine {
        store,
        scope,
        extraction,
        reading: Arc::new(Reading {
            scope: scope.clone(),
            configured: Arc::clone(rules),
            stream: extraction.stream,
            raw_table: extraction.raw_table.clone(),
            extract: extraction.extract,
            longest_row: store.longest_row(),
        }),
        context,
        step: extraction.step(),
        rules: Checkpoint::rules_of(&version, &(extraction.fingerprint)(rules)),
    };
    let done = engine.run().await;
    done.map_err(|stop| match stop {
        Stop::Cancelled => Error::Cancelled,
        Stop::Store(source) => Error::Store {
            stream: extraction.stream,
            scope: scope.full_name.clone(),
            source,
        },
    })
}

enum Stop {
    Cancelled,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

struct Engine<'a> {
    store: &'a Store,
    scope: &'a Scope,
    extraction: &'a Extraction,
    reading: Arc<Reading>,
    context: &'a StepContext<'a>,
    step: String,
    /// What the checkpoint must have been made under.
    rules: String,
}

impl Engine<'_> {
    async fn run(&self) -> Result<Extracted, Stop> {
        let stored = self.store.checkpoint(self.scope, &self.step).await?;
        let first = stored.is_start();
        let (mut seq, mut row_id) = (stored.seq, stored.row_id);
        if stored.rules != self.rules {
            // The mapping changed: everything again, against what is there.
            (seq, row_id) = (0, 0);
        }
        let latest = self.store.latest_seq(self.scope).await?;
        let mut outcome = Extracted::default();
        if !first {
            self.follow_removals((stored.seq.min(seq), latest), &mut outcome)
                .await?;
        }
        if !first && stored.rules == self.rules {
            // Those that changed meanwhile come again below, as all do under other rules.
            self.retry_dead_letters((seq, row_id), &mut outcome).await?;
        }
        let (ready, batches) = mpsc::channel(AHEAD);
        let read = self.read_pages((seq, row_id), ready);
        let written = self.write_pages(batches, first, &mut outcome);
        let (read, written) = future::join(read, written).await;
        written?;
        read?;
        self.finish(&stored, latest).await?;
        Ok(outcome)
    }

    /// Reads and understands pages ahead of the writing.
    async fn read_pages(
        &self,
        mut after: (i64, i64),
        ready: mpsc::Sender<Batch>,
    ) -> Result<(), Stop> {
        while let Some(batch) = self.read_page(after).await? {
            after = batch.position.unwrap_or(after);
            if ready.send(batch).await.is_err() {
                // The writing has stopped, and reports why.
                break;
            }
        }
        Ok(())
    }

    /// Writes pages as they get ready; several share a transaction.
    async fn write_pages(
        &self,
        mut batches: mpsc::Receiver<Batch>,
        first: bool,
        outcome: &mut Extracted,
    ) -> Result<(), Stop> {
        let mut counts = MentionCounts::default();
        let mut open: Option<Transaction<'_>> = None;
        loop {
            if batches.is_empty()
                && let Some(page) = open.take()
            {
                open = page.yield_turn().await?;
            }
            let Some(batch) = batches.recv().await else {
                break;
            };
            if self.context.cancel.is_cancelled() {
                if let Some(page) = open {
                    page.commit().await?;
                }
                return Err(Stop::Cancelled);
            }
            let count = batch.ids.len() as u64;
            let page = match open.take() {
                Some(page) => page,
                None => self.store.begin(self.scope, self.context.now).await?,
            };
            let staged = (page, batch, &mut counts);
            let page = self.stage_batch(staged, first, outcome).await?;
            open = page.go_on().await?;
            (self.context.progress)(count);
        }
        if let Some(page) = open {
            page.commit().await?;
        }
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Takes the tool rows of removed raw rows away.
    async fn follow_removals(
        &self,
        (after, up_to): (i64, i64),
        outcome: &mut Extracted,
    ) -> Result<(), Stop> {
        let table = &self.extraction.raw_table;
        let removed = self
            .store
            .removed_between(self.scope, table, after, up_to)
            .await?;
        let ids: Vec<i64> = removed.iter().filter_map(|key| key.parse().ok()).collect();
        for group in ids.chunks(PAGE) {
            self.check_cancelled()?;
            let mut page = self.store.begin(self.scope, self.context.now).await?;
            let mut counts = MentionCounts::default();
            let nothing = (group.to_vec(), Rows::default());
            self.write((&mut page, &mut counts), nothing, false, outcome)
                .await?;
            page.requeue_letters(("extract", self.extraction.stream), group)
                .await?;
            page.commit().await?;
        }
        Ok(())
    }

    /// Tries the items again that could not be read before.
    async fn retry_dead_letters(
        &self,
        done: (i64, i64),
        outcome: &mut Extracted,
    ) -> Result<(), Stop> {
        let ids = self
            .store
            .dead_raw_ids(self.scope, self.extraction.stream)
            .await?;
        let (table, mut left) = (&self.extraction.raw_table, ids.as_slice());
        while !left.is_empty() {
            self.check_cancelled()?;
            let fitting = self.store.fitting_ids(table, left).await?;
            let (group, rest) = left.split_at(fitting);
            left = rest;
            let mut items = self.store.items_by_id(table, group).await?;
            items.retain(|item| (item.changed_seq, item.id) <= done);
            let batch = self.understand(items, None).await?;
            let page = self.store.begin(self.scope, self.context.now).await?;
            let mut counts = MentionCounts::default();
            let staged = (page, batch, &mut counts);
            let page = self.stage_batch(staged, false, outcome).await?;
            page.commit().await?;
        }
        Ok(())
    }

    /// Reads what comes after a position and turns it into rows; none at the end.
    async fn read_page(&self, after: (i64, i64)) -> Result<Option<Batch>, Stop> {
        let table = &self.extraction.raw_table;
        let items = self
            .store
            .changed_items(self.scope, table, after, PAGE)
            .await?;
        let Some(last) = items.last() else {
            return Ok(None);
        };
        let position = (last.changed_seq, last.id);
        Ok(Some(self.understand(items, Some(position)).await?))
    }

    async fn understand(
        &self,
        items: Vec<RawRow>,
        position: Option<(i64, i64)>,
    ) -> Result<Batch, StoreError> {
        let reading = Arc::clone(&self.reading);
        run_blocking(move || reading.batch(&items, position)).await
    }

    /// Hands a page's rows to the database; what is left to do is to commit them.
    async fn stage_batch<'p>(
        &self,
        (mut page, batch, counts): (Transaction<'p>, Batch, &mut MentionCounts),
        first: bool,
        outcome: &mut Extracted,
    ) -> Result<Transaction<'p>, Stop> {
        let Batch {
            position,
            ids,
            rows,
            letters,
        } = batch;
        let count = ids.len() as u64;
        if !first {
            page.requeue_letters(
                ("extract", self.extraction.stream),
                &revived(&ids, &letters),
            )
            .await?;
        }
        self.write((&mut page, counts), (ids, rows), first, outcome)
            .await?;
        page.record_letters(&letters).await?;
        if let Some((seq, row_id)) = position {
            let rules = self.rules.clone();
            page.set_checkpoint(&self.step, &Checkpoint { seq, row_id, rules })
                .await?;
        }
        outcome.items += count;
        outcome.rejected += letters.len() as u64;
        Ok(page)
    }

    async fn write(
        &self,
        (page, counts): (&mut Transaction<'_>, &mut MentionCounts),
        (ids, mut rows): (Vec<i64>, Rows),
        first: bool,
        outcome: &mut Extracted,
    ) -> Result<(), StoreError> {
        let of = MentionScope {
            scope: self.scope,
            source: self.extraction.stream,
            raw_table: &self.extraction.raw_table,
        };
        page.replace_mentions(of, counts, &ids, rows.take_mentions(), first)
            .await?;
        for shared in rows.take_shared() {
            page.write_shared(shared).await?;
        }
        for table in &self.extraction.tables {
            let replacement = Replacement {
                table,
                owner: Owner::RawRows {
                    table: self.extraction.raw_table.clone(),
                    ids: ids.clone(),
                },
                rows: rows.take(table),
                first,
            };
            outcome.changes += page.replace(replacement).await?;
        }
        debug_assert!(
            rows.is_empty(),
            "{} writes undeclared tables",
            self.extraction.stream
        );
        Ok(())
    }

    /// Moves the checkpoint past everything there was, also changes that were no business of ours.
    async fn finish(&self, stored: &Checkpoint, latest: i64) -> Result<(), Stop> {
        let done = Checkpoint {
            seq: latest,
            row_id: i64::MAX,
            rules: self.rules.clone(),
        };
        if *stored != done {
            let page = self.store.begin(self.scope, self.context.now).await?;
            page.set_checkpoint(&self.step, &done).await?;
            page.commit().await?;
        }
        Ok(())
    }
}

/// What it takes to understand items, apart from the engine so that another thread can do it.
struct Reading {
    scope: Scope,
    configured: Arc<Rules>,
    stream: &'static str,
    raw_table: String,
    extract: fn(&Item<'_>, &[u8], &mut Rows) -> Result<(), BadPayload>,
    /// Bytes that a row may have, where the database sets a limit.
    longest_row: Option<usize>,
}

impl Reading {
    /// Turns items into rows, and those that cannot be read into dead letters.
    fn batch(&self, items: &[RawRow], position: Option<(i64, i64)>) -> Batch {
        let params = self.scope.params();
        let ids = items.iter().map(|item| item.id).collect();
        let mut rows = Rows::within(self.longest_row);
        let mut letters = Vec::new();
        for raw in items {
            let origin = Origin {
                params: params.clone(),
                table: self.raw_table.clone(),
                id: raw.id,
            };
            rows.from_origin(origin.clone());
            let item = Item {
                scope: &self.scope,
                rules: &self.configured,
                parent: &raw.parent,
                key: &raw.key,
                origin,
            };
            let read = (self.extract)(&item, &raw.data, &mut rows);
            if let Err(bad) = read {
                letters.push(DeadLetter {
                    stage: "extract".to_owned(),
                    stream: self.stream.to_owned(),
                    item: [&raw.parent, "/", &raw.key].concat(),
                    raw_id: Some(raw.id),
                    path: bad.path,
                    message: bad.message,
                });
            }
        }
        Batch {
            position,
            ids,
            rows,
            letters,
        }
    }
}

/// A page of items turned into rows.
struct Batch {
    /// Sequence and id of the last item; none for items out of order.
    position: Option<(i64, i64)>,
    ids: Vec<i64>,
    rows: Rows,
    letters: Vec<DeadLetter>,
}

/// Items that were read now, so that an old dead letter of theirs is settled.
fn revived(ids: &[i64], letters: &[DeadLetter]) -> Vec<i64> {
    let dead = |id: &i64| letters.iter().any(|letter| letter.raw_id == Some(*id));
    ids.iter().copied().filter(|id| !dead(id)).collect()
}
