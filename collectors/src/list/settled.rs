//! A list that knows neither a filter nor an order: deployments.
//!
//! What has ended in it stays as it is, and what has not is asked for one by one. So only new
//! items have to be found. The list says how long it is: when the items that are new on its first
//! page, or on its last ones, are as many as it grew, they are all there are. Otherwise it is read
//! as a whole. What is deleted while as many are added, or changes after it ended, shows when the
//! list is reconciled.

use std::collections::HashSet;

use headwater_store::progress::{Checkpoint, WalkState};
use url::Url;

use super::{Plan, Walk, list_url, unended, walk};
use crate::endpoint::Collection;
use crate::engine::{Collected, Page, Task, fetch};
use crate::error::CollectErrorKind;
use crate::page::RawItem;
use crate::trail::Trail;

/// What a look at a list found.
pub(super) enum Settled {
    /// All that is new, on these pages.
    News(Vec<Page>),
    /// More has to be read; the first page is there already.
    Unclear(Url, Page),
}

/// Looks at a list that has been read as a whole before. None for other lists.
pub(super) async fn look(
    task: &Task<'_>,
    collection: &Collection,
    stored: &WalkState,
) -> Result<Option<Settled>, CollectErrorKind> {
    let is_read = stored.complete
        && stored.resume_at.is_none()
        && !task.range.full
        && !stored.is_exceeded_by(task.range.data_after);
    if !collection.endpoint.settled || !is_read {
        return Ok(None);
    }
    let before = task
        .store
        .checkpoint(task.scope, &collection.settled_step())
        .await?;
    let dead = task.store.dead_items(task.scope, collection.stream).await?;
    if before == Checkpoint::default() || !dead.is_empty() {
        return Ok(None);
    }
    let url = list_url(task, collection)?;
    let first = fetch(&task.client, &task.cancel, collection, &url).await?;
    let rows = task
        .store
        .scope_rows(task.scope, &collection.raw_table)
        .await?;
    let known = rows.saturating_add_signed(before.row_id);
    let Some(size) = first.items.size.filter(|&size| size >= known) else {
        return Ok(Some(Settled::Unclear(url, first)));
    };
    let grown = size - known;
    let mut news = HashSet::new();
    add_news(task, collection, &first, &mut news).await?;
    let changed = unended::changed_leaders(task, collection).await?;
    let is_quiet = grown == 0 && changed.is_some_and(|changed| changed.is_empty());
    if news.len() as u64 == grown && (grown > 0 || is_quiet || first.items.next.is_none()) {
        return Ok(Some(Settled::News(vec![first])));
    }
    let Some(mut pages) = last_pages(task, collection, (&url, known, size)).await? else {
        return Ok(Some(Settled::Unclear(url, first)));
    };
    for page in &pages {
        add_news(task, collection, page, &mut news).await?;
    }
    if news.len() as u64 != grown {
        return Ok(Some(Settled::Unclear(url, first)));
    }
    pages.push(first);
    Ok(Some(Settled::News(pages)))
}

/// Adds the keys of items that are not stored.
async fn add_news(
    task: &Task<'_>,
    collection: &Collection,
    page: &Page,
    news: &mut HashSet<String>,
) -> Result<(), CollectErrorKind> {
    let key = |item: &RawItem| collection.endpoint.key.of(&item.0);
    let keys: Vec<String> = page.items.items.iter().filter_map(key).collect();
    let table = &collection.raw_table;
    let stored = task.store.stored_items(task.scope, table, &keys).await?;
    let is_new = |key: &String| !stored.contains_key(&(String::new(), key.clone()));
    news.extend(keys.into_iter().filter(is_new));
    Ok(())
}

/// The pages that hold what a list of a known length grew by at its end, with some of what was
/// there before. None when it changed meanwhile, or these are most of the list.
async fn last_pages(
    task: &Task<'_>,
    collection: &Collection,
    (list, known, size): (&Url, u64, u64),
) -> Result<Option<Vec<Page>>, CollectErrorKind> {
    let length = collection.page_length();
    let mut number = known.saturating_sub(length / 2) / length + 1;
    let count = size.div_ceil(length);
    if number == 1 {
        // The first page is there.
        number = 2;
    }
    if (count + 1).saturating_sub(number) * 2 > count {
        return Ok(None);
    }
    let mut url = list.clone();
    collection.begin_at(&mut url, number);
    let mut trail = Trail::new(&url, &collection.endpoint);
    let mut pages = Vec::new();
    loop {
        trail.step(&url)?;
        let page = fetch(&task.client, &task.cancel, collection, &url).await?;
        trail.page(&collection.endpoint, &page.items)?;
        if page.items.size != Some(size) {
            return Ok(None);
        }
        let next = page.items.next.clone();
        pages.push(page);
        match next {
            Some(next) => url = trail.next(&task.client, &next)?,
            None => return Ok(Some(pages)),
        }
    }
}

/// Stores what a look found, or reads the whole list.
pub(super) async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    settled: Settled,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    let whole = Plan::whole(collection, task.range.data_after);
    let pages = match settled {
        Settled::News(pages) => pages,
        Settled::Unclear(url, page) => {
            return walk(task, collection, (&whole, Some((url, page))), outcome)
                .await
                .map(|_| ());
        }
    };
    let news = Plan {
        complete: false,
        ..Plan::whole(collection, task.range.data_after)
    };
    let mut found = Walk::new(task, collection, &news).await?;
    let done = found.take_news(&news, pages).await;
    outcome.add(found.outcome);
    if !done? {
        walk(task, collection, (&whole, None), outcome).await?;
    }
    Ok(())
}

impl Walk<'_> {
    /// Returns false when reading the whole list costs less than what is left to do.
    async fn take_news(&mut self, plan: &Plan, pages: Vec<Page>) -> Result<bool, CollectErrorKind> {
        self.read.announced = pages.first().and_then(|page| page.items.size);
        let dates = pages.iter().filter_map(|page| page.date);
        self.state.resume_since = Some(dates.min().unwrap_or(self.task.now));
        for page in pages {
            let mut items = page.items.items;
            crate::bounds::leave_out_older(&self.collection.endpoint, &mut items, plan.data_after);
            self.stage(items, page.date).await?;
            self.commit().await?;
        }
        if !self.ask_for_unended().await? {
            return Ok(false);
        }
        self.finish(plan, false).await?;
        Ok(true)
    }

    /// What is noted of a settled list that has been read: how many of its items are not stored
    /// because they are older than the range, and up to which change other streams were known.
    pub(super) async fn settled_length(
        &self,
        plan: &Plan,
    ) -> Result<Option<Checkpoint>, CollectErrorKind> {
        let endpoint = &self.collection.endpoint;
        let Some(announced) = self.read.announced.filter(|_| endpoint.settled) else {
            return Ok(None);
        };
        if plan.missing.is_some() {
            return Ok(None);
        }
        let (store, scope) = (self.task.store, self.task.scope);
        let rows = store.scope_rows(scope, &self.collection.raw_table).await?;
        let left_out =
            i64::try_from(announced).unwrap_or(i64::MAX) - i64::try_from(rows).unwrap_or(i64::MAX);
        Ok(Some(Checkpoint {
            seq: self.latest,
            row_id: left_out,
            rules: "1".to_owned(),
        }))
    }
}
