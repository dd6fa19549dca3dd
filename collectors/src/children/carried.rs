//! Children that the stored items of another stream carry, instead of one list for each parent.
//!
//! The log of a pull request's activity has its comments within its entries. Nothing documents that
//! it has all of them, or in the same words, so nothing is taken for granted. A parent's children
//! are taken only if the items that carry them were read after its last change, as many came as it
//! counts, and each that answers another one has that, too. The lists of some parents are read to
//! compare, byte for byte; and what no parent counts, children that are marked as deleted, must have
//! been seen to be carried by this server, and never to be left out. All others are read one by one.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use futures::future;
use headwater_store::StoreError;
use headwater_store::proofs::Proof;
use headwater_store::raw::{KnownParent, ParentPosition, PendingParent};
use serde_json::value::RawValue;

use super::bulk_list::{Tally, items};
use super::{ChildListEnd, Engine, GROUP, PARENTS, Walked, status};
use crate::carried::Carried;
use crate::endpoint::Endpoint;
use crate::engine::CarriedDefect;
use crate::error::{CollectErrorKind, Verdict};
use crate::key::{field, is_true};
use crate::page::RawItem;

/// With fewer parents it is not worth the trouble.
const WORTH: usize = 4;

/// Lists that must have been the same on this server before fewer of them are read to compare.
const PROVED: i64 = 8;

/// Of so many parents one list is read to compare, once that is proved.
const PARENTS_PER_LIST: usize = 8;

/// Claims about a server, as the database remembers them.
const SAME: &str = "same items";
const DELETED: &str = "deleted items";

/// A parent's children, as they are carried.
#[derive(Default)]
struct Taken {
    items: Vec<RawItem>,
    keys: HashSet<String>,
    /// Children that others answer.
    answered: HashSet<String>,
    counted: u64,
    /// Those that nothing counts.
    deleted: usize,
    /// The server's clock when they were read, at the latest (UTC).
    date: Option<DateTime<Utc>>,
    /// An item could not be read.
    is_unclear: bool,
}

impl Taken {
    fn add(&mut self, endpoint: &Endpoint, carried: Carried, item: &RawValue) {
        let data = item.get().as_bytes();
        let Some(key) = endpoint.key_of(data) else {
            self.is_unclear = true;
            return;
        };
        self.is_unclear |= !self.keys.insert(key);
        self.answered.extend(field(data, carried.answers));
        let is_deleted = is_true(data, carried.uncounted);
        self.deleted += usize::from(is_deleted);
        self.counted += u64::from(!is_deleted);
        self.items.push(RawItem(data.to_vec()));
    }

    /// True when nothing speaks against these being all.
    fn is_whole(&self, number: Option<u64>) -> bool {
        !self.is_unclear && number == Some(self.counted) && self.answered.is_subset(&self.keys)
    }
}

/// Takes the children of parents for which that is proved; the others stay pending.
pub(super) async fn collect(
    engine: &mut Engine<'_>,
    carried: Carried,
) -> Result<(), CollectErrorKind> {
    let mut parents = candidates(engine, carried).await?;
    if parents.len() < WORTH {
        return Ok(());
    }
    let sample = sample(engine, carried, &mut parents).await?;
    if let Some(defect) = compare(engine, carried, sample).await? {
        engine.outcome.carried_defect = Some(defect);
        return Ok(());
    }
    for group in parents.chunks(GROUP) {
        let mut taken = taken(engine, carried, group).await?;
        let mut walked = Vec::with_capacity(group.len());
        for parent in group {
            let own = taken.remove(&parent.key).unwrap_or_default();
            if own.is_whole(number(engine, parent)) {
                walked.push(Walked {
                    parent: parent.clone(),
                    items: own.items,
                    date: own.date,
                    result: Ok(ChildListEnd::All),
                });
            }
        }
        engine.outcome.carried += walked.len() as u64;
        let (page, stopped) = engine.stage(None, walked).await?;
        page.commit().await?;
        if let Some(stopped) = stopped {
            return Err(stopped);
        }
    }
    Ok(())
}

/// Pending parents that count children, and whose items of the other stream are up to date.
async fn candidates(
    engine: &Engine<'_>,
    carried: Carried,
) -> Result<Vec<PendingParent>, StoreError> {
    let (store, scope) = (engine.task.store, engine.task.scope);
    let mut candidates = Vec::new();
    let mut position = ParentPosition::default();
    loop {
        let of = |stream| (engine.parent_table, stream);
        let own = store.parents(scope, of(engine.collection.stream), position, PARENTS);
        let (own, reached) = own.await?;
        if own.is_empty() {
            return Ok(candidates);
        }
        let others = store.parents(scope, of(carried.stream), position, PARENTS);
        let (others, _) = others.await?;
        position = reached;
        let fresh: HashSet<i64> = others
            .iter()
            .filter(|known| !known.is_pending())
            .map(|known| known.id)
            .collect();
        let pending = own.into_iter().filter(KnownParent::is_pending);
        let is_now = |known: &KnownParent| !engine.later.contains(&known.parent.key);
        let pending = pending.filter(|known| fresh.contains(&known.id) && is_now(known));
        let pending = pending.map(|known| known.parent);
        candidates.extend(pending.filter(|it| number(engine, it).is_some_and(|count| count > 0)));
    }
}

/// How many children a parent counts.
fn number(engine: &Engine<'_>, parent: &PendingParent) -> Option<u64> {
    let count = engine.parent.count?;
    let mut counts = parent.child_counts.split(',');
    counts.find_map(|known| known.strip_prefix(count)?.strip_prefix('=')?.parse().ok())
}

/// The parents whose lists are read to compare: from the one with the most children to one with
/// few, and, until the server has shown one, one with a child that is marked as deleted.
async fn sample(
    engine: &Engine<'_>,
    carried: Carried,
    parents: &mut Vec<PendingParent>,
) -> Result<Vec<PendingParent>, StoreError> {
    let (store, connection) = (engine.task.store, engine.task.scope.connection_id);
    let claim = |claim| engine.claim(claim);
    let same = store.proof(connection, &claim(SAME)).await?;
    let size = if same.held < PROVED {
        usize::try_from(PROVED).unwrap_or(PARENTS_PER_LIST)
    } else {
        (parents.len() / PARENTS_PER_LIST).clamp(1, PARENTS_PER_LIST)
    };
    let mut sample = Vec::with_capacity(size + 1);
    if store.proof(connection, &claim(DELETED)).await?.held == 0
        && let Some(place) = with_deleted(engine, carried, parents).await?
    {
        sample.push(parents.remove(place));
    }
    parents.sort_by_key(|it| std::cmp::Reverse((number(engine, it), it.key.clone())));
    let every = parents.len().div_ceil(size).max(1);
    let places: Vec<usize> = (0..parents.len()).step_by(every).collect();
    for place in places.into_iter().rev() {
        sample.push(parents.remove(place));
    }
    Ok(sample)
}

/// Place of the first parent with a child that is carried and marked as deleted.
async fn with_deleted(
    engine: &Engine<'_>,
    carried: Carried,
    parents: &[PendingParent],
) -> Result<Option<usize>, StoreError> {
    for (number, group) in parents.chunks(GROUP).enumerate() {
        let taken = taken(engine, carried, group).await?;
        let has = |it: &PendingParent| taken.get(&it.key).is_some_and(|own| own.deleted > 0);
        if let Some(place) = group.iter().position(has) {
            return Ok(Some(number * GROUP + place));
        }
    }
    Ok(None)
}

/// Children of these parents as the other stream's stored items carry them.
async fn taken(
    engine: &Engine<'_>,
    carried: Carried,
    parents: &[PendingParent],
) -> Result<HashMap<String, Taken>, StoreError> {
    let keys: Vec<String> = parents.iter().map(|parent| parent.key.clone()).collect();
    let store = engine.task.store;
    let table = carried_by(engine);
    let rows = store.children_of(engine.task.scope, table, &keys).await?;
    let endpoint = &engine.collection.endpoint;
    let mut taken: HashMap<String, Taken> = HashMap::new();
    for row in rows {
        let own = taken.entry(row.parent).or_default();
        own.date = own.date.max(row.created_at);
        match serde_json::from_slice::<HashMap<String, &RawValue>>(&row.data) {
            Ok(members) => match members.get(carried.member) {
                Some(item) if item.get() != "null" => own.add(endpoint, carried, item),
                _ => {}
            },
            Err(_) => own.is_unclear = true,
        }
    }
    Ok(taken)
}

/// Raw table of the stream whose items carry the children.
fn carried_by<'e>(engine: &Engine<'e>) -> &'e str {
    let carried = engine.collection.carried.as_ref();
    carried.map_or("", |(_, table)| table)
}

/// Reads the own lists of these parents, stores them and compares. Returns why what is carried does
/// not serve; none where it does.
async fn compare(
    engine: &mut Engine<'_>,
    carried: Carried,
    sample: Vec<PendingParent>,
) -> Result<Option<CarriedDefect>, CollectErrorKind> {
    let taken = taken(engine, carried, &sample).await?;
    let fetcher = engine.fetcher(engine.task.cancel.clone());
    let mut walks = Vec::with_capacity(sample.len());
    for parent in sample {
        let url = engine.list_url(&parent.key)?;
        walks.push(fetcher.walk(parent, url));
    }
    let nothing = Taken::default();
    let mut found = Compared::default();
    let mut read = Vec::new();
    for walked in future::join_all(walks).await {
        let own = taken.get(&walked.parent.key).unwrap_or(&nothing);
        match &walked.result {
            Ok(_) => found.add(engine, carried, own, &walked)?,
            Err(error) if error.kind.verdict() == Verdict::Stop => {}
            Err(error) => {
                // It stays pending, and is tried again in its turn.
                found.defect = Some(CarriedDefect::NotGiven(status(error)));
                continue;
            }
        }
        read.push(walked);
    }
    let (page, stopped) = engine.stage(None, read).await?;
    let connection = engine.task.scope.connection_id;
    for (claim, held, broken) in [
        (SAME, found.same, 0),
        (DELETED, found.deleted, found.hidden),
    ] {
        let claim = engine.claim(claim);
        let more = Proof { held, broken };
        page.add_proof((connection, &claim), more).await?;
    }
    page.commit().await?;
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    let claim = engine.claim(DELETED);
    let deleted = engine.task.store.proof(connection, &claim).await?;
    Ok(match found.defect {
        _ if deleted.broken > 0 => Some(CarriedDefect::Hidden),
        Some(defect) => Some(defect),
        None if deleted.held == 0 || found.same == 0 => Some(CarriedDefect::Unproved),
        None => None,
    })
}

/// What came of comparing.
#[derive(Default)]
struct Compared {
    /// Lists that held just what was carried.
    same: i64,
    /// Children marked as deleted that were carried, and that were not.
    deleted: i64,
    hidden: i64,
    defect: Option<CarriedDefect>,
}

impl Compared {
    fn add(
        &mut self,
        engine: &Engine<'_>,
        carried: Carried,
        own: &Taken,
        walked: &Walked,
    ) -> Result<(), CollectErrorKind> {
        for item in &walked.items {
            if is_true(&item.0, carried.uncounted) {
                let key = engine.collection.endpoint.key_of(&item.0);
                let is_carried = key.is_some_and(|key| own.keys.contains(&key));
                self.deleted += i64::from(is_carried);
                self.hidden += i64::from(!is_carried);
            }
        }
        if !own.is_whole(number(engine, &walked.parent)) {
            // Its own list is read in any case.
            return Ok(());
        }
        let parent = &walked.parent.key;
        if tally(engine, parent, &walked.items)? == tally(engine, parent, &own.items)? {
            self.same += 1;
        } else {
            self.defect = Some(CarriedDefect::Different);
        }
        Ok(())
    }
}

/// The items as they would be stored; none when not all of them can be.
fn tally(
    engine: &Engine<'_>,
    parent: &str,
    received: &[RawItem],
) -> Result<Option<Tally>, CollectErrorKind> {
    let (items, letters) = items(engine, parent, received.to_vec())?;
    let mut tally = Tally::default();
    for item in items {
        tally.add(&item.key, &item.content_hash);
    }
    Ok(Some(tally).filter(|_| letters.is_empty()))
}

impl Engine<'_> {
    /// Name of a claim about the server, of this stream.
    fn claim(&self, claim: &str) -> String {
        format!("{}: {claim}", self.collection.stream)
    }
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;

    use super::*;
    use crate::endpoint::Collect;

    fn is_whole(number: Option<u64>, items: &[&str]) -> bool {
        let Some(carried) = PullRequestComments::CARRIED else {
            panic!("nothing carries comments");
        };
        let mut taken = Taken::default();
        for item in items {
            let item: &RawValue = serde_json::from_str(item).unwrap();
            taken.add(&PullRequestComments::ENDPOINT, carried, item);
        }
        taken.is_whole(number)
    }

    #[test]
    fn children_are_all_when_as_many_came_as_are_counted_and_answers_have_what_they_answer() {
        let one = r#"{"id": 1}"#;
        let gone = r#"{"id": 2, "deleted": true}"#;
        let answer = r#"{"id": 3, "parent": {"id": 2}}"#;
        for (number, items, expected) in [
            (Some(1), &[one][..], true),
            (Some(2), &[one], false),
            (None, &[one], false),
            (Some(1), &[one, gone], true),
            (Some(2), &[one, gone], false),
            (Some(2), &[one, gone, answer], true),
            (Some(2), &[one, answer], false),
            (Some(2), &[one, one], false),
            (Some(1), &[one, r#"{"text": "no key"}"#], false),
            (Some(1), &[one, r#""gone""#], false),
            (Some(0), &[], true),
        ] {
            assert_eq!(is_whole(number, items), expected, "{number:?} {items:?}");
        }
    }
}
