//! Lists of which a part can be asked for by time: what is new first, then what is older than what
//! is stored, as far back as is read now.
//!
//! Where the list has a filter, the filter says what is missing. Where it has none but the newest
//! item is in front, the pages that hold what is known are passed over: as many as the stored
//! items fill. What is missing is walked beside what is new, each with a place of its own where it
//! goes on, so that a look for what is new never makes an interrupted part begin anew.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::progress::WalkState;
use url::Url;

use super::{Plan, list_url, older_stream, walk, walk_state, walk_state_of};
use crate::bounds;
use crate::endpoint::Collection;
use crate::engine::{Collected, Page, Task, fetch};
use crate::error::CollectErrorKind;

/// By how much less an interrupted walk may reach back than is asked for today, and still go on:
/// its bound was counted from the day on which it began.
const DRIFT: TimeDelta = TimeDelta::days(7);

/// The part of a range that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Only items before this time (UTC): what follows is stored.
    pub(super) upper: DateTime<Utc>,
    /// Number of the page to begin with, of a list without a filter.
    pub(super) page: Option<u64>,
}

/// A first page that has been fetched already.
type Begun = Option<(Url, Page)>;

/// Collects what is new, then what is older.
pub(super) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    if !stored.complete || stored.since.is_none() {
        let (plan, first) = first_walk(task, collection, stored).await?;
        walk(task, collection, (&plan, first), outcome).await?;
    } else if !task.range.older_only {
        news(task, collection, stored, outcome).await?;
    }
    let mut known = walk_state(task, collection).await?;
    while let Some((plan, first)) = missing(task, collection, &known).await? {
        walk(task, collection, (&plan, first), outcome).await?;
        let now = walk_state(task, collection).await?;
        if now.data_after == known.data_after {
            // Some item could not be stored: the next run reads this part again.
            break;
        }
        known = now;
    }
    Ok(())
}

/// What changed since the last walk.
async fn news(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    let plan = Plan::new(task, collection, stored, stored.data_after);
    if walk(task, collection, (&plan, None), outcome).await? {
        return Ok(());
    }
    let older = walk_state_of(task, &older_stream(collection)).await?;
    // Items of an interrupted part are stored already, so that only the whole range meets them.
    let data_after = match older.resume_at {
        Some(_) => task.range.data_after,
        None => stored.data_after,
    };
    let whole = Plan::whole(collection, data_after);
    walk(task, collection, (&whole, None), outcome).await?;
    Ok(())
}

/// The walk over a list that was never read to the end. One that was interrupted goes on.
async fn first_walk(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
) -> Result<(Plan, Begun), CollectErrorKind> {
    let reach = task.range.reach();
    let near = Plan::whole(collection, reach);
    let interrupted = near.interrupted(stored);
    if let Some(plan) = interrupted.filter(|plan| serves(plan.lower, reach)) {
        return Ok((plan, None));
    }
    let wanted = Plan::whole(collection, task.range.data_after);
    if reach == task.range.data_after {
        return Ok((wanted, None));
    }
    // A list that fits one page is complete at once.
    let url = wanted.first_url(collection, &list_url(task, collection)?);
    let page = fetch(&task.client, &task.cancel, collection, &url).await?;
    if page.items.next.is_none() {
        return Ok((wanted, Some((url, page))));
    }
    // Without a filter the list begins with this page in any case.
    let begun = collection.endpoint.since.is_none().then_some((url, page));
    Ok((near, begun))
}

/// Whether an interrupted walk that reads back to a time serves where another time is asked for.
fn serves(lower: Option<DateTime<Utc>>, reach: Option<DateTime<Utc>>) -> bool {
    match (lower, reach) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(lower), Some(reach)) => lower >= reach - DRIFT,
    }
}

/// The walk over what is missing; none where nothing is, or everything has to be read.
async fn missing(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
) -> Result<Option<(Plan, Begun)>, CollectErrorKind> {
    let reach = task.range.reach();
    let is_missing = stored.complete && stored.since.is_some() && stored.is_exceeded_by(reach);
    let Some(upper) = stored.data_after.filter(|_| is_missing) else {
        return Ok(None);
    };
    let part = |lower| Plan {
        lower,
        complete: false,
        data_after: lower,
        span: None,
        missing: Some(Missing { upper, page: None }),
    };
    let older = walk_state_of(task, &older_stream(collection)).await?;
    let interrupted = part(reach).interrupted(&older);
    let serving = interrupted.filter(|plan| serves(plan.lower, reach));
    let mut plan = serving.unwrap_or_else(|| part(reach));
    if collection.endpoint.since.is_some() {
        return Ok(Some((plan, None)));
    }
    let (page, begun) = first_page(task, collection, upper).await?;
    plan.missing = Some(Missing { upper, page });
    Ok(Some((plan, begun)))
}

/// The page to begin with: one whose first item is known, so that nothing before it is missing.
async fn first_page(
    task: &Task<'_>,
    collection: &Collection,
    upper: DateTime<Utc>,
) -> Result<(Option<u64>, Begun), CollectErrorKind> {
    let table = &collection.raw_table;
    let stored = task.store.scope_rows(task.scope, table).await?;
    let mut page = stored / collection.page_length() + 1;
    // Items that are gone at the source, or that tell no time, make the guess too high.
    while page > 1 {
        let mut url = list_url(task, collection)?;
        collection.begin_at(&mut url, page);
        let found = fetch(&task.client, &task.cancel, collection, &url).await?;
        if bounds::begins_at(&collection.endpoint, &found.items.items, upper) {
            return Ok((Some(page), Some((url, found))));
        }
        page -= 1;
    }
    Ok((Some(1), None))
}
