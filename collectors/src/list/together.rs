//! A list that holds the items of several lists: branches and tags.
//!
//! While it is one page, one request serves them all. It is not trusted to write items as their own
//! lists do, and a row must not depend on where it was read: a page serves a list only if it proves
//! it, by items that are stored from that list already and did not move.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use headwater_store::looks::Look;
use headwater_store::progress::WalkKey;
use headwater_store::{Store, StoreError};
use url::Url;

use super::{list_url, walk_state};
use crate::endpoint::{Collection, Endpoint};
use crate::engine::{Page, Task, bad_url, fetch};
use crate::error::{CollectErrorKind, Verdict};
use crate::key::{content_hash, field};
use crate::page::{Items, RawItem};
use crate::refresh::stored;

/// A list that does not serve is tried again after so many hours.
const AGAIN_HOURS: i64 = 7 * 24;

/// A list that holds the items of several lists. While it is one page, one request serves them all.
#[derive(Clone, Copy, Debug)]
pub struct Together {
    /// Path below the connection's endpoint.
    pub path: &'static str,
    /// Fixed parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// The lists whose items it holds.
    pub lists: &'static [fn() -> Collection],
    /// Field of an item that tells its kind.
    pub kind_field: &'static [&'static str],
    /// What that field is for the items of this list.
    pub kind: &'static str,
    /// Field that differs when an item was moved: where it is equal, all of the item must be.
    pub moved: &'static [&'static str],
}

impl Together {
    /// Whether what is stored of all its lists fits into one page.
    pub(crate) async fn fits(&self, store: &Store, scope: &Scope) -> Result<bool, StoreError> {
        let (mut rows, mut length) = (0, u64::MAX);
        for list in self.lists {
            let list = list();
            rows += store.scope_rows(scope, &list.raw_table).await?;
            length = length.min(list.page_length());
        }
        Ok(rows <= length)
    }
}

/// A page that holds all there is, with the server's time; none where it does not serve.
type Shared = Option<Arc<(Vec<RawItem>, Option<DateTime<Utc>>)>>;

/// The lists of several streams that a run has read for one scope, by path.
#[derive(Debug, Default)]
pub struct SharedLists(Mutex<HashMap<&'static str, Shared>>);

/// The page of a list as the shared one gives it; none where its own list has to be read.
pub(super) async fn page(
    task: &Task<'_>,
    collection: &Collection,
    together: Together,
) -> Result<Option<(Url, Page)>, CollectErrorKind> {
    let walked = walk_state(task, collection).await?;
    // What is read for the first time, or to be certain, is read from its own list.
    if !walked.complete || walked.resume_at.is_some() || task.range.full {
        return Ok(None);
    }
    let Some(shared) = shared(task, collection, together).await? else {
        return Ok(None);
    };
    let own = shared.0.iter().filter(|item| is_of(together, item));
    let own: Vec<RawItem> = own.cloned().collect();
    match proof(task, collection, together, &own).await? {
        Proof::Given => {}
        Proof::Missing => return Ok(None),
        Proof::Refuted => {
            note(task, together).await?;
            return Ok(None);
        }
    }
    let items = Items {
        size: Some(own.len() as u64),
        items: own,
        ..Items::default()
    };
    let date = shared.1;
    Ok(Some((list_url(task, collection)?, Page { items, date })))
}

fn is_of(together: Together, item: &RawItem) -> bool {
    field(&item.0, together.kind_field).as_deref() == Some(together.kind)
}

/// The shared page, fetched once a run.
async fn shared(
    task: &Task<'_>,
    collection: &Collection,
    together: Together,
) -> Result<Shared, CollectErrorKind> {
    let lock = || task.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(together.path) {
        return Ok(known.clone());
    }
    let found = if may_serve(task, together).await? {
        read(task, collection, together).await?.map(Arc::new)
    } else {
        None
    };
    lock().insert(together.path, found.clone());
    Ok(found)
}

/// Whether all lists fit into one page, as far as they are stored, and the shared one has served.
async fn may_serve(task: &Task<'_>, together: Together) -> Result<bool, CollectErrorKind> {
    let key = WalkKey {
        scope: task.scope,
        stream: together.path,
    };
    let failed = task.store.look(key).await?;
    let is_tried = failed.is_none_or(|look| look.is_over(AGAIN_HOURS, task.now));
    Ok(is_tried && together.fits(task.store, task.scope).await?)
}

/// Reads the shared list; none where it is no single page of items of known kinds.
async fn read(
    task: &Task<'_>,
    collection: &Collection,
    together: Together,
) -> Result<Option<(Vec<RawItem>, Option<DateTime<Utc>>)>, CollectErrorKind> {
    let list = Collection {
        endpoint: Endpoint {
            path: together.path,
            query: together.query,
            ..collection.endpoint
        },
        ..collection.clone()
    };
    let url = list.list_url(task.client.endpoint(), task.scope, "");
    let url = url.map_err(|error| bad_url(&task.client, error))?;
    let page = match fetch(&task.client, &task.cancel, &list, &url).await {
        Ok(page) => page,
        Err(error) => match error.kind.verdict() {
            Verdict::Skip | Verdict::Fail => {
                note(task, together).await?;
                return Ok(None);
            }
            Verdict::Retry | Verdict::Stop => return Err(error.into()),
        },
    };
    let items = page.items;
    let lists: Vec<Collection> = together.lists.iter().map(|list| list()).collect();
    let of_list = |item: &RawItem| {
        let mut own = lists.iter().filter(|list| {
            let together = list.endpoint.together;
            together.is_some_and(|together| is_of(together, item))
        });
        let key = own.next().and_then(|list| list.endpoint.key_of(&item.0));
        key.is_some()
    };
    let is_whole = items.next.is_none()
        && items.next_number.is_none()
        && items
            .size
            .is_none_or(|size| size == items.items.len() as u64);
    if is_whole && items.items.iter().all(of_list) {
        return Ok(Some((items.items, page.date)));
    }
    Ok(None)
}

/// Whether the shared list writes items as their own list does.
enum Proof {
    Given,
    /// No item shows it.
    Missing,
    /// An item differs that did not move.
    Refuted,
}

async fn proof(
    task: &Task<'_>,
    collection: &Collection,
    together: Together,
    items: &[RawItem],
) -> Result<Proof, CollectErrorKind> {
    let key_of = |item: &RawItem| collection.endpoint.key_of(&item.0);
    let keys: Vec<String> = items.iter().filter_map(key_of).collect();
    let before = stored(task.store, task.scope, collection, &keys).await?;
    let before: HashMap<String, RawItem> = before
        .into_iter()
        .filter_map(|item| Some((key_of(&item)?, item)))
        .collect();
    let mut proof = if items.is_empty() {
        Proof::Given
    } else {
        Proof::Missing
    };
    for item in items {
        let Some(stored) = key_of(item).and_then(|key| before.get(&key)) else {
            continue;
        };
        if content_hash(&item.0) == content_hash(&stored.0) {
            proof = Proof::Given;
        } else if field(&item.0, together.moved) == field(&stored.0, together.moved) {
            return Ok(Proof::Refuted);
        }
    }
    Ok(proof)
}

/// Notes that the shared list does not serve.
async fn note(task: &Task<'_>, together: Together) -> Result<(), CollectErrorKind> {
    let look = Look {
        at: task.now,
        seq: 0,
        absent_since: Some(task.now),
    };
    let page = task.store.begin(task.scope, task.now).await?;
    page.note_look(together.path, look).await?;
    page.commit().await?;
    Ok(())
}
