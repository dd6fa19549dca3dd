//! The complete list of one parent, page by page.

use chrono::{DateTime, Utc};
use headwater_store::raw::PendingParent;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Found, Walked};
use crate::client::Client;
use crate::endpoint::Collection;
use crate::engine::{Trail, fetch};
use crate::error::{RequestError, RequestErrorKind};
use crate::page::RawItem;

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
            empty(Ok(Found::NoneByCount))
        } else {
            match self.pages(&url).await {
                Ok((items, date)) => (items, date, Ok(Found::All)),
                Err(error) if matches!(error.kind, RequestErrorKind::NotFound { .. }) => {
                    empty(Ok(Found::Lost))
                }
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

    fn has_none(&self, parent: &PendingParent) -> bool {
        let Some(count) = self.count else {
            return false;
        };
        let mut counts = parent.child_counts.split(',');
        counts.any(|known| known.split_once('=') == Some((count, "0")))
    }

    /// All pages. A page that is missing after the first fails the walk.
    pub(super) async fn pages(
        &self,
        first: &Url,
    ) -> Result<(Vec<RawItem>, Option<DateTime<Utc>>), RequestError> {
        let mut trail = Trail::default();
        let mut url = first.clone();
        let mut items = Vec::new();
        loop {
            trail.step(&url)?;
            let page = fetch(&self.client, &self.cancel, &self.collection, &url).await;
            let mut page = page.map_err(|error| in_walk(error, &url, first))?;
            items.append(&mut page.items.items);
            match page.items.next {
                Some(next) => url = self.client.own_url(&next)?,
                None => return Ok((items, page.date)),
            }
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
