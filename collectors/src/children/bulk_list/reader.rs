//! One reading of a list of all parents' children, page by page, in doubt of everything.

use chrono::{DateTime, Utc};
use url::Url;

use super::{BEYOND, Ended, Engine, Parents, time};
use crate::dialect::Times;
use crate::endpoint::BulkList;
use crate::engine::{BulkListDefect, bad_url, fetch};
use crate::key::field;
use crate::page::RawItem;
use crate::trail::Trail;

/// An item of the list.
pub(super) struct Entry {
    pub(super) parent: String,
    /// When it came about (UTC).
    pub(super) at: DateTime<Utc>,
    pub(super) item: RawItem,
}

/// How far a reading has come.
pub(super) struct Reader {
    bulk_list: BulkList,
    next: Option<Url>,
    trail: Trail,
    pages: usize,
    /// More pages than this cost more than they save.
    most: usize,
    /// Items before this time belong to no pending parent.
    bound: Option<DateTime<Utc>>,
    /// As many, by what the list says of its length; none where it is not read to its end.
    announced: Option<usize>,
    /// Time of the item before.
    last: Option<DateTime<Utc>>,
    date: Option<DateTime<Utc>>,
}

impl Reader {
    /// A reading of no more than so many pages, for these parents.
    pub(super) fn new(
        engine: &Engine<'_>,
        (bulk_list, most, announced): (BulkList, usize, Option<usize>),
        parents: &Parents,
    ) -> Result<Self, Ended> {
        let task = engine.task;
        let url = engine
            .collection
            .bulk_list_url(task.client.endpoint(), task.scope, bulk_list)
            .map_err(|error| bad_url(&task.client, error))?;
        let oldest = parents.values().map(|known| known.created).min();
        Ok(Self {
            bulk_list,
            trail: Trail::new(&url, &engine.collection.endpoint),
            next: Some(url),
            pages: 0,
            most,
            bound: oldest.map(|oldest| oldest - BEYOND),
            announced,
            last: None,
            date: None,
        })
    }

    /// Pages read so far.
    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// The server's clock, as the last page gave it.
    pub(super) fn date(&self) -> Option<DateTime<Utc>> {
        self.date
    }

    /// The next page; none when the list has ended, or has gone past every pending parent.
    pub(super) async fn page(&mut self, engine: &Engine<'_>) -> Result<Option<Vec<Entry>>, Ended> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        if self.pages == self.most {
            return Err(Ended::Unusable(BulkListDefect::TooLong));
        }
        self.trail.step(&url)?;
        let task = engine.task;
        let page = fetch(&task.client, &task.cancel, engine.collection, &url).await?;
        self.trail.page(&engine.collection.endpoint, &page.items)?;
        self.pages += 1;
        self.date = page.date;
        let length = engine.collection.page_length();
        let pages = page.items.size.map(|size| size.div_ceil(length));
        let is_too_long = |(pages, most): (u64, usize)| pages > most as u64;
        if pages.zip(self.announced).is_some_and(is_too_long) {
            return Err(Ended::Unusable(BulkListDefect::TooLong));
        }
        let mut entries = Vec::with_capacity(page.items.items.len());
        for item in page.items.items {
            entries.push(self.entry(engine.collection.endpoint.dialect.times, item)?);
        }
        let goes_on = |last| self.bound.is_none_or(|bound| last >= bound);
        if self.last.is_none_or(goes_on) {
            let next = page
                .items
                .next
                .map(|next| self.trail.next(&task.client, &next));
            self.next = next.transpose()?;
        }
        Ok(Some(entries))
    }

    /// An item that names what it belongs to, and is no later than the one before.
    fn entry(&mut self, written: Times, item: RawItem) -> Result<Entry, Ended> {
        let mut times = self.bulk_list.times.iter();
        let at = times.find_map(|path| time(written, &item.0, path));
        let Some((parent, at)) = field(&item.0, self.bulk_list.parent).zip(at) else {
            return Err(Ended::Unusable(BulkListDefect::Unclear));
        };
        if self.last.is_some_and(|last| at > last) {
            return Err(Ended::Unusable(BulkListDefect::Unordered));
        }
        self.last = Some(at);
        Ok(Entry { parent, at, item })
    }
}
