//! One reading of a list, page by page.

use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use url::Url;

use super::{Plan, Read, Walk};
use crate::bounds;
use crate::endpoint::Paging;
use crate::engine::{Page, fetch};
use crate::error::{CollectErrorKind, RequestError, RequestErrorKind, Verdict};
use crate::page::Items;
use crate::trail::Trail;

/// How long a transaction waits for a further page.
const GATHERING: Duration = Duration::from_millis(10);

/// A page on its way.
type Aside = AbortOnDropHandle<Result<Page, RequestError>>;

impl Walk<'_> {
    /// Reads the list once, from the given page on or from the beginning. What has arrived is
    /// stored, also when the rest does not arrive.
    pub(super) async fn read(
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
        let endpoint = &self.collection.endpoint;
        let asked = plan.first_url(self.collection, &self.list_url);
        let mut trail = Trail::new(&asked, endpoint);
        let before = self.shift_detection.items_seen();
        let mut last = None;
        let mut is_ordered = true;
        let (first, mut page) = if let Some(resumed) = resumed {
            resumed
        } else {
            let page = self.first_page(&asked).await?;
            (asked, page)
        };
        trail.step(&first)?;
        let began = self.state.resume_since;
        let began = began.or(page.date).unwrap_or(self.task.now);
        self.state.resume_since = Some(began);
        // A later reading began later: what changed before it cannot move during it.
        let reading = page.date.unwrap_or(began).max(began);
        loop {
            trail.page(endpoint, &page.items)?;
            self.shift_detection.page(&page.items, endpoint, reading);
            let mut items = std::mem::take(&mut page.items.items);
            let span = plan.span.as_ref();
            self.joined |= span.is_some_and(|span| items.iter().any(|it| span.is_joined_by(it)));
            let date = page.date;
            // Without its order the list says nothing of where it comes to what is known.
            is_ordered &= bounds::is_newest_first(endpoint, &items, &mut last);
            let known = is_ordered && bounds::reaches(endpoint, &items, plan.lower);
            bounds::leave_out_older(endpoint, &mut items, plan.data_after);
            let next = page.items.next.take();
            let is_whole = next.is_none();
            let Some(next) = next.filter(|_| !known) else {
                self.note_read(plan, (trail, before), is_whole);
                return self.stage(items, date).await;
            };
            let next = trail.next(&self.task.client, &next)?;
            trail.step(&next)?;
            self.shift_detection.brings(before + trail.distinct());
            self.state.resume_query = Some(self.shift_detection.noted(&plan.question()));
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
    pub(super) async fn resumed(&mut self) -> Result<Option<(Url, Page)>, RequestError> {
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

    /// Keeps how much of the list a finished reading has seen.
    fn note_read(&mut self, plan: &Plan, (trail, before): (Trail, u64), is_whole: bool) {
        // A reading that began behind the beginning, or ended before the end, cannot be counted.
        let skipped = plan.missing.as_ref().and_then(|missing| missing.page);
        let is_whole = is_whole && skipped.is_none_or(|page| page <= 1);
        let distinct = before + trail.distinct();
        self.read = Read {
            announced: trail.announced().filter(|_| is_whole),
            distinct,
        };
        let is_short = |announced: u64| announced > distinct;
        if self.again || self.read.announced.is_some_and(is_short) {
            self.together.extend(trail.into_keys());
        }
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
