//! The walk over a list of the scope itself: repositories, pull requests.

mod heads;
mod steadiness;
mod widening;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use headwater_store::Page as Transaction;
use headwater_store::dead_letters::named;
use headwater_store::progress::{Checkpoint, WalkKey, WalkState};
use headwater_store::raw::{NewItem, StoredItems};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::bounds;
use crate::endpoint::{Collection, Paging, Since};
use crate::engine::{Outcome, Page, Progress, Task, Trail, bad_url, fetch, keyed};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind, Verdict};
use crate::page::{Items, RawItem};

use heads::Span;
use steadiness::Steadiness;
use widening::Missing;

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

/// What a walk asks for.
struct Plan {
    /// Only items that changed at this time or later (UTC).
    lower: Option<DateTime<Utc>>,
    /// True when the walk sees every item in range, so that what it misses is gone.
    complete: bool,
    data_after: Option<DateTime<Utc>>,
    /// Which commits, of a list that has heads.
    span: Option<Span>,
    /// The part of the range that is not known yet, where only that is asked for.
    missing: Option<Missing>,
}

impl Plan {
    fn new(task: &Task<'_>, collection: &Collection, stored: &WalkState) -> Self {
        let data_after = task.range.data_after;
        // A range that reaches further back than what was walked makes everything new, where the
        // part that is missing cannot be asked for alone.
        let widened = widening::is_wider(data_after, stored);
        let incremental = stored.complete && !widened && !task.range.full;
        let newest_first = collection.endpoint.newest_first;
        let again = newest_first.map(|newest| TimeDelta::hours(newest.again_hours));
        let since = stored
            .since
            .filter(|_| incremental)
            .map(|since| since - again.unwrap_or(OVERLAP));
        let filtered = collection.endpoint.since.is_some() || newest_first.is_some();
        Self {
            lower: since.max(data_after).filter(|_| filtered),
            complete: since.is_none() || !filtered,
            data_after,
            span: None,
            missing: None,
        }
    }

    /// The question as text: an interrupted walk is resumed only for the same question.
    fn question(&self) -> String {
        if let Some(span) = &self.span {
            return span.question();
        }
        let lower = self.lower.map(|time| time.to_rfc3339());
        let upper = self.missing.as_ref().map_or_else(String::new, |missing| {
            format!(" upper={}", missing.upper.to_rfc3339())
        });
        format!(
            "complete={} lower={}{upper}",
            self.complete,
            lower.unwrap_or_default()
        )
    }

    fn begin(&self, stored: &WalkState) -> WalkState {
        let mut state = stored.clone();
        let asked = stored.resume_query.as_deref().map(steadiness::question);
        if state.resume_at.is_none() || asked != Some(self.question().as_str()) {
            state.walk += 1;
            state.resume_at = None;
            state.resume_since = None;
        }
        state
    }

    fn first_url(&self, collection: &Collection, list_url: &Url) -> Url {
        if let Some(span) = &self.span {
            return span.first_url(list_url);
        }
        let mut url = list_url.clone();
        let since = collection.endpoint.since;
        let lower = since
            .zip(self.lower)
            .map(|(since, lower)| lower_bound(since, lower));
        let upper = since
            .zip(self.missing.as_ref())
            .map(|(since, missing)| missing.filter(since));
        let filter: Vec<String> = lower.into_iter().chain(upper).collect();
        if !filter.is_empty() {
            url.query_pairs_mut()
                .append_pair("q", &filter.join(" AND "));
        }
        if let Some(page) = self.missing.as_ref().and_then(|missing| missing.page) {
            url.query_pairs_mut().append_pair("page", &page.to_string());
        }
        url
    }
}

/// The filter that leaves out what did not change at a time or later.
pub(crate) fn lower_bound(since: Since, lower: DateTime<Utc>) -> String {
    // `Z` instead of an offset: a plus sign would need escaping twice on some servers.
    let lower = lower.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!("{}>={lower}", since.field)
}

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
            let since = self.collection.endpoint.since;
            self.steadiness.page(&page.items, since, reading);
            self.state.resume_query = Some(self.steadiness.noted(&plan.question()));
            let mut items = std::mem::take(&mut page.items.items);
            let span = plan.span.as_ref();
            self.joined |= span.is_some_and(|span| items.iter().any(|it| span.is_joined_by(it)));
            let date = page.date;
            let endpoint = &self.collection.endpoint;
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
        AbortOnDropHandle::new(tokio::spawn(fetched))
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
        let (new, letters) = keyed(
            (self.collection, self.task.children),
            self.list_url.as_str(),
            "",
            items,
        );
        let store = self.task.store;
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
        if self.first && !self.again && page.has_room() {
            page.flush().await?;
            self.open = Some(page);
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
        let since = self.collection.endpoint.since;
        let missed = items.iter().filter(|item| {
            let stored = known.get(&(item.parent.clone(), item.key.clone()));
            let is_same = stored.is_some_and(|stored| stored.content_hash == item.content_hash);
            let changed_at = steadiness::changed_at(&item.data, since);
            !is_same && changed_at.is_none_or(|at| Some(at) < began)
        });
        missed.count() as u64
    }

    /// Asks for every item the walk did not see: lists shift while they are read.
    async fn remove_missing(&mut self) -> Result<(), CollectErrorKind> {
        let table = &self.collection.raw_table;
        let store = self.task.store;
        let missing = store
            .not_seen(self.task.scope, table, self.state.walk)
            .await?;
        for (id, key) in missing {
            match self.still_there(&key).await? {
                Some(item) => {
                    let item = vec![item];
                    bounds::note_unended(&self.collection.endpoint, &item, &mut self.unended);
                    self.stage(item, None).await?;
                    self.commit().await?;
                }
                None => self.remove(id, &key).await?,
            }
        }
        Ok(())
    }

    async fn still_there(&self, key: &str) -> Result<Option<RawItem>, CollectErrorKind> {
        let client = &self.task.client;
        let url = self
            .collection
            .item_url(client.endpoint(), self.task.scope, key);
        let Some(url) = url.map_err(|error| bad_url(client, error))? else {
            // A list of one item whose key changed: the old one is no longer there.
            return Ok(None);
        };
        let single = Collection {
            endpoint: crate::endpoint::Endpoint {
                paging: Paging::Single,
                ..self.collection.endpoint
            },
            ..self.collection.clone()
        };
        match fetch(client, &self.task.cancel, &single, &url).await {
            Ok(mut page) => Ok(page.items.items.pop()),
            Err(error) => match error.kind {
                // With the number of a change the endpoint is gone, not the item.
                RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { change: None, .. } => {
                    Ok(None)
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Removes an item with all its children, in one transaction.
    async fn remove(&mut self, id: i64, key: &str) -> Result<(), CollectErrorKind> {
        let mut settled = Vec::new();
        for child in self.task.children {
            let dead = self.task.store.dead_items(self.task.scope, child.stream);
            let mut dead = dead.await?;
            dead.retain(|item| {
                item.split_once('/')
                    .is_some_and(|(parent, _)| parent == key)
            });
            settled.push((child.stream, dead));
        }
        let mut page = self
            .task
            .store
            .begin(self.task.scope, self.task.now)
            .await?;
        for child in self.task.children {
            let child_stream = (child.raw_table.as_str(), child.stream);
            self.outcome.removed += page.remove_children(child_stream, key).await?;
        }
        for (stream, items) in settled {
            page.settle(stream, &items).await?;
        }
        page.remove_items(&self.collection.raw_table, &[id]).await?;
        page.commit().await?;
        self.outcome.removed += 1;
        Ok(())
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
