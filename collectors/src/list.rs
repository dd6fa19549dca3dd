//! The walk over a list of the scope itself: repositories, pull requests.

mod absence;
mod heads;
mod plan;
mod steadiness;
mod widening;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::Page as Transaction;
use headwater_store::dead_letters::named;
use headwater_store::progress::{Checkpoint, WalkKey, WalkState};
use headwater_store::raw::{NewItem, StoredItems};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use url::Url;

use crate::bounds;
use crate::endpoint::{Collection, Paging};
use crate::engine::{Listing, Outcome, Page, Progress, Task, Trail, bad_url, fetch};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind, Verdict};
use crate::page::{Items, RawItem};

use plan::Plan;
use steadiness::Steadiness;

/// Times that a list is read in one run, at most, because it changed between its pages.
const ROUNDS: u32 = 4;

/// How long a transaction waits for a further page.
const GATHERING: Duration = Duration::from_millis(10);

/// Overlap of one walk with the one before: the server's clock has whole seconds, and an item
/// may become visible a little after the time it carries.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

/// Adds what it did to the outcome, also when it fails halfway.
pub(crate) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    outcome: &mut Outcome,
) -> Result<(), CollectErrorKind> {
    if let Some(heads) = collection.endpoint.heads {
        return heads::collect(task, collection, heads, outcome).await;
    }
    let mut stored = walk_state(task, collection).await?;
    if let Some((plan, first)) = widening::plan(task, collection, &stored).await? {
        let mut walk = Walk::new(task, collection, &plan).await?;
        let done = walk.run(&plan, first).await;
        outcome.add(walk.outcome);
        done?;
        stored = walk_state(task, collection).await?;
    }
    let plan = Plan::new(task, collection, &stored);
    let mut walk = Walk::new(task, collection, &plan).await?;
    let done = walk.run(&plan, None).await;
    outcome.add(walk.outcome);
    done
}

async fn walk_state(
    task: &Task<'_>,
    collection: &Collection,
) -> Result<WalkState, CollectErrorKind> {
    let key = WalkKey {
        scope: task.scope,
        stream: collection.stream,
    };
    Ok(task.store.walk_state(key).await?)
}

fn list_url(task: &Task<'_>, collection: &Collection) -> Result<Url, CollectErrorKind> {
    let url = collection.list_url(task.client.endpoint(), task.scope, "");
    Ok(url.map_err(|error| bad_url(&task.client, error))?)
}

/// A page on its way.
type Aside = AbortOnDropHandle<Result<Page, RequestError>>;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the walk, and all combinations occur"
)]
struct Walk<'a> {
    task: &'a Task<'a>,
    collection: &'a Collection,
    state: WalkState,
    /// What was known before the walk.
    stored: WalkState,
    complete: bool,
    outcome: Outcome,
    list_url: Url,
    steadiness: Steadiness,
    /// Dead letters of earlier runs, and of an interrupted part of this walk.
    old: Vec<String>,
    /// Dead letters of this walk.
    buried: HashSet<String>,
    /// True after the first reading.
    again: bool,
    /// Items of this reading that an earlier reading should have brought.
    missed: u64,
    /// Some item of this walk stands on the head of the walk before.
    joined: bool,
    /// When the oldest item that was met and has not ended was created (UTC).
    unended: Option<DateTime<Utc>>,
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
        let old = task.store.dead_items(task.scope, collection.stream).await?;
        let steadiness = Steadiness::resumed(stored.resume_query.as_deref(), &plan.question());
        Ok(Self {
            task,
            collection,
            state: plan.begin(&stored),
            stored,
            complete: plan.complete,
            outcome: Outcome::default(),
            list_url: list_url(task, collection)?,
            steadiness,
            old,
            buried: HashSet::new(),
            again: false,
            missed: 0,
            joined: false,
            unended: None,
            first: task
                .store
                .is_empty(task.scope, &collection.raw_table)
                .await?,
            open: None,
        })
    }

    /// Reads what a head reaches, from this first page on unless a walk goes on elsewhere. Returns
    /// false when nothing of it stands on the head of the walk before.
    async fn run_span(
        &mut self,
        plan: &Plan,
        first: Option<(Url, Page)>,
    ) -> Result<bool, CollectErrorKind> {
        let resumed = self.resumed().await?;
        let partly = resumed.is_some();
        self.read(plan, resumed.or(first)).await?;
        if !self.complete && !self.joined {
            return Ok(false);
        }
        if self.complete {
            self.remove_missing().await?;
        }
        self.finish(plan, partly).await?;
        Ok(true)
    }

    /// Reads the list to its end, from this first page on unless a walk goes on elsewhere.
    async fn run(
        &mut self,
        plan: &Plan,
        first: Option<(Url, Page)>,
    ) -> Result<(), CollectErrorKind> {
        let resumed = self.resumed().await?;
        if resumed.is_none() {
            self.steadiness = Steadiness::default();
        }
        let partly = resumed.is_some();
        self.read(plan, resumed.or(first)).await?;
        let mut round = 1;
        // Items that came or went between two pages move others past the reader. Only a reading
        // during which nothing moved, or one that finds nothing the ones before missed, will do.
        while !self.steadiness.is_steady() && (round == 1 || self.missed > 0) {
            if round == ROUNDS {
                return Err(CollectErrorKind::Restless(ROUNDS));
            }
            round += 1;
            self.again = true;
            self.steadiness = Steadiness::default();
            self.missed = 0;
            self.read(plan, None).await?;
        }
        if self.complete {
            self.remove_missing().await?;
        }
        self.finish(plan, partly).await
    }

    /// Reads the list once, from the given page on or from the beginning. What has arrived is
    /// stored, also when the rest does not arrive.
    async fn read(
        &mut self,
        plan: &Plan,
        resumed: Option<(Url, Page)>,
    ) -> Result<(), CollectErrorKind> {
        let done = self.read_pages(plan, resumed).await;
        let committed = self.commit().await;
        done.and(committed)
    }

    async fn read_pages(
        &mut self,
        plan: &Plan,
        resumed: Option<(Url, Page)>,
    ) -> Result<(), CollectErrorKind> {
        let mut trail = Trail::default();
        let (first, mut page) = if let Some(resumed) = resumed {
            resumed
        } else {
            let first = plan.first_url(self.collection, &self.list_url);
            let page = self.first_page(&first).await?;
            (first, page)
        };
        trail.step(&first)?;
        let began = self.state.resume_since;
        let began = began.or(page.date).unwrap_or(self.task.now);
        self.state.resume_since = Some(began);
        // A later reading began later: what changed before it cannot move during it.
        let reading = page.date.unwrap_or(began).max(began);
        loop {
            let endpoint = &self.collection.endpoint;
            self.steadiness.page(&page.items, endpoint, reading);
            self.state.resume_query = Some(self.steadiness.noted(&plan.question()));
            let mut items = std::mem::take(&mut page.items.items);
            let span = plan.span.as_ref();
            self.joined |= span.is_some_and(|span| items.iter().any(|it| span.is_joined_by(it)));
            let date = page.date;
            let known = bounds::reaches(endpoint, &items, plan.lower);
            bounds::note_unended(endpoint, &items, &mut self.unended);
            bounds::leave_out_older(endpoint, &mut items, plan.data_after);
            let Some(next) = page.items.next.take().filter(|_| !known) else {
                return self.stage(items, date).await;
            };
            let next = self.task.client.own_url(&next)?;
            trail.step(&next)?;
            self.state.resume_at = Some(next.to_string());
            // The next page is on its way while this one is written.
            let mut fetched = self.fetch_aside(next);
            self.stage(items, date).await?;
            let soon = tokio::time::timeout(GATHERING, &mut fetched).await;
            let soon = if let Ok(fetched) = soon {
                fetched
            } else {
                self.commit().await?;
                fetched.await
            };
            // Only a runtime that is shutting down ends it early.
            let fetched = soon.map_err(|_| CollectErrorKind::Cancelled)?;
            page = fetched.map_err(continued)?;
        }
    }

    /// The page where an interrupted walk stopped. None when there is no such walk, or the page is
    /// gone because the list became shorter: then the walk starts over.
    async fn resumed(&mut self) -> Result<Option<(Url, Page)>, RequestError> {
        let Some(address) = self.state.resume_at.take() else {
            return Ok(None);
        };
        let found = match self.task.client.own_url(&address) {
            Ok(url) => self.first_page(&url).await.map(|page| (url, page)),
            Err(error) => Err(error),
        };
        match found {
            Ok(resumed) => {
                self.state.resume_at = Some(address);
                Ok(Some(resumed))
            }
            Err(error) => match error.kind.verdict() {
                Verdict::Skip | Verdict::Fail => {
                    self.state.walk += 1;
                    self.state.resume_since = None;
                    Ok(None)
                }
                Verdict::Retry | Verdict::Stop => Err(error),
            },
        }
    }

    async fn first_page(&self, url: &Url) -> Result<Page, RequestError> {
        if let (Some(item), Paging::Single) =
            (&self.task.prefetched, self.collection.endpoint.paging)
        {
            let items = Items {
                items: vec![item.clone()],
                size: Some(1),
                ..Items::default()
            };
            return Ok(Page { items, date: None });
        }
        fetch(&self.task.client, &self.task.cancel, self.collection, url).await
    }

    /// Fetches a page on another thread; it ends with the walk.
    fn fetch_aside(&self, url: Url) -> Aside {
        let client = self.task.client.clone();
        let cancel = self.task.cancel.clone();
        let collection = self.collection.clone();
        let fetched = async move { fetch(&client, &cancel, &collection, &url).await };
        AbortOnDropHandle::new(tokio::spawn(fetched.in_current_span()))
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
        let mut page = match self.open.take() {
            Some(open) => open,
            None => store.begin(self.task.scope, now).await?,
        };
        let walk = self.complete.then_some(self.state.walk);
        let changes = page.write_items(table, new, &known, walk).await?;
        page.bury(&letters).await?;
        page.set_walk_state(self.collection.stream, &self.state)
            .await?;
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
            let changed_at = steadiness::changed_at(&item.data, endpoint);
            !is_same && changed_at.is_none_or(|at| Some(at) < began)
        });
        missed.count() as u64
    }

    /// Where the next walk begins. It stays before what has not ended; where the first part of the
    /// walk was read by another run, what that part met is not known, and it does not move.
    fn watermark(&self, plan: &Plan, partly: bool) -> Option<DateTime<Utc>> {
        if let Some(missing) = &plan.missing {
            return missing.watermark(plan, (&self.stored, self.unended), partly);
        }
        if partly && self.collection.endpoint.newest_first.is_some() {
            return self.stored.since;
        }
        let began = self.state.resume_since;
        began.map(|began| self.unended.map_or(began, |unended| unended.min(began)))
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
        let done = if dead {
            WalkState {
                walk: self.state.walk,
                resume_at: None,
                resume_query: None,
                resume_since: None,
                ..self.stored.clone()
            }
        } else {
            WalkState {
                since: self.watermark(plan, partly),
                data_after: plan.data_after,
                complete: true,
                walk: self.state.walk,
                ..WalkState::default()
            }
        };
        let page = self
            .task
            .store
            .begin(self.task.scope, self.task.now)
            .await?;
        page.settle(self.collection.stream, &settled).await?;
        page.set_walk_state(self.collection.stream, &done).await?;
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

/// A continuation page that is missing would leave a partial list: never skipped.
fn continued(error: crate::error::RequestError) -> CollectErrorKind {
    let kind = match error.kind {
        RequestErrorKind::NotFound { message } => RequestErrorKind::Refused {
            status: 404,
            message,
        },
        RequestErrorKind::Forbidden { message } => RequestErrorKind::Refused {
            status: 403,
            message,
        },
        kind => kind,
    };
    CollectErrorKind::Request(crate::error::RequestError { kind, ..error })
}
