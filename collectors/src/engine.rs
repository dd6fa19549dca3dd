//! The collection of one stream of one scope: a walk over its list, or over its parents' lists.

use std::fmt;

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use headwater_domain::rules::Rules;
use headwater_redaction::one_line;
use headwater_store::Store;
use headwater_store::dead_letters::DeadLetter;
use headwater_store::raw::NewItem;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::client::{Answer, Client};
use crate::endpoint::{Collection, Endpoint, Paging};
use crate::error::{CollectError, CollectErrorKind, RequestError, RequestErrorKind, ShownUrl};
use crate::key::content_hash;
use crate::list::together::SharedLists;
use crate::page::{self, Items, RawItem};
use crate::refresh::{self, Moment, Next};
use crate::{children, list, switch};

/// What part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Nothing older (UTC); none means everything.
    pub data_after: Option<DateTime<Utc>>,
    /// Ask for everything in range again, whatever is known.
    pub full: bool,
    /// Of lists by time, and of what hangs on their items, nothing older is read now (UTC),
    /// although more is wanted; none where all that is wanted is read. A list that fits one page
    /// is read whole all the same.
    pub window: Option<DateTime<Utc>>,
    /// Only what is older than what is stored: not what changed since.
    pub older_only: bool,
}

impl Range {
    /// Nothing older is read now (UTC).
    pub(crate) fn reach(&self) -> Option<DateTime<Utc>> {
        self.window.max(self.data_after)
    }
}

/// Everything the collection of one stream of one scope needs.
pub struct Task<'a> {
    /// Where raw rows go.
    pub store: &'a Store,
    /// Whose data.
    pub scope: &'a Scope,
    /// The way to the API.
    pub client: Client,
    /// The part that is wanted.
    pub range: Range,
    /// The rules of the scope, for streams of which they choose a part.
    pub rules: &'a Rules,
    /// Streams that hang on this one: an item's children go with it.
    pub children: &'a [Collection],
    /// Streams of the scope that this run has read, or found not to be due.
    pub read: &'a [&'static str],
    /// Lists that hold the items of several streams, as this run has read them.
    pub shared: &'a SharedLists,
    /// The stream that this one hangs on; none for a list of the scope itself.
    pub parent: Option<&'a Collection>,
    /// The scope's one item, when a list contained it already.
    pub prefetched: Option<RawItem>,
    /// Our clock (UTC), for servers that do not tell theirs.
    pub now: DateTime<Utc>,
    /// Ends the work, at any await.
    pub cancel: CancellationToken,
    /// Receives the number of items received since its last call, and how many are expected.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

/// What happened since the last report of progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items received.
    pub items: u64,
    /// Parents done, of a stream that hangs on another.
    pub parents: u64,
    /// Parents found pending.
    pub expected_parents: u64,
}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Items received.
    pub items: u64,
    /// New or changed items.
    pub written: u64,
    /// Items that are gone at the source.
    pub removed: u64,
    /// Requests sent.
    pub requests: u64,
    /// Items without a usable key, and parents whose list could not be had: dead letters now.
    pub rejected: u64,
    /// Parents that the server no longer knows; what was collected of them stays.
    pub lost: u64,
    /// Why the list of all parents' children did not serve, where it was tried and did not.
    pub bulk_list_defect: Option<BulkListDefect>,
    /// Parents whose children were taken from items of another stream.
    pub carried: u64,
    /// Why the items of the other stream did not serve, where that was tried and they did not.
    pub carried_defect: Option<CarriedDefect>,
}

/// Why children that another stream's items carry are not taken from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarriedDefect {
    /// A list to compare was not given; the status, where there was an answer.
    NotGiven(Option<u16>),
    /// The lists of some parents, read to compare, hold something else.
    Different,
    /// This server leaves out children that are marked as deleted.
    Hidden,
    /// It was not seen yet that this server gives all of them, those marked as deleted included.
    Unproved,
}

impl fmt::Display for CarriedDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGiven(Some(status)) => write!(formatter, "the server answered {status}"),
            Self::NotGiven(None) => formatter.write_str("the server gave no usable answer"),
            Self::Different => formatter.write_str("they differ from the lists of single items"),
            Self::Hidden => formatter.write_str("this server leaves out what was deleted"),
            Self::Unproved => formatter
                .write_str("it was not seen yet that they are all, what was deleted included"),
        }
    }
}

/// Why a list of all parents' children does not serve: the parents' lists were read instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkListDefect {
    /// The server did not give it; its status, where there was an answer.
    NotGiven(Option<u16>),
    /// An item names no parent, has no time or has no key.
    Unclear,
    /// Its items are not in order of time.
    Unordered,
    /// It takes more pages than it would save.
    TooLong,
    /// It does not reach back to the beginning, or lacks items that the parents count.
    Incomplete,
    /// The lists of some parents, read to compare, hold something else.
    Different,
}

impl fmt::Display for BulkListDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGiven(Some(status)) => write!(formatter, "the server answered {status}"),
            Self::NotGiven(None) => formatter.write_str("the server gave no usable answer"),
            Self::Unclear => formatter.write_str("an entry does not tell what it belongs to"),
            Self::Unordered => formatter.write_str("it is not in order of time"),
            Self::TooLong => formatter.write_str("it takes more pages than it would save"),
            Self::Incomplete => formatter.write_str("it is not complete"),
            Self::Different => formatter.write_str("it differs from the lists of single items"),
        }
    }
}

impl Collected {
    /// Adds what one of several walks did.
    pub(crate) fn add(&mut self, part: Self) {
        self.items += part.items;
        self.written += part.written;
        self.removed += part.removed;
        self.requests += part.requests;
        self.rejected += part.rejected;
        self.lost += part.lost;
        self.bulk_list_defect = self.bulk_list_defect.or(part.bulk_list_defect);
        self.carried += part.carried;
        self.carried_defect = self.carried_defect.or(part.carried_defect);
    }
}

/// Collects a stream of a scope.
///
/// # Errors
/// When a request that the stream cannot do without fails, the database fails, or it is cancelled.
pub async fn run(task: &Task<'_>, collection: &Collection) -> Result<Collected, CollectError> {
    let mut outcome = Collected::default();
    let done = collect(task, collection, &mut outcome).await;
    outcome.requests = task.client.requests();
    let located = |kind| CollectError {
        outcome,
        connection: task.client.connection().to_owned(),
        scope: task.scope.full_name.clone(),
        stream: collection.stream,
        kind: match kind {
            CollectErrorKind::Request(RequestError {
                kind: RequestErrorKind::Cancelled,
                ..
            }) => CollectErrorKind::Cancelled,
            kind => kind,
        },
    };
    done.map_err(located)?;
    Ok(outcome)
}

/// Collects what is due.
async fn collect(
    task: &Task<'_>,
    collection: &Collection,
    outcome: &mut Collected,
) -> Result<(), CollectErrorKind> {
    if let Some(parent) = &collection.parent {
        return children::collect(task, collection, parent, outcome).await;
    }
    match refresh::next(&task.moment(), collection).await? {
        Next::Read => {}
        Next::Unchanged => return Ok(()),
        Next::Absent => return Err(CollectErrorKind::StillAbsent),
    }
    let seq = task.store.latest_seq(task.scope).await?;
    let done = list::collect(task, collection, outcome).await;
    let done = switch::look(task, collection, done).await;
    refresh::note(task, collection, seq, &done).await?;
    done
}

impl Task<'_> {
    /// What is decided from whether a list is due.
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment {
            store: self.store,
            scope: self.scope,
            range: self.range,
            read: self.read,
            now: self.now,
        }
    }
}

/// One page with the server's clock.
pub(crate) struct Page {
    pub(crate) items: Items,
    pub(crate) date: Option<DateTime<Utc>>,
}

/// Fetches an item of the scope by an address of its own; none where the answer has none.
pub(crate) async fn fetch_single(
    task: &Task<'_>,
    collection: &Collection,
    path: &'static str,
) -> Result<Option<RawItem>, RequestError> {
    let single = Collection {
        endpoint: Endpoint {
            path,
            query: &[],
            paging: Paging::Single,
            ..collection.endpoint
        },
        ..collection.clone()
    };
    let url = single.list_url(task.client.endpoint(), task.scope, "");
    let url = url.map_err(|error| bad_url(&task.client, error))?;
    let page = fetch(&task.client, &task.cancel, &single, &url).await?;
    Ok(page.items.items.into_iter().next())
}

/// Fetches a page and takes it apart.
pub(crate) async fn fetch(
    client: &Client,
    cancel: &CancellationToken,
    collection: &Collection,
    url: &Url,
) -> Result<Page, RequestError> {
    let endpoint = &collection.endpoint;
    let read = |answer: Answer| {
        let mut items = page::read(&answer.body, endpoint).map_err(RequestErrorKind::Shape)?;
        if items.items.len() > page::MOST_ITEMS {
            return Err(RequestErrorKind::TooManyItems(page::MOST_ITEMS));
        }
        let (parameter, _) = endpoint.dialect.pages.place(1, 1);
        items.next = items
            .next
            .or_else(|| Some(at_place(url, (parameter, items.next_number?))));
        let date = answer.date;
        Ok(Page { items, date })
    };
    let asked = endpoint.asking_less(url);
    let got = client.get(&asked, cancel, read).await;
    got.map_err(|error| RequestError {
        // A person who reads the message wants to know which list, not every member it lacks.
        url: ShownUrl::of(url),
        ..error
    })
}

/// The same list at another page.
fn at_place(url: &Url, (parameter, place): (&str, u64)) -> String {
    let mut next = url.clone();
    let others = url.query_pairs().filter(|(name, _)| name != parameter);
    let others: Vec<(String, String)> = others.map(|(n, v)| (n.into(), v.into())).collect();
    next.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(parameter, &place.to_string());
    next.into()
}

pub(crate) fn bad_url(client: &Client, error: url::ParseError) -> RequestError {
    RequestError {
        url: ShownUrl::of(client.endpoint()),
        kind: RequestErrorKind::BadUrl(error.to_string()),
    }
}

/// A list whose items are about to be stored.
pub(crate) struct Listing<'a> {
    pub(crate) collection: &'a Collection,
    /// Streams that hang on the items.
    pub(crate) children: &'a [Collection],
    /// Address of the list, without page and watermark.
    pub(crate) url: &'a str,
    /// Key of the parent; empty for a list without one.
    pub(crate) parent: &'a str,
    /// Bytes that an item may have, where the database sets a limit.
    pub(crate) longest: Option<usize>,
}

impl Listing<'_> {
    /// Items ready to be stored, and those that have no usable key or are too long.
    pub(crate) fn keyed(&self, items: Vec<RawItem>) -> (Vec<NewItem>, Vec<DeadLetter>) {
        let mut new = Vec::with_capacity(items.len());
        let mut letters = Vec::new();
        for (place, RawItem(data)) in items.into_iter().enumerate() {
            match self.collection.endpoint.key_of(&data) {
                Some(key) => match self.too_long(&key, &data) {
                    Some(letter) => letters.push(letter),
                    None => new.push(self.item(key, data)),
                },
                None => letters.push(DeadLetter {
                    stage: "collect".to_owned(),
                    stream: self.collection.stream.to_owned(),
                    item: format!("{}/{}", self.parent, content_hash(&data)),
                    raw_id: None,
                    path: format!("values[{place}]"),
                    message: format!("the item has no usable key: {}", shown(&data)),
                }),
            }
        }
        (new, letters)
    }

    fn item(&self, key: String, data: Vec<u8>) -> NewItem {
        NewItem {
            parent: self.parent.to_owned(),
            key,
            content_hash: content_hash(&data),
            child_counts: self.collection.child_counts(self.children, &data),
            data,
            url: self.url.to_owned(),
            input: self.collection.input(self.parent),
        }
    }

    fn too_long(&self, key: &str, data: &[u8]) -> Option<DeadLetter> {
        let longest = self.longest.filter(|&longest| data.len() > longest)?;
        Some(DeadLetter {
            stage: "collect".to_owned(),
            stream: self.collection.stream.to_owned(),
            item: format!("{}/{key}", self.parent),
            raw_id: None,
            path: self.url.to_owned(),
            message: format!(
                "the item has {} bytes, and the database server takes {longest}: raise its \
                 max_allowed_packet, or read into another database",
                data.len()
            ),
        })
    }
}

fn shown(data: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(&data[..data.len().min(2000)]))
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests;
