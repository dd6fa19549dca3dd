//! The walk over a list of the scope itself: repositories, pull requests.

mod backfill;
mod commit_range;
mod deletions;
mod plan;
mod reading;
mod settled;
mod shift_detection;
pub(crate) mod together;
mod unended;

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::Transaction;
use headwater_store::dead_letters::named;
use headwater_store::progress::{Checkpoint, WalkKey, WalkState};
use headwater_store::raw::{NewItem, StoredItems};
use url::Url;

use crate::endpoint::Collection;
use crate::engine::{Collected, Listing, Page, Progress, Task, bad_url};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind, ShownUrl};
use crate::page::RawItem;

use plan::Plan;
use shift_detection::ShiftDetection;
use unended::Unended;
pub(crate) use unended::noted;

/// Times that a list is read in one run, at most, because it changed between its pages.
const ROUNDS: u32 = 4;

/// Times that a list is read in one run, at most, because items are missing.
const READINGS: u32 = 8;

/// Readings in a row that bring nothing new, after which an item that is missing does not come.
const IN_VAIN: u32 = 2;

/// Overlap of one walk with the one before: the server's clock has whole seconds, and an item
/// may become visible a little after the time it carries.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

/// Adds what it did to the outcome, also when it fails halfway.
pub(crate) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    if let Some(commit_range) = collection.endpoint.commit_range {
        return commit_range::collect(task, collection, commit_range, outcome).await;
    }
    let stored = walk_state(task, collection).await?;
    if collection.endpoint.is_by_time() && !task.range.full {
        return backfill::collect(task, collection, &stored, outcome).await;
    }
    if let Some(settled) = settled::look(task, collection, &stored).await? {
        return settled::collect(task, collection, settled, outcome).await;
    }
    let plan = Plan::new(task, collection, &stored, task.range.data_after);
    let first = match collection.endpoint.together {
        Some(together) if plan.complete => together::page(task, collection, together).await?,
        _ => None,
    };
    if walk(task, collection, (&plan, first), outcome).await? {
        return Ok(());
    }
    let plan = Plan::whole(collection, task.range.data_after);
    walk(task, collection, (&plan, None), outcome).await?;
    Ok(())
}

/// Reads a list. Returns false when reading all of it costs less than what is left to do.
async fn walk(
    task: &Task<'_>,
    collection: &Collection,
    (plan, first): (&Plan, Option<(Url, Page)>),
    outcome: &mut Collected,
) -> Result<bool, CollectErrorKind> {
    let mut walk = Walk::new(task, collection, plan).await?;
    let done = walk.run(plan, first).await;
    let done = walk.or_given_up(done).await;
    outcome.add(walk.outcome);
    done
}

async fn walk_state(
    task: &Task<'_>,
    collection: &Collection,
) -> Result<WalkState, CollectErrorKind> {
    walk_state_of(task, collection.stream).await
}

async fn walk_state_of(task: &Task<'_>, stream: &str) -> Result<WalkState, CollectErrorKind> {
    let key = WalkKey {
        scope: task.scope,
        stream,
    };
    Ok(task.store.walk_state(key).await?)
}

/// Under which name the walk over what is older than what is stored is noted.
fn older_stream(collection: &Collection) -> String {
    format!("{}:older", collection.stream)
}

fn list_url(task: &Task<'_>, collection: &Collection) -> Result<Url, CollectErrorKind> {
    let url = collection.list_url(task.client.endpoint(), task.scope, "");
    Ok(url.map_err(|error| bad_url(&task.client, error))?)
}

/// The items of one reading.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    /// Items that the list announces; none where it does not, or was not read as a whole.
    announced: Option<u64>,
    /// Different items that came.
    distinct: u64,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the walk, and all combinations occur"
)]
struct Walk<'a> {
    task: &'a Task<'a>,
    collection: &'a Collection,
    /// Under which name it is noted where the walk goes on.
    noted_as: String,
    state: WalkState,
    /// What was known of the list before the walk.
    stored: WalkState,
    complete: bool,
    outcome: Collected,
    list_url: Url,
    shift_detection: ShiftDetection,
    read: Read,
    /// Identities of the items of all readings together, once one of them fell short.
    together: HashSet<u64>,
    unended: Unended,
    /// The scope's latest change when the walk began.
    latest: i64,
    /// Dead letters of earlier runs, and of an interrupted part of this walk.
    old: Vec<String>,
    /// Dead letters of this walk.
    buried: HashSet<String>,
    /// True after the first reading.
    again: bool,
    /// Items of this reading that an earlier reading should have had.
    missed: u64,
    /// Some item of this walk has the head of the walk before as a parent.
    joined: bool,
    /// Nothing of the list was stored when the walk began.
    first: bool,
    /// A transaction that takes the next page too, if that arrives at once.
    open: Option<Transaction<'a>>,
}

impl<'a> Walk<'a> {
    async fn new(
        task: &'a Task<'a>,
        collection: &'a Collection,
        plan: &Plan,
    ) -> Result<Self, CollectErrorKind> {
        let stored = walk_state(task, collection).await?;
        let noted_as = match plan.missing {
            Some(_) => older_stream(collection),
            None => collection.stream.to_owned(),
        };
        let noted = walk_state_of(task, &noted_as).await?;
        let old = task.store.dead_items(task.scope, collection.stream).await?;
        let shift_detection =
            ShiftDetection::resumed(noted.resume_query.as_deref(), &plan.question());
        Ok(Self {
            task,
            collection,
            noted_as,
            state: plan.begin(&noted),
            stored,
            complete: plan.complete,
            outcome: Collected::default(),
            list_url: list_url(task, collection)?,
            shift_detection,
            read: Read::default(),
            together: HashSet::new(),
            unended: Unended::load(task, collection).await?,
            latest: task.store.latest_seq(task.scope).await?,
            old,
            buried: HashSet::new(),
            again: false,
            missed: 0,
            joined: false,
            first: task
                .store
                .is_empty(task.scope, &collection.raw_table)
                .await?,
            open: None,
        })
    }

    /// Reads what a head reaches, from this first page on unless a walk goes on elsewhere. Returns
    /// false when nothing of it has the head of the walk before as a parent.
    async fn run_span(
        &mut self,
        plan: &Plan,
        first: Option<(Url, Page)>,
    ) -> Result<bool, CollectErrorKind> {
        let resumed = self.resumed().await?;
        let partly = resumed.is_some();
        self.read(plan, resumed.or(first)).await?;
        // What a head reaches does not move; only a list that announces more than it shows lacks
        // something.
        if self.is_short(plan, partly).await? {
            return Err(self.incomplete(1).into());
        }
        if !self.complete && !self.joined {
            return Ok(false);
        }
        if self.complete {
            self.remove_missing().await?;
        }
        self.finish(plan, partly).await?;
        Ok(true)
    }

    /// Reads the list to its end, from this first page on unless a walk goes on elsewhere. Returns
    /// false, and moves no watermark, when reading all of the list costs less than to ask for each
    /// item that has not ended.
    async fn run(
        &mut self,
        plan: &Plan,
        first: Option<(Url, Page)>,
    ) -> Result<bool, CollectErrorKind> {
        let resumed = self.resumed().await?;
        if resumed.is_none() {
            self.shift_detection = ShiftDetection::default();
        }
        let partly = resumed.is_some();
        self.read(plan, resumed.or(first)).await?;
        self.read_until_complete(plan, partly).await?;
        if self.complete {
            self.remove_missing().await?;
        } else if plan.missing.is_none() && !self.ask_for_unended().await? {
            return Ok(false);
        }
        self.finish(plan, partly).await?;
        Ok(true)
    }

    /// Reads the list again while items may have been missed: those that came or went between two
    /// pages move others past the reader, and an order that is not stable shows some twice and
    /// others not at all. Only a reading during which nothing moved, or one that finds nothing
    /// that those before missed, will do; and as many items as the list announces must have come.
    async fn read_until_complete(
        &mut self,
        plan: &Plan,
        partly: bool,
    ) -> Result<(), CollectErrorKind> {
        let (mut round, mut in_vain) = (1, 0);
        loop {
            let is_short = self.is_short(plan, partly && round == 1).await?;
            let moved = !self.shift_detection.is_steady() && (round == 1 || self.missed > 0);
            if !moved && !is_short {
                return Ok(());
            }
            if moved && round == ROUNDS {
                return Err(CollectErrorKind::Restless(ROUNDS));
            }
            if !moved && (round == READINGS || in_vain == IN_VAIN) {
                return Err(self.incomplete(round).into());
            }
            round += 1;
            self.again = true;
            self.shift_detection = ShiftDetection::default();
            self.missed = 0;
            let before = self.together.len();
            self.read(plan, None).await?;
            in_vain = if self.together.len() == before {
                in_vain + 1
            } else {
                0
            };
        }
    }

    /// Whether fewer items came than the list announces.
    async fn is_short(&self, plan: &Plan, partly: bool) -> Result<bool, CollectErrorKind> {
        let Some(announced) = self.read.announced else {
            return Ok(false);
        };
        if self.read.distinct < announced {
            return Ok((self.together.len() as u64) < announced);
        }
        let left_out = plan.data_after.is_some() && !self.collection.endpoint.created.is_empty();
        if !partly || !self.complete || left_out {
            return Ok(false);
        }
        // The items before the interruption are known for certain by their marks alone.
        let table = &self.collection.raw_table;
        let walk = self.state.walk;
        let seen = self.task.store.seen(self.task.scope, table, walk).await?;
        Ok(seen + (self.buried.len() as u64) < announced)
    }

    fn incomplete(&self, readings: u32) -> RequestError {
        RequestError {
            url: ShownUrl::of(&self.list_url),
            kind: RequestErrorKind::Incomplete {
                announced: self.read.announced.unwrap_or_default(),
                distinct: self.read.distinct.max(self.together.len() as u64),
                readings,
            },
        }
    }

    /// What came of a walk. One that failed at the list itself is not resumed: the next run begins
    /// at the beginning.
    async fn or_given_up<T>(
        &mut self,
        done: Result<T, CollectErrorKind>,
    ) -> Result<T, CollectErrorKind> {
        let is_hopeless = match &done {
            Err(CollectErrorKind::Request(error)) => matches!(
                error.kind,
                RequestErrorKind::Endless { .. }
                    | RequestErrorKind::Incomplete { .. }
                    | RequestErrorKind::Loop
            ),
            _ => false,
        };
        if is_hopeless {
            let state = self.given_up();
            let page = self
                .task
                .store
                .begin(self.task.scope, self.task.now)
                .await?;
            page.set_walk_state(&self.noted_as, &state).await?;
            page.commit().await?;
        }
        done
    }

    /// The watermark as it was before the walk, and nothing to be resumed.
    fn given_up(&self) -> WalkState {
        WalkState {
            resume_at: None,
            resume_query: None,
            resume_since: None,
            ..self.state.clone()
        }
    }

    async fn commit(&mut self) -> Result<(), CollectErrorKind> {
        if let Some(open) = self.open.take() {
            open.commit().await?;
        }
        Ok(())
    }

    /// Writes a page together with where the walk goes on. From a fast server several pages of a
    /// first walk share a transaction, and from a slow one each is stored at once.
    async fn stage(
        &mut self,
        items: Vec<RawItem>,
        date: Option<DateTime<Utc>>,
    ) -> Result<(), CollectErrorKind> {
        let received = items.len() as u64;
        let store = self.task.store;
        let listing = Listing {
            collection: self.collection,
            children: self.task.children,
            url: self.list_url.as_str(),
            parent: "",
            longest: store.longest_item(),
        };
        let (new, letters) = listing.keyed(items);
        let table = &self.collection.raw_table;
        let keys: Vec<String> = new.iter().map(|item| item.key.clone()).collect();
        let known = if self.first && !self.again {
            StoredItems::new()
        } else {
            store.stored_items(self.task.scope, table, &keys).await?
        };
        if self.again {
            self.missed += self.missed_before(&new, &known);
        }
        let now = date.unwrap_or(self.task.now);
        let (begun, ended) = self.unended.sort(&new);
        let mut page = match self.open.take() {
            Some(open) => open,
            None => store.begin(self.task.scope, now).await?,
        };
        let walk = self.complete.then_some(self.state.walk);
        let changes = page.write_items(table, new, &known, walk).await?;
        page.record_letters(&letters).await?;
        let step = self.collection.unended_step();
        page.add_work(&step, begun).await?;
        page.finish_work(&step, &ended)?;
        page.set_walk_state(&self.noted_as, &self.state).await?;
        if self.first && !self.again {
            self.open = page.go_on().await?;
        } else {
            page.commit().await?;
        }
        let items = letters.iter().map(|letter| named(&letter.item));
        self.buried.extend(items);
        self.outcome.items += received;
        self.outcome.written += changes.written;
        self.outcome.rejected += letters.len() as u64;
        (self.task.progress)(Progress {
            items: received,
            ..Progress::default()
        });
        Ok(())
    }

    /// Items that are new or different, though they did not change since the walk began.
    fn missed_before(&self, items: &[NewItem], known: &StoredItems) -> u64 {
        let began = self.state.resume_since;
        let endpoint = &self.collection.endpoint;
        let missed = items.iter().filter(|item| {
            let stored = known.get(&(item.parent.clone(), item.key.clone()));
            let is_same = stored.is_some_and(|stored| stored.content_hash == item.content_hash);
            let changed_at = shift_detection::changed_at(&item.data, endpoint);
            !is_same && changed_at.is_none_or(|at| Some(at) < began)
        });
        missed.count() as u64
    }

    /// What is known of the list after the walk. The next one begins where this one began: what has
    /// not ended by then is asked for one by one. The part that a wider range lacked says nothing
    /// of what changed since.
    fn known_after(&self, plan: &Plan) -> WalkState {
        if plan.missing.is_some() {
            return WalkState {
                data_after: plan.data_after,
                ..self.stored.clone()
            };
        }
        WalkState {
            since: self.state.resume_since,
            data_after: plan.data_after,
            complete: true,
            walk: self.state.walk,
            ..WalkState::default()
        }
    }

    /// The watermark moves only now, when the whole list was read; and not past an item that
    /// could not be stored, so that the next run asks for it again.
    async fn finish(&mut self, plan: &Plan, partly: bool) -> Result<(), CollectErrorKind> {
        let tried_again = !partly;
        let mut dead = !self.buried.is_empty();
        let mut settled = Vec::new();
        if tried_again {
            let old = std::mem::take(&mut self.old);
            settled = old
                .into_iter()
                .filter(|item| !self.buried.contains(item))
                .collect();
        } else {
            // Whether the first part of the walk saw them is not known.
            dead |= !self.old.is_empty();
        }
        let length = self.settled_length(plan).await?;
        let page = self
            .task
            .store
            .begin(self.task.scope, self.task.now)
            .await?;
        if let Some(length) = length.filter(|_| !dead) {
            let step = self.collection.settled_step();
            page.set_checkpoint(&step, &length).await?;
        }
        page.resolve_letters(self.collection.stream, &settled)
            .await?;
        if dead || plan.missing.is_some() {
            page.set_walk_state(&self.noted_as, &self.given_up())
                .await?;
        }
        if !dead {
            let known = self.known_after(plan);
            page.set_walk_state(self.collection.stream, &known).await?;
        }
        if let Some(span) = plan.span.as_ref().filter(|_| !dead) {
            let reached = Checkpoint {
                rules: span.head.clone(),
                ..Checkpoint::default()
            };
            let step = self.collection.heads_step();
            page.set_checkpoint(&step, &reached).await?;
        }
        page.commit().await?;
        Ok(())
    }
}
