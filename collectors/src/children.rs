//! The walk over the lists of pending parents: comments, activity and commits of pull requests.
//!
//! A parent is pending while it changed after its children were last fetched, so a crash between
//! a list and its children loses nothing. A complete walk is all pages of one parent.

mod arriving;
mod batch;
mod bulk_list;
mod carried;
mod choice;
mod fetcher;
mod window;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, future, stream};
use headwater_store::Transaction;
use headwater_store::dead_letters::DeadLetter;
use headwater_store::progress::Checkpoint;
use headwater_store::raw::{ParentPosition, PendingParent, StoredItems};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use url::Url;

use crate::endpoint::{Collection, Parent};
use crate::engine::{Collected, Listing, Progress, Task, bad_url};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind, Verdict};
use crate::page::RawItem;

use arriving::Arriving;
use batch::Batch;
use choice::Choice;
pub use choice::chosen_lists;
use fetcher::Fetcher;

/// Pending parents read at once.
const PARENTS: usize = 2048;

/// Finished walks written in one transaction, if so many are ready; a slow server gets one each.
const GROUP: usize = 256;

/// How long a transaction waits for further walks.
const GATHERING: Duration = Duration::from_millis(10);

/// Failures one after the other after which the server is taken for down.
const PATIENCE: usize = 5;

/// Adds what it did to the outcome, also when it fails halfway.
pub(crate) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    (parent, parent_table): &(Parent, String),
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    let mut engine = Engine {
        task,
        collection,
        parent: *parent,
        parent_table,
        step: collection.children_step(),
        outcome: Collected::default(),
        failures: 0,
        failed: 0,
        later: HashSet::new(),
        old: task.store.dead_items(task.scope, collection.stream).await?,
        first: task
            .store
            .is_empty(task.scope, &collection.raw_table)
            .await?,
    };
    let done = engine.run().await;
    *outcome = engine.outcome;
    done
}

/// The complete list of one parent's children, or why there is none.
struct Walked {
    parent: PendingParent,
    items: Vec<RawItem>,
    date: Option<DateTime<Utc>>,
    result: Result<ChildListEnd, RequestError>,
}

/// What a walk over one parent's children found out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChildListEnd {
    /// All pages were read.
    All,
    /// The parent's own count says that there are none.
    NoneByCount,
    /// The server no longer knows the list; what is stored stays.
    Lost,
}

struct Engine<'a> {
    task: &'a Task<'a>,
    collection: &'a Collection,
    parent: Parent,
    parent_table: &'a str,
    step: String,
    outcome: Collected,
    /// Parents that failed one after the other.
    failures: usize,
    /// Parents that failed in all, or some of whose items could not be stored.
    failed: u64,
    /// Parents that are older than what is read now: they stay pending.
    later: HashSet<String>,
    /// Dead letters of earlier runs.
    old: Vec<String>,
    /// Nothing of the stream was stored when the collection began.
    first: bool,
}

impl<'a> Engine<'a> {
    async fn run(&mut self) -> Result<(), CollectErrorKind> {
        let store = self.task.store;
        let scope = self.task.scope;
        if self.task.range.full {
            self.start_over().await?;
        }
        let latest = store.latest_seq(scope).await?;
        let done = store.checkpoint(scope, &self.step).await?;
        let mut choice = Choice::of((store, scope), self.collection, self.task.rules).await?;
        let rules = choice.as_ref().map(|choice| choice.basis.clone());
        let rules = rules.unwrap_or_default();
        let mut position = ParentPosition::default();
        if done.rules == rules {
            position.seq = done.seq;
            position.id = done.row_id;
        }
        self.later = window::parents_for_later(self.task, self.parent_table, position).await?;
        let changed = store
            .changed_count(scope, self.parent_table, position.seq)
            .await?;
        (self.task.progress)(Progress {
            expected_parents: changed,
            ..Progress::default()
        });
        // Nothing was ever read to the end: a first walk, or one that was interrupted.
        let range = self.task.range;
        let is_first = (position.seq == 0 || range.older_only) && !range.full;
        if let Some(bulk_list) = self.collection.bulk_list.filter(|_| is_first)
            && changed >= bulk_list::WORTH
        {
            bulk_list::collect(self, bulk_list).await?;
        }
        if let Some((carried, _)) = self
            .collection
            .carried
            .as_ref()
            .filter(|_| !self.task.range.full)
        {
            carried::collect(self, *carried).await?;
        }
        let streams = (self.parent_table, self.collection.stream);
        loop {
            let (parents, reached) = store.parents(scope, streams, position, PARENTS).await?;
            if parents.is_empty() {
                break;
            }
            position = reached;
            let mut pending = self.choose(choice.as_mut(), parents).await?;
            pending.retain(|parent| !self.later.contains(&parent.key));
            self.walk(pending).await?;
        }
        if self.failed == 0 && self.later.is_empty() {
            self.finish(latest, rules).await?;
        }
        Ok(())
    }

    /// Makes every parent pending again.
    async fn start_over(&self) -> Result<(), CollectErrorKind> {
        let page = self
            .task
            .store
            .begin(self.task.scope, self.task.now)
            .await?;
        page.forget_children_fetched(self.collection.stream).await?;
        page.set_checkpoint(&self.step, &Checkpoint::default())
            .await?;
        page.commit().await?;
        Ok(())
    }

    /// Every parent up to here is done; later runs need not look at them.
    async fn finish(&self, latest: i64, rules: String) -> Result<(), CollectErrorKind> {
        let done = Checkpoint {
            seq: latest,
            row_id: i64::MAX,
            rules,
        };
        if self
            .task
            .store
            .checkpoint(self.task.scope, &self.step)
            .await?
            != done
        {
            let page = self
                .task
                .store
                .begin(self.task.scope, self.task.now)
                .await?;
            page.set_checkpoint(&self.step, &done).await?;
            page.commit().await?;
        }
        Ok(())
    }

    /// Fetches the children of some parents and writes what arrives, as it arrives.
    async fn walk(&mut self, pending: Vec<PendingParent>) -> Result<(), CollectErrorKind> {
        let mut arriving = self.fetch_all(pending)?;
        let mut group = arriving.group().await;
        let mut open = None;
        while !group.is_empty() {
            let (mut page, stopped) = self.stage(open.take(), group).await?;
            if let Some(stopped) = stopped {
                // What had arrived by then is not asked for again.
                page.commit().await?;
                return Err(stopped);
            }
            if self.first && page.has_room() {
                // No longer: requests may wait for the database, which is ours meanwhile.
                let soon = tokio::time::timeout(3 * GATHERING, arriving.group());
                let (written, soon) = future::join(page.flush(), soon).await;
                written?;
                if let Ok(next) = soon {
                    (group, open) = (next, Some(page));
                    continue;
                }
            }
            // The next group gathers while this one is written.
            let (written, next) = future::join(page.commit(), arriving.group()).await;
            written?;
            group = next;
        }
        if let Some(page) = open {
            page.commit().await?;
        }
        Ok(())
    }

    /// Starts fetching in the background, so that the network never waits for the database.
    fn fetch_all(&self, pending: Vec<PendingParent>) -> Result<Arriving, CollectErrorKind> {
        let mut jobs = Vec::with_capacity(pending.len());
        for parent in pending {
            let url = self.list_url(&parent.key)?;
            jobs.push((parent, url));
        }
        let cancel = self.task.cancel.child_token();
        let fetcher = self.fetcher(cancel.clone());
        let (sender, walks) = mpsc::channel(GROUP);
        let concurrency = self.task.client.concurrency();
        let walking = async move {
            let fetcher = &fetcher;
            let mut walks = stream::iter(jobs)
                .map(|(parent, url)| fetcher.walk(parent, url))
                .buffer_unordered(concurrency);
            while let Some(walked) = walks.next().await {
                if sender.send(walked).await.is_err() {
                    break;
                }
            }
        };
        tokio::spawn(walking.in_current_span());
        Ok(Arriving {
            walks,
            gathered: Vec::new(),
            cancel,
        })
    }

    fn fetcher(&self, cancel: CancellationToken) -> Fetcher {
        Fetcher {
            client: self.task.client.clone(),
            collection: self.collection.clone(),
            count: self.parent.count,
            cancel,
        }
    }

    fn list_url(&self, parent: &str) -> Result<Url, RequestError> {
        let base = self.task.client.endpoint();
        let url = self.collection.list_url(base, self.task.scope, parent);
        url.map_err(|error| bad_url(&self.task.client, error))
    }

    /// A parent's list, whose address is given.
    fn listing<'l>(&'l self, url: &'l str, parent: &'l str) -> Listing<'l> {
        Listing {
            collection: self.collection,
            children: self.task.children,
            url,
            parent,
            longest: self.task.store.longest_item(),
        }
    }

    /// Passes a group's items to the database; what is left to do is to commit them. Also says why
    /// no other group may follow.
    async fn stage(
        &mut self,
        open: Option<Transaction<'a>>,
        group: Vec<Walked>,
    ) -> Result<(Transaction<'a>, Option<CollectErrorKind>), CollectErrorKind> {
        let mut batch = Batch::default();
        for walked in group {
            self.sort(walked, &mut batch)?;
        }
        let table = &self.collection.raw_table;
        let parents: Vec<String> = batch.parents.iter().map(|(key, _)| key.clone()).collect();
        let store = self.task.store;
        let known = if self.first {
            StoredItems::new()
        } else {
            store
                .stored_children(self.task.scope, table, &parents)
                .await?
        };
        let gone = self.confirm_missing(&mut batch, &known).await?;
        let settled = batch.settled(&self.old);
        let mut page = if let Some(open) = open {
            open
        } else {
            let now = batch.date.unwrap_or(self.task.now);
            store.begin(self.task.scope, now).await?
        };
        let changes = page.write_items(table, batch.items, &known, None).await?;
        page.remove_items(table, &gone).await?;
        page.resolve_letters(self.collection.stream, &settled)
            .await?;
        page.record_letters(&batch.letters).await?;
        let mut fetched = batch.parents;
        fetched.retain(|(parent, _)| !batch.incomplete.contains(parent));
        fetched.extend(batch.lost);
        page.set_children_fetched(self.collection.stream, fetched)
            .await?;
        self.outcome.items += batch.received;
        self.outcome.written += changes.written;
        self.outcome.removed += gone.len() as u64;
        self.outcome.rejected += batch.letters.len() as u64;
        (self.task.progress)(Progress {
            items: batch.received,
            parents: batch.walks,
            expected_parents: 0,
        });
        Ok((page, batch.stopped))
    }

    /// Puts one finished walk where it belongs.
    fn sort(&mut self, walked: Walked, batch: &mut Batch) -> Result<(), CollectErrorKind> {
        let PendingParent {
            key, changed_seq, ..
        } = walked.parent;
        batch.walks += 1;
        match walked.result {
            Ok(found) => {
                self.failures = 0;
                batch.date = batch.date.max(walked.date);
                batch.received += walked.items.len() as u64;
                let list_url = self.list_url(&key)?;
                let (items, letters) = self.listing(list_url.as_str(), &key).keyed(walked.items);
                batch.items.extend(items);
                if !letters.is_empty() {
                    // It stays pending, so that the next run tries its items again.
                    self.failed += 1;
                    batch.incomplete.insert(key.clone());
                }
                batch.letters.extend(letters);
                match found {
                    ChildListEnd::Lost => {
                        self.outcome.lost += 1;
                        batch.lost.push((key, changed_seq));
                    }
                    ChildListEnd::All => batch.parents.push((key, changed_seq)),
                    ChildListEnd::NoneByCount => {
                        batch.counted_empty.insert(key.clone());
                        batch.parents.push((key, changed_seq));
                    }
                }
                Ok(())
            }
            Err(error) => {
                self.note_failure(&key, error, batch);
                Ok(())
            }
        }
    }

    /// One parent failed: it stays pending, the others go on, unless nothing goes through.
    fn note_failure(&mut self, parent: &str, error: RequestError, batch: &mut Batch) {
        self.failures += 1;
        self.failed += 1;
        if error.kind.verdict() == Verdict::Stop {
            batch.stopped.get_or_insert(error.into());
            return;
        }
        if self.failures >= PATIENCE {
            let count = self.failures;
            let gave_up = CollectErrorKind::GaveUp { count, last: error };
            batch.stopped.get_or_insert(gave_up);
            return;
        }
        batch.letters.push(DeadLetter {
            stage: "collect".to_owned(),
            stream: self.collection.stream.to_owned(),
            item: format!("{parent}/"),
            raw_id: None,
            path: place(&error),
            message: error.kind.to_string(),
        });
    }

    /// Raw ids of stored children that are gone: a second walk must miss them too. Where it fails,
    /// nothing is gone and the parent stays pending.
    async fn confirm_missing(
        &mut self,
        batch: &mut Batch,
        known: &StoredItems,
    ) -> Result<Vec<i64>, CollectErrorKind> {
        let missing = batch.missing(known);
        let doubted: HashSet<&String> = missing
            .iter()
            .map(|(parent, _)| parent)
            .filter(|parent| !batch.counted_empty.contains(*parent))
            .collect();
        let mut again = HashSet::new();
        let mut unsettled = HashSet::new();
        let fetcher = self.fetcher(self.task.cancel.clone());
        for parent in doubted {
            let url = self.list_url(parent)?;
            let items = match fetcher.pages(&url).await {
                Ok((items, _)) => items,
                Err(error) => {
                    self.note_failure(parent, error, batch);
                    unsettled.insert(parent.clone());
                    continue;
                }
            };
            let listing = Listing {
                // Too long to be stored is not gone.
                longest: None,
                ..self.listing(url.as_str(), parent)
            };
            let (items, _) = listing.keyed(items);
            again.extend(
                items
                    .into_iter()
                    .map(|item| (item.parent.clone(), item.key.clone())),
            );
        }
        batch
            .parents
            .retain(|(parent, _)| !unsettled.contains(parent));
        let gone = missing
            .into_iter()
            .filter(|key| !again.contains(key) && !unsettled.contains(&key.0));
        Ok(gone
            .filter_map(|key| known.get(&key).map(|item| item.id))
            .collect())
    }
}

/// Where a request failed: its status, if there was an answer, and its address.
fn place(error: &RequestError) -> String {
    match status(error) {
        Some(status) => format!("HTTP {status} {}", error.url),
        None => error.url.to_string(),
    }
}

fn status(error: &RequestError) -> Option<u16> {
    Some(match &error.kind {
        RequestErrorKind::Unauthorized { .. } => 401,
        RequestErrorKind::Forbidden { .. } => 403,
        RequestErrorKind::NotFound { .. } => 404,
        RequestErrorKind::Gone { .. } => 410,
        RequestErrorKind::Refused { status, .. } | RequestErrorKind::Unavailable { status, .. } => {
            *status
        }
        _ => return None,
    })
}
