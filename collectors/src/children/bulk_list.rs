//! The list of all parents' children, on a first walk, instead of one list for each parent.
//!
//! Nothing is documented of its order or its reach, so nothing is taken for granted. It is read
//! twice: the first reading stores nothing and only counts, the second one stores. A parent
//! counts as read when what is stored of it is what the first reading saw, its first item is as
//! old as it is itself, its own count agrees, every item of the list was in order of time, and the
//! lists of some parents, read to compare, held the same bytes. All others are read one by one.

mod reader;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future;
use headwater_store::StoreError;
use headwater_store::dead_letters::DeadLetter;
use headwater_store::raw::{NewItem, ParentPosition, PendingParent, StoredItems};
use xxhash_rust::xxh3::xxh3_128;

use super::{Batch, ChildListEnd, Engine, PARENTS, Walked, status};
use crate::dialect::Times;
use crate::endpoint::BulkList;
use crate::engine::{BulkListDefect, Progress};
use crate::error::{CollectErrorKind, RequestError, Verdict};
use crate::key::{field, is_true};
use crate::page::RawItem;

use reader::{Entry, Reader};

/// With fewer pending parents it is not worth the trouble.
pub(super) const WORTH: u64 = 50;

/// A reading may take a page for so many parents: two of them take half of what they may save.
const PARENTS_PER_PAGE: usize = 4;

/// Parents whose own lists are read to compare.
const SAMPLE: usize = 8;

/// A parent's first item carries its time of creation, give or take.
const BEGINNING: TimeDelta = TimeDelta::minutes(1);

/// Items so much older than every pending parent end a reading.
const BEYOND: TimeDelta = TimeDelta::hours(1);

/// Parents looked at together.
const GROUP: usize = 256;

/// Why it came to an early end.
enum Ended {
    /// The parents' lists are read instead.
    Unusable(BulkListDefect),
    /// Nothing more can be done.
    Stopped(CollectErrorKind),
}

impl From<RequestError> for Ended {
    fn from(error: RequestError) -> Self {
        if error.kind.verdict() == Verdict::Stop {
            return Self::Stopped(error.into());
        }
        Self::Unusable(BulkListDefect::NotGiven(status(&error)))
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Stopped(error.into())
    }
}

impl From<CollectErrorKind> for Ended {
    fn from(error: CollectErrorKind) -> Self {
        Self::Stopped(error)
    }
}

/// Children of one parent, in whatever order they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    items: u64,
    digest: u128,
}

impl Tally {
    pub(super) fn add(&mut self, key: &str, content_hash: &str) {
        self.items += 1;
        let item = xxh3_128(format!("{key}\n{content_hash}").as_bytes());
        self.digest = self.digest.wrapping_add(item);
    }
}

/// A pending parent, and what the first reading saw of it.
struct PendingParentTally {
    changed_seq: i64,
    created: DateTime<Utc>,
    /// Its own count of some of its children.
    number: Option<u64>,
    seen: Tally,
    /// How many of the counted ones were seen.
    counted: u64,
    /// The time of the oldest one (UTC).
    oldest: Option<DateTime<Utc>>,
}

impl PendingParentTally {
    /// True when nothing speaks against the first reading having seen all.
    fn is_whole(&self) -> bool {
        let begins = |oldest: DateTime<Utc>| oldest <= self.created + BEGINNING;
        self.oldest.is_some_and(begins) && self.number.is_none_or(|it| it == self.counted)
    }
}

/// Pending parents by key.
type Parents = HashMap<String, PendingParentTally>;

/// Reads the list if that pays, and marks the parents that are proved to be complete.
pub(super) async fn collect(
    engine: &mut Engine<'_>,
    bulk_list: BulkList,
) -> Result<(), CollectErrorKind> {
    let mut parents = pending(engine, bulk_list).await?;
    if (parents.len() as u64) < WORTH {
        return Ok(());
    }
    let bulk_list_defect = match look(engine, bulk_list, &mut parents).await {
        Ok(pages) => {
            let written = write(engine, bulk_list, (&parents, pages)).await;
            let bulk_list_defect = unless_stopped(written)?;
            judge(engine, parents, bulk_list_defect.is_none()).await?;
            bulk_list_defect
        }
        Err(ended) => unless_stopped(Err(ended))?,
    };
    engine.outcome.bulk_list_defect = bulk_list_defect;
    Ok(())
}

fn unless_stopped(done: Result<(), Ended>) -> Result<Option<BulkListDefect>, CollectErrorKind> {
    match done {
        Ok(()) => Ok(None),
        Err(Ended::Unusable(bulk_list_defect)) => Ok(Some(bulk_list_defect)),
        Err(Ended::Stopped(error)) => Err(error),
    }
}

/// All pending parents that a request would be sent for, and that tell when they were created.
async fn pending(engine: &Engine<'_>, bulk_list: BulkList) -> Result<Parents, CollectErrorKind> {
    let (store, scope) = (engine.task.store, engine.task.scope);
    let streams = (engine.parent_table, engine.collection.stream);
    let fetcher = engine.fetcher(engine.task.cancel.clone());
    let mut wanted = HashMap::new();
    let mut position = ParentPosition::default();
    loop {
        let (pending, reached) = store
            .pending_parents(scope, streams, position, PARENTS)
            .await?;
        if (reached.seq, reached.id) == (position.seq, position.id) {
            break;
        }
        position = reached;
        let pending = pending
            .into_iter()
            .filter(|it| !fetcher.has_none(it) && !engine.later.contains(&it.key));
        wanted.extend(pending.map(|it| (it.key, it.changed_seq)));
    }
    let mut parents = Parents::with_capacity(wanted.len());
    let times = engine.collection.endpoint.dialect.times;
    let mut after = (0, 0);
    loop {
        let rows = store
            .changed_items(scope, engine.parent_table, after, GROUP)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(parents);
        };
        after = (last.changed_seq, last.id);
        for row in rows {
            let Some(changed_seq) = wanted.remove(&row.key) else {
                continue;
            };
            let Some(created) = time(times, &row.data, bulk_list.created) else {
                continue;
            };
            let number = bulk_list.counted.and_then(|it| field(&row.data, it.number));
            let known = PendingParentTally {
                changed_seq,
                created,
                number: number.and_then(|number| number.parse().ok()),
                seen: Tally::default(),
                counted: 0,
                oldest: None,
            };
            parents.insert(row.key, known);
        }
    }
}

fn time(times: Times, data: &[u8], path: &[&str]) -> Option<DateTime<Utc>> {
    times.read(&field(data, path)?)
}

/// The first reading, and the comparison. Keeps the parents that it may have seen all of, and
/// returns how many pages it took.
async fn look(
    engine: &mut Engine<'_>,
    bulk_list: BulkList,
    parents: &mut Parents,
) -> Result<usize, Ended> {
    let most = parents.len() / PARENTS_PER_PAGE;
    let announced = engine.task.range.reach().is_none().then_some(most);
    let mut reader = Reader::new(engine, (bulk_list, most, announced), parents)?;
    while let Some(entries) = reader.page(engine).await? {
        for Entry { parent, at, item } in entries {
            let Some(known) = parents.get_mut(&parent) else {
                continue;
            };
            known.counted += u64::from(counts(bulk_list, &item));
            known.oldest = Some(known.oldest.map_or(at, |oldest| oldest.min(at)));
            let item = self::item(engine, &parent, item)?;
            known.seen.add(&item.key, &item.content_hash);
        }
    }
    parents.retain(|_, known| known.is_whole());
    if parents.len() <= reader.pages() {
        return Err(Ended::Unusable(BulkListDefect::Incomplete));
    }
    compare(engine, parents).await?;
    Ok(reader.pages())
}

/// True for a child that its parent counts.
fn counts(bulk_list: BulkList, item: &RawItem) -> bool {
    let Some(counted) = bulk_list.counted else {
        return false;
    };
    if field(&item.0, counted.with).is_none() {
        return false;
    }
    !is_true(&item.0, counted.unless)
}

/// Items as the parent's own list would bring them, and those without a usable key.
pub(super) fn items(
    engine: &Engine<'_>,
    parent: &str,
    items: Vec<RawItem>,
) -> Result<(Vec<NewItem>, Vec<DeadLetter>), CollectErrorKind> {
    let url = engine.list_url(parent)?;
    Ok(engine.listing(url.as_str(), parent).keyed(items))
}

/// The one item of the list, as the parent's own list would bring it.
fn item(engine: &Engine<'_>, parent: &str, item: RawItem) -> Result<NewItem, Ended> {
    let (mut items, _) = items(engine, parent, vec![item])?;
    items.pop().ok_or(Ended::Unusable(BulkListDefect::Unclear))
}

/// Reads the own lists of some parents, from the one with the most children to one with few, and
/// stores them. They must hold what the first reading saw.
async fn compare(engine: &mut Engine<'_>, parents: &mut Parents) -> Result<(), Ended> {
    let mut by_size: Vec<(u64, String)> = parents
        .iter()
        .map(|(key, known)| (known.seen.items, key.clone()))
        .collect();
    by_size.sort_unstable_by(|left, right| right.cmp(left));
    let every = by_size.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<(String, PendingParentTally)> = by_size
        .into_iter()
        .step_by(every)
        .filter_map(|(_, key)| parents.remove_entry(&key))
        .collect();
    let fetcher = engine.fetcher(engine.task.cancel.clone());
    let mut walks = Vec::with_capacity(sample.len());
    for (key, known) in &sample {
        let parent = PendingParent {
            key: key.clone(),
            changed_seq: known.changed_seq,
            child_counts: String::new(),
        };
        walks.push(fetcher.walk(parent, engine.list_url(key)?));
    }
    let mut ended = None;
    let mut read = Vec::with_capacity(sample.len());
    for (walked, (key, known)) in future::join_all(walks).await.into_iter().zip(&sample) {
        match walked.result {
            Ok(ChildListEnd::All) if seen(engine, key, &walked)? == Some(known.seen) => {}
            Ok(_) => ended = ended.or(Some(Ended::Unusable(BulkListDefect::Different))),
            Err(error) => {
                // It stays pending, and is tried again in its turn.
                ended = Some(error.into());
                continue;
            }
        }
        read.push(walked);
    }
    let (page, stopped) = engine.stage(None, read).await?;
    page.commit().await?;
    match stopped.map(Ended::Stopped).or(ended) {
        Some(ended) => Err(ended),
        None => Ok(()),
    }
}

/// What a parent's own list holds; none when not all of it can be stored.
fn seen(
    engine: &Engine<'_>,
    parent: &str,
    walked: &Walked,
) -> Result<Option<Tally>, CollectErrorKind> {
    let mut seen = Tally::default();
    let (items, letters) = items(engine, parent, walked.items.clone())?;
    for item in items {
        seen.add(&item.key, &item.content_hash);
    }
    Ok(Some(seen).filter(|_| letters.is_empty()))
}

/// The second reading: stores what belongs to these parents.
async fn write(
    engine: &mut Engine<'_>,
    bulk_list: BulkList,
    (parents, pages): (&Parents, usize),
) -> Result<(), Ended> {
    engine.first = false;
    let table = &engine.collection.raw_table;
    let store = engine.task.store;
    // A page more than before, since something may have come.
    let mut reader = Reader::new(engine, (bulk_list, pages + 1, None), parents)?;
    while let Some(entries) = reader.page(engine).await? {
        let mut new = Vec::with_capacity(entries.len());
        for Entry { parent, item, .. } in entries {
            if parents.contains_key(&parent) {
                new.push(self::item(engine, &parent, item)?);
            }
        }
        let received = new.len() as u64;
        let known = stored(engine, new.iter().map(|item| item.parent.clone()).collect()).await?;
        let now = reader.date().unwrap_or(engine.task.now);
        let mut page = store.begin(engine.task.scope, now).await?;
        let changes = page.write_items(table, new, &known, None).await?;
        page.commit().await?;
        engine.outcome.items += received;
        engine.outcome.written += changes.written;
        (engine.task.progress)(Progress {
            items: received,
            ..Progress::default()
        });
    }
    Ok(())
}

async fn stored(engine: &Engine<'_>, mut parents: Vec<String>) -> Result<StoredItems, StoreError> {
    parents.sort_unstable();
    parents.dedup();
    let table = &engine.collection.raw_table;
    let store = engine.task.store;
    store
        .stored_children(engine.task.scope, table, &parents)
        .await
}

/// Marks the parents of which just that is stored which the first reading saw. What is stored of
/// the others goes, so that their own lists are read as if this had not been tried.
async fn judge(
    engine: &mut Engine<'_>,
    parents: Parents,
    trusted: bool,
) -> Result<(), CollectErrorKind> {
    let mut parents: Vec<(String, PendingParentTally)> = parents.into_iter().collect();
    parents.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    for group in parents.chunks(GROUP) {
        let keys = group.iter().map(|(key, _)| key.clone()).collect();
        let stored = stored(engine, keys).await?;
        let mut found: HashMap<&str, Tally> = HashMap::new();
        for ((parent, key), item) in &stored {
            let tally = found.entry(parent).or_default();
            tally.add(key, &item.content_hash);
        }
        let is_proved =
            |key: &str, known: &PendingParentTally| trusted && found.get(key) == Some(&known.seen);
        let (proved, doubted): (Vec<_>, Vec<_>) =
            group.iter().partition(|(key, known)| is_proved(key, known));
        let doubted: Vec<&str> = doubted.iter().map(|(key, _)| key.as_str()).collect();
        let leftover = stored
            .iter()
            .filter(|((parent, _), _)| doubted.contains(&parent.as_str()))
            .map(|(_, item)| item.id)
            .collect();
        let proved = proved
            .iter()
            .map(|(key, known)| (key.clone(), known.changed_seq))
            .collect();
        mark(engine, proved, leftover).await?;
    }
    Ok(())
}

async fn mark(
    engine: &Engine<'_>,
    proved: Vec<(String, i64)>,
    leftover: Vec<i64>,
) -> Result<(), CollectErrorKind> {
    let stream = engine.collection.stream;
    let batch = Batch {
        parents: proved,
        ..Batch::default()
    };
    let store = engine.task.store;
    let mut page = store.begin(engine.task.scope, engine.task.now).await?;
    page.remove_items(&engine.collection.raw_table, &leftover)
        .await?;
    page.resolve_letters(stream, &batch.settled(&engine.old))
        .await?;
    let parents = batch.parents.len() as u64;
    page.set_children_fetched(stream, batch.parents).await?;
    page.commit().await?;
    (engine.task.progress)(Progress {
        parents,
        ..Progress::default()
    });
    Ok(())
}
