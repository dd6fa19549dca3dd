//! What a run is going to cost: requests, and time under the rate limit.
//!
//! It is shown before collecting begins, from what the database knows. Of a list that was never
//! read only the server knows the length; it is asked where that is cheap.

use std::fmt;

use chrono::{DateTime, Local, TimeDelta, TimeZone, Utc};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use headwater_collectors::{
    Budget, Chosen, Client, Collection, Moment, Paging, Range, chosen_lists, costs_nothing,
    list_size,
};
use headwater_store::forecast::ChildLists;
use headwater_store::progress::{WalkKey, WalkState};
use headwater_store::{Store, StoreError};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::plan::{Depth, Plan};
use crate::report::{counted, times, with_commas};
use crate::run::Job;

/// Of a budget's requests one in so many may go into asking for lengths.
const PART_FOR_ASKING: u32 = 50;

/// Items that have not ended counted at most, of one list.
const MOST_UNENDED: usize = 1000;

/// Budget of an hour above which no limit matters, so that the ledger is not asked.
const ENDLESS: u32 = 100_000;

/// What collecting is going to cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Requests to be sent.
    pub requests: u64,
    /// True when more may follow from what these bring.
    pub at_least: bool,
    /// Time that the rate limit makes of it; none where there is no limit by the hour.
    pub seconds: Option<u64>,
    /// Requests allowed in any hour; none where there is no limit by the hour.
    pub per_hour: Option<u32>,
    /// Requests of the last hour.
    pub used: u64,
    /// When the last request is sent (UTC); none where there is no limit by the hour.
    pub finishes_at: Option<DateTime<Utc>>,
}

/// What an estimate is made from.
pub struct Basis<'a> {
    /// The database.
    pub store: &'a Store,
    /// What is going to run.
    pub plan: &'a Plan,
    /// Only the cost of this stream, and of those that hang on it; none for that of all.
    pub only: Option<&'static str>,
    /// Ends everything.
    pub cancel: &'a CancellationToken,
    /// The time (UTC).
    pub now: DateTime<Utc>,
}

/// What is known of one repository before it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownLists {
    /// Requests that are certain.
    certain: u64,
    /// A list that is read as a whole: its length, unless it is unknown.
    whole: Vec<Whole>,
    /// A list of changes: how many there are is not known.
    changes: bool,
}

impl KnownLists {
    /// Streams whose lists have not been counted.
    fn unknown(&self) -> impl Iterator<Item = &'static str> {
        let unknown = self.whole.iter().filter(|whole| whole.length.is_none());
        unknown.map(|whole| whole.stream)
    }
}

/// A list that is read as a whole, with the lists that hang on its items.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole {
    stream: &'static str,
    length: Option<u64>,
    /// Items that are known and not read again, of a range that became wider.
    stored: u64,
    page: u64,
    /// Requests for the lists that are read for each item.
    children: u64,
    /// Lists of these streams, where the items are known.
    below: Option<u64>,
}

impl Whole {
    fn requests(&self, length: u64) -> u64 {
        let below = self.below.unwrap_or(length * self.children);
        length.div_ceil(self.page).max(1) + below
    }
}

/// What a connection's repositories are going to cost.
///
/// # Errors
/// When the database fails.
pub async fn estimate(basis: &Basis<'_>, jobs: &[&Job]) -> Result<Estimate, StoreError> {
    let Some(client) = jobs.first().and_then(|job| job.client.as_ref()) else {
        return Ok(Estimate::default());
    };
    let mut known = Vec::with_capacity(jobs.len());
    for job in jobs {
        known.push(basis.known(job).await?);
    }
    let before = client.rate_limiter().budget().await?;
    if let Some(budget) = before.filter(|budget| budget.per_hour <= ENDLESS) {
        ask(basis, jobs, &mut known, budget).await;
    }
    let (requests, at_least) = sum(&known);
    within_limit(client, (requests, at_least), basis.now).await
}

/// What the plan's streams of one repository are going to cost, as far as the tables say: requests,
/// and whether more may follow. Nothing is asked.
///
/// # Errors
/// When the database fails.
pub async fn from_tables(basis: &Basis<'_>, job: &Job) -> Result<(u64, bool), StoreError> {
    Ok(sum(&[basis.known(job).await?]))
}

/// So many requests under the rate limit of a client, with the time that it makes of them.
///
/// # Errors
/// When the database fails.
pub async fn within_limit(
    client: &Client,
    (requests, at_least): (u64, bool),
    now: DateTime<Utc>,
) -> Result<Estimate, StoreError> {
    let budget = client.rate_limiter().budget().await?;
    Ok(under((requests, at_least), budget.as_ref(), now))
}

fn under(
    (requests, at_least): (u64, bool),
    budget: Option<&Budget>,
    now: DateTime<Utc>,
) -> Estimate {
    let seconds = budget.map(|budget| budget.seconds(requests));
    let time = |seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?);
    Estimate {
        requests,
        at_least,
        seconds,
        per_hour: budget.map(|budget| budget.per_hour),
        used: budget.map_or(0, Budget::used),
        finishes_at: seconds
            .and_then(time)
            .and_then(|time| now.checked_add_signed(time)),
    }
}

impl Basis<'_> {
    /// What the database knows.
    async fn known(&self, job: &Job) -> Result<KnownLists, StoreError> {
        let mut known = KnownLists::default();
        let chosen =
            |stream: &str| self.plan.streams.contains(&stream) && job.streams.contains(stream);
        let streams = job.source.streams_of(&job.scope);
        let read: Vec<&'static str> = streams
            .map(|entry| entry.collection.stream)
            .filter(|stream| chosen(stream))
            .collect();
        for entry in job.source.streams_of(&job.scope) {
            let collection = &entry.collection;
            let is_meant = self.only.is_none_or(|only| only == collection.stream);
            if !chosen(collection.stream) || collection.parent.is_some() || !is_meant {
                continue;
            }
            if self.is_known(job, &read, collection).await? {
                known.changes = true;
                continue;
            }
            if collection.endpoint.paging == Paging::Single {
                known.certain += u64::from(job.prefetched.is_none());
                continue;
            }
            let children = job.source.children_of(collection.stream);
            let children: Vec<Collection> = children
                .into_iter()
                .filter(|child| chosen(child.stream))
                .collect();
            let key = WalkKey {
                scope: &job.scope,
                stream: collection.stream,
            };
            let walked = self.store.walk_state(key).await?;
            let named = self.lists_named(job, collection.stream).await?;
            let lists = Lists {
                job,
                collection,
                children: &children,
                named,
            };
            if !walked.complete {
                // How many of its items are chosen shows when others are read.
                known.changes |= children.iter().any(|child| {
                    choice_of(job, child)
                        .is_some_and(|by| !chosen(by.stream) || (by.looks_at_names)(&job.rules))
                });
            }
            let whole = self.plan.depth != Depth::Changes;
            let uncounted =
                collection.endpoint.optional || collection.endpoint.commit_range.is_some();
            if uncounted && !walked.complete {
                // Asking for its length costs what reading it costs, or does not tell it.
                let there = self.may_be_there(job, collection).await?;
                known.certain += u64::from(there);
            } else if !whole && is_widened_in_part(collection, &walked, job.data_after) {
                self.count_changes(&mut known, &lists).await?;
                let table = &collection.raw_table;
                let mut missing = self.whole(&lists, &walked).await?;
                missing.stored = self.store.scope_rows(&job.scope, table).await?;
                known.whole.push(missing);
            } else if is_whole(&walked, job.data_after, whole) {
                known.whole.push(self.whole(&lists, &walked).await?);
            } else {
                self.count_changes(&mut known, &lists).await?;
            }
        }
        Ok(known)
    }

    /// Whether the run asks nothing for a list unless another one, or a head, shows that it changed.
    async fn is_known(
        &self,
        job: &Job,
        read: &[&'static str],
        collection: &Collection,
    ) -> Result<bool, StoreError> {
        let moment = Moment {
            store: self.store,
            scope: &job.scope,
            range: Range {
                data_after: job.data_after,
                full: self.plan.depth != Depth::Changes,
                ..Range::default()
            },
            read,
            now: self.now,
        };
        costs_nothing(&moment, collection).await
    }

    /// A list of changes, and the lists of items that an earlier run left to be read.
    async fn count_changes(
        &self,
        known: &mut KnownLists,
        lists: &Lists<'_>,
    ) -> Result<(), StoreError> {
        known.changes = true;
        known.certain += 1;
        if lists.collection.endpoint.ended.is_some() {
            let step = lists.collection.unended_step();
            let noted = self.store.work(&lists.job.scope, &step, "", MOST_UNENDED);
            let noted = noted.await?;
            // Those that wait for another item begin with its key.
            let asked = noted.iter().filter(|note| note.starts_with(' '));
            known.certain += asked.count() as u64;
        }
        for child in lists.children {
            let step = child.children_step();
            let done = self.store.checkpoint(&lists.job.scope, &step).await?;
            // Read under another rule: all parents are looked at again.
            let seq = if done.rules.is_empty() { done.seq } else { 0 };
            known.certain += self.lists(lists, child, Some(seq)).await?;
        }
        Ok(())
    }

    /// False for the commits of a repository without a push.
    async fn may_be_there(&self, job: &Job, collection: &Collection) -> Result<bool, StoreError> {
        let Some(table) = &collection.head_table else {
            return Ok(true);
        };
        if let Some(item) = &job.prefetched {
            return Ok(collection.names_branch(&item.0));
        }
        let rows = self
            .store
            .changed_items(&job.scope, table, (0, 0), 8)
            .await?;
        let newest = rows.last();
        Ok(newest.is_none_or(|row| collection.names_branch(&row.data)))
    }

    /// What is known of a list that is read as a whole: something when that was done before.
    async fn whole(&self, lists: &Lists<'_>, walked: &WalkState) -> Result<Whole, StoreError> {
        let mut whole = Whole {
            stream: lists.collection.stream,
            length: None,
            stored: 0,
            page: lists.collection.page_length(),
            children: lists.named,
            below: None,
        };
        let children = lists.children.iter();
        let unchosen = children.filter(|child| choice_of(lists.job, child).is_none());
        whole.children += unchosen.map(requests_of_a_list).sum::<u64>();
        if walked.complete && !walked.is_exceeded_by(lists.job.data_after) {
            let table = &lists.collection.raw_table;
            whole.length = Some(self.store.scope_rows(&lists.job.scope, table).await?);
            let mut below = 0;
            for child in lists.children {
                below += self.lists(lists, child, None).await?;
            }
            whole.below = Some(below);
        }
        Ok(whole)
    }

    /// Requests for lists that each item of a stream causes by naming their parent, where these
    /// parents are not known yet.
    async fn lists_named(&self, job: &Job, stream: &str) -> Result<u64, StoreError> {
        let mut requests = 0;
        for entry in job.source.streams_of(&job.scope) {
            let child = &entry.collection;
            let wanted =
                self.plan.streams.contains(&child.stream) && job.streams.contains(child.stream);
            let is_named = choice_of(job, child).is_some_and(|by| by.stream == stream);
            let Some((parent, _)) = child.parent.as_ref().filter(|_| wanted && is_named) else {
                continue;
            };
            let key = WalkKey {
                scope: &job.scope,
                stream: parent.stream,
            };
            if !self.store.walk_state(key).await?.complete {
                requests += requests_of_a_list(child);
            }
        }
        Ok(requests)
    }

    /// Lists of a child stream: those that an earlier run left to be read, or all of them.
    async fn lists(
        &self,
        lists: &Lists<'_>,
        child: &Collection,
        pending_after: Option<i64>,
    ) -> Result<u64, StoreError> {
        let place = (self.store, &lists.job.scope);
        let all = pending_after.is_none();
        if let Some(chosen) = chosen_lists(place, child, &lists.job.rules, all).await? {
            return Ok(chosen * requests_of_a_list(child));
        }
        let wanted = ChildLists {
            parent_table: &lists.collection.raw_table,
            stream: child.stream,
            count: child.parent.as_ref().and_then(|(parent, _)| parent.count),
            pending_after,
        };
        let lists = self.store.lists_to_read(&lists.job.scope, wanted).await?;
        Ok(lists * requests_of_a_list(child))
    }
}

/// Requests that the list of one parent takes, where it has one page.
fn requests_of_a_list(child: &Collection) -> u64 {
    1 + child.endpoint.redirects
}

/// What chooses the parents whose lists of a child stream are read; none where all are.
fn choice_of<'c>(job: &Job, child: &'c Collection) -> Option<&'c Chosen> {
    let (chosen, _) = child.chosen.as_ref()?;
    (!(chosen.fingerprint)(&job.rules).is_empty()).then_some(chosen)
}

/// A list of a repository, with the streams whose lists hang on its items.
struct Lists<'a> {
    job: &'a Job,
    collection: &'a Collection,
    children: &'a [Collection],
    /// Requests for lists that each of its items causes by naming their parent.
    named: u64,
}

/// True when only the part of a wider range that is missing is read, as collecting decides it.
fn is_widened_in_part(
    collection: &Collection,
    walked: &WalkState,
    data_after: Option<DateTime<Utc>>,
) -> bool {
    let by_time = collection.endpoint.is_by_time();
    by_time && walked.complete && walked.since.is_some() && walked.is_exceeded_by(data_after)
}

/// True when the walk reads the whole list, as collecting decides it.
fn is_whole(walked: &WalkState, data_after: Option<DateTime<Utc>>, full: bool) -> bool {
    full || !walked.complete || walked.is_exceeded_by(data_after)
}

/// Asks the server how long lists are that were never read: a few, spread over all of them.
async fn ask(basis: &Basis<'_>, jobs: &[&Job], known: &mut [KnownLists], budget: Budget) {
    let unknown = |place: &usize| known[*place].unknown().next().is_some();
    let places: Vec<usize> = (0..known.len()).filter(unknown).collect();
    let may_ask = usize::try_from((budget.per_hour / PART_FOR_ASKING).max(1)).unwrap_or(1);
    let every = places.len().div_ceil(may_ask).max(1);
    let asked: Vec<(usize, &'static str)> = places
        .into_iter()
        .step_by(every)
        .flat_map(|place| known[place].unknown().map(move |stream| (place, stream)))
        .collect();
    // Collected and boxed, so that the compiler sees that a run can be spawned.
    let asked: Vec<BoxFuture<'_, _>> = asked
        .into_iter()
        .map(|(place, stream)| length_of(basis, (place, jobs[place]), stream).boxed())
        .collect();
    let mut answers = stream::iter(asked).buffer_unordered(8);
    while let Some((place, stream, length)) = answers.next().await {
        let mut whole = known[place].whole.iter_mut();
        if let Some(whole) = whole.find(|whole| whole.stream == stream) {
            whole.length = length.map(|length| length.saturating_sub(whole.stored));
        }
    }
}

/// A list by the place of its repository, with its length.
async fn length_of(
    basis: &Basis<'_>,
    (place, job): (usize, &Job),
    stream: &'static str,
) -> (usize, &'static str, Option<u64>) {
    (place, stream, length_at_source(basis, job, stream).await)
}

/// Length of a list, where it can be had: what prevents it now is reported when it is collected.
async fn length_at_source(basis: &Basis<'_>, job: &Job, stream: &str) -> Option<u64> {
    let collection = &job.source.find(stream)?.collection;
    let range = (job.data_after, basis.cancel);
    let length = list_size(job.client.as_ref()?, collection, &job.scope, range).await;
    length.ok().flatten()
}

/// Requests in all, and whether more may follow.
fn sum(known: &[KnownLists]) -> (u64, bool) {
    let lists = || known.iter().flat_map(|known| &known.whole);
    let lengths: Vec<u64> = lists().filter_map(|whole| whole.length).collect();
    // A list whose length is not known is taken for as long as the others.
    let usual = match lengths.len() as u64 {
        0 => None,
        count => Some(lengths.iter().sum::<u64>().div_ceil(count)),
    };
    let mut requests = known.iter().map(|known| known.certain).sum();
    let mut at_least = known.iter().any(|known| known.changes);
    for whole in lists() {
        let length = whole.length.or(usual);
        at_least |= length.is_none();
        requests += whole.requests(length.unwrap_or(0));
    }
    (requests, at_least)
}

impl Estimate {
    /// A sentence with the time at which it is done, in a time zone.
    fn sentence<Z>(&self, zone: &Z) -> String
    where
        Z: TimeZone<Offset: fmt::Display>,
    {
        let about = if self.at_least { "at least" } else { "about" };
        let requests = counted(self.requests, "request", "requests");
        let (Some(seconds), Some(finishes_at)) = (self.seconds, self.finishes_at) else {
            return format!("{about} {requests}");
        };
        let time = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
        let now = finishes_at - time.unwrap_or_default();
        match (seconds, self.per_hour) {
            (60.., Some(per_hour)) => format!(
                "{about} {requests} at {} an hour, done {} {}",
                with_commas(per_hour.into()),
                if self.at_least {
                    "not before"
                } else {
                    "at about"
                },
                times::within(zone, finishes_at, now)
            ),
            _ => format!("{about} {requests}"),
        }
    }
}

impl fmt::Display for Estimate {
    /// In the time zone of this machine.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.sentence(&Local))
    }
}

#[cfg(test)]
mod tests;
