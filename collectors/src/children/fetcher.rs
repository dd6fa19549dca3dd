//! The complete list of one parent, page by page.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use headwater_store::raw::PendingParent;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{ChildListEnd, Walked};
use crate::client::Client;
use crate::endpoint::{Collection, Endpoint};
use crate::engine::fetch;
use crate::error::{RequestError, RequestErrorKind, ShownUrl};
use crate::page::RawItem;
use crate::trail::{Trail, identity};

/// Times that a list is read, at most, because items left it meanwhile.
const READINGS: u32 = 4;

/// Largest answers that one list may fill: it is kept until it is complete.
const LARGEST_ANSWERS: usize = 4;

/// Fetches the complete list of one parent.
pub(super) struct Fetcher {
    pub(super) client: Client,
    pub(super) collection: Collection,
    pub(super) count: Option<&'static str>,
    pub(super) cancel: CancellationToken,
}

impl Fetcher {
    pub(super) async fn walk(&self, parent: PendingParent, url: Url) -> Walked {
        let empty = |result| (Vec::new(), None, result);
        let (items, date, result) = if self.has_none(&parent) {
            empty(Ok(ChildListEnd::NoneByCount))
        } else {
            match self.pages(&url).await {
                Ok((items, date)) => (items, date, Ok(ChildListEnd::All)),
                Err(error) if self.has_no_list(&error.kind) => empty(Ok(ChildListEnd::Lost)),
                Err(error) => empty(Err(error)),
            }
        };
        Walked {
            parent,
            items,
            date,
            result,
        }
    }

    /// True when the server says that there is no such list, and not that it failed.
    fn has_no_list(&self, kind: &RequestErrorKind) -> bool {
        match kind {
            RequestErrorKind::NotFound { .. } => true,
            RequestErrorKind::Refused { status, .. }
            | RequestErrorKind::Unavailable { status, .. } => {
                self.collection.endpoint.incomparable.contains(status)
            }
            _ => false,
        }
    }

    /// True when the parent's own count says that it has no children.
    pub(super) fn has_none(&self, parent: &PendingParent) -> bool {
        let Some(count) = self.count else {
            return false;
        };
        let mut counts = parent.child_counts.split(',');
        counts.any(|known| known.split_once('=') == Some((count, "0")))
    }

    /// All pages, read at a time when no item left the list. A page that is missing after the
    /// first fails the walk, and so does an item that never comes.
    pub(super) async fn pages(
        &self,
        first: &Url,
    ) -> Result<(Vec<RawItem>, Option<DateTime<Utc>>), RequestError> {
        let mut before = None;
        let mut union = Union::default();
        for reading_number in 1..=READINGS {
            let reading = self.read(first).await?;
            let is_other = before.is_none_or(|before| before != reading.items);
            let is_steady = !(reading.shrank || reading.is_uncounted && is_other);
            if is_steady && reading.missing().is_none() {
                return Ok((reading.items, reading.date));
            }
            if let Some(announced) = reading.announced.filter(|_| is_steady) {
                // Nothing left the list: what one reading did not show another one may.
                union.add(&self.collection.endpoint, announced, &reading.items);
                if union.is_complete() {
                    return Ok((union.items, reading.date));
                }
                if reading_number == READINGS {
                    return Err(union.incomplete(first));
                }
            }
            before = Some(reading.items);
        }
        let message = format!("the list changed each of the {READINGS} times it was read");
        Err(RequestError {
            url: ShownUrl::of(first),
            kind: RequestErrorKind::Shape(message),
        })
    }

    /// One reading of all pages.
    async fn read(&self, first: &Url) -> Result<Reading, RequestError> {
        let endpoint = &self.collection.endpoint;
        let counts_lists = endpoint.dialect.pages.count_lists();
        let mut trail = Trail::new(first, endpoint);
        let mut url = first.clone();
        let mut items = Vec::new();
        let mut size = None;
        let mut shrank = false;
        let largest = self.client.largest_answer().saturating_mul(LARGEST_ANSWERS);
        let mut bytes = 0usize;
        loop {
            trail.step(&url)?;
            let page = fetch(&self.client, &self.cancel, &self.collection, &url).await;
            let mut page = page.map_err(|error| in_walk(error, &url, first))?;
            trail.page(endpoint, &page.items)?;
            bytes += page.items.items.iter().map(|it| it.0.len()).sum::<usize>();
            if bytes > largest {
                return Err(trail.failed(RequestErrorKind::ListTooLarge(largest)));
            }
            items.append(&mut page.items.items);
            shrank |= matches!((size, page.items.size), (Some(before), Some(now)) if now < before);
            size = page.items.size.or(size);
            match page.items.next {
                Some(next) => url = trail.next(&self.client, &next)?,
                None => {
                    return Ok(Reading {
                        is_uncounted: !counts_lists && url != *first,
                        announced: trail.announced(),
                        distinct: trail.distinct(),
                        items,
                        date: page.date,
                        shrank,
                    });
                }
            }
        }
    }
}

/// What one reading of all pages found.
struct Reading {
    items: Vec<RawItem>,
    date: Option<DateTime<Utc>>,
    /// An item left the list meanwhile: those behind it moved up, and one may have been missed.
    shrank: bool,
    /// There were several pages, and by the dialect none counts the list: whether items moved
    /// between them does not show.
    is_uncounted: bool,
    /// Items that the list announces.
    announced: Option<u64>,
    /// Different items that came.
    distinct: u64,
}

impl Reading {
    /// How many items did not come, of a list that announces more.
    fn missing(&self) -> Option<u64> {
        let missing = self.announced?.saturating_sub(self.distinct);
        (missing > 0).then_some(missing)
    }
}

/// What several readings of one list found together.
#[derive(Default)]
struct Union {
    keys: HashSet<u64>,
    items: Vec<RawItem>,
    announced: u64,
    readings: u32,
}

impl Union {
    fn add(&mut self, endpoint: &Endpoint, announced: u64, items: &[RawItem]) {
        if announced != self.announced {
            // The list became longer: what readings before showed need not be there any more.
            *self = Self {
                announced,
                readings: self.readings,
                ..Self::default()
            };
        }
        self.readings += 1;
        for item in items {
            if self.keys.insert(identity(endpoint, &item.0)) {
                self.items.push(item.clone());
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.keys.len() as u64 >= self.announced
    }

    fn incomplete(&self, list: &Url) -> RequestError {
        RequestError {
            url: ShownUrl::of(list),
            kind: RequestErrorKind::Incomplete {
                announced: self.announced,
                distinct: self.keys.len() as u64,
                readings: self.readings,
            },
        }
    }
}

/// A page that is missing after the first fails the walk.
fn in_walk(error: RequestError, url: &Url, first: &Url) -> RequestError {
    match error.kind {
        RequestErrorKind::NotFound { message } if url != first => RequestError {
            kind: RequestErrorKind::Refused {
                status: 404,
                message,
            },
            ..error
        },
        kind => RequestError { kind, ..error },
    }
}
