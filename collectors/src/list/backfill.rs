//! A range that reaches further back than what was walked: only what is missing is asked for.
//!
//! Where the list has a filter, the filter says it. Where it has none but the newest item is in
//! front, the pages that hold what is known are passed over: as many as the stored items fill.
//! Afterwards the usual walk collects what changed since the last one.

use chrono::{DateTime, Utc};
use headwater_store::progress::WalkState;
use url::Url;

use super::{Plan, list_url};
use crate::bounds;
use crate::endpoint::Collection;
use crate::engine::{Page, Task, fetch};
use crate::error::CollectErrorKind;

/// The part of a range that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Only items before this time (UTC): what follows is stored.
    pub(super) upper: DateTime<Utc>,
    /// Number of the page to begin with, of a list without a filter.
    pub(super) page: Option<u64>,
}

/// True when the range reaches further back than what was walked.
pub(crate) fn is_wider(wanted: Option<DateTime<Utc>>, stored: &WalkState) -> bool {
    match (wanted, stored.data_after) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(wanted), Some(known)) => wanted < known,
    }
}

/// A first page that has been fetched already.
type Begun = Option<(Url, Page)>;

/// The walk over what is missing; none where nothing is, or everything has to be read.
pub(super) async fn plan(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
) -> Result<Option<(Plan, Begun)>, CollectErrorKind> {
    let endpoint = &collection.endpoint;
    let filtered = endpoint.since.is_some() || endpoint.newest_first.is_some();
    let wider = is_wider(task.range.data_after, stored) && stored.since.is_some();
    let Some(upper) = stored
        .data_after
        .filter(|_| filtered && wider && stored.complete && !task.range.full)
    else {
        return Ok(None);
    };
    let (page, begun) = match endpoint.since {
        Some(_) => (None, None),
        None => first_page(task, collection, upper).await?,
    };
    let plan = Plan {
        lower: task.range.data_after,
        complete: false,
        data_after: task.range.data_after,
        span: None,
        missing: Some(Missing { upper, page }),
    };
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
