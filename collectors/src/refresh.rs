//! When a list that has been read to its end is read again.
//!
//! Most lists are read in each run. Some change only together with another one, which the run has
//! just read: they say so as data (a [`Refresh`]), and are read when that list shows it, or when
//! they have not been read for so long. [`next`] is the one place that decides it.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::Scope;
use headwater_store::looks::Look;
use headwater_store::progress::WalkKey;
use headwater_store::{Store, StoreError};

use crate::bounds;
use crate::endpoint::Collection;
use crate::engine::{Range, Task};
use crate::error::{CollectErrorKind, RequestErrorKind};
use crate::key::field;
use crate::list;
use crate::page::RawItem;

/// Items, or notes of them, that are read at once.
const GROUP: usize = 100;

/// A list that was there before is asked for in each run for so many hours more: a server in
/// trouble may deny what it has.
const DOUBTED_HOURS: i64 = 24;

/// An item that was created so many hours ago, or earlier, and has not ended waits for a person.
const LATELY_HOURS: i64 = 48;

/// How often a list is read.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// Hours after which it is read in any case; 0 where it is read in each run.
    pub hours: i64,
    /// What makes it due before.
    pub signs: &'static [Sign],
    /// When a list that is not there is asked for again; none where it is in each run.
    pub absence: Option<Absence>,
}

/// How long a list that is not there is believed not to be.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// Hours after which it is asked for again.
    pub hours: i64,
    /// Stream whose item shows that the scope is there: hidden scopes answer as if they lacked all
    /// lists.
    pub scope_item: &'static str,
}

/// What another list, read in the same run, shows.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    /// An item of it is new or has changed, or was created lately and has not ended.
    Moves(fn() -> Collection),
    /// A new or changed item of it names, in this field, an item that is not stored.
    Names(fn() -> Collection, &'static [&'static str]),
}

impl Refresh {
    /// In each run, whether it is there or not.
    pub const EACH_RUN: Self = Self {
        hours: 0,
        signs: &[],
        absence: None,
    };

    fn is_each_run(&self) -> bool {
        self.hours == 0 && self.absence.is_none()
    }
}

/// What is to be done with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is read.
    Read,
    /// What is stored of it is taken for what there is.
    Unchanged,
    /// It is taken for absent, as it was the last time.
    Absent,
}

/// What a decision is made from.
pub struct Moment<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whose list.
    pub scope: &'a Scope,
    /// The part that is wanted.
    pub range: Range,
    /// Streams of the scope that this run has read, or found not to be due.
    pub read: &'a [&'static str],
    /// Our clock (UTC).
    pub now: DateTime<Utc>,
}

/// Decides whether a list is read in this run.
///
/// # Errors
/// When the database fails.
pub(crate) async fn next(moment: &Moment<'_>, collection: &Collection) -> Result<Next, StoreError> {
    let refresh = &collection.endpoint.refresh;
    if refresh.is_each_run() || moment.range.full {
        return Ok(Next::Read);
    }
    let key = moment.key(collection.stream);
    let Some(look) = moment.store.look(key).await? else {
        return Ok(Next::Read);
    };
    let walked = moment.store.walk_state(key).await?;
    let hours = match look.absent_since {
        None => refresh.hours,
        Some(since) if walked.complete && look.at - since < TimeDelta::hours(DOUBTED_HOURS) => 0,
        Some(_) => refresh.absence.map_or(0, |absence| absence.hours),
    };
    if look.is_over(hours, moment.now) {
        return Ok(Next::Read);
    }
    let is_absent = look.absent_since.is_some();
    let is_whole = walked.complete
        && walked.resume_at.is_none()
        && !walked.is_exceeded_by(moment.range.data_after);
    let is_certain = is_absent || is_whole && moment.is_well(collection).await?;
    if !is_certain {
        return Ok(Next::Read);
    }
    let is_running = collection.endpoint.ended.is_some() && moment.runs(collection).await?;
    if is_running {
        return Ok(Next::Read);
    }
    for sign in refresh.signs {
        if moment.shows(sign, (collection, look)).await? {
            return Ok(Next::Read);
        }
    }
    Ok(if is_absent {
        Next::Absent
    } else {
        Next::Unchanged
    })
}

impl Moment<'_> {
    fn key<'k>(&'k self, stream: &'k str) -> WalkKey<'k> {
        WalkKey {
            scope: self.scope,
            stream,
        }
    }

    /// No item of the list could not be stored.
    async fn is_well(&self, collection: &Collection) -> Result<bool, StoreError> {
        let dead = self.store.dead_items(self.scope, collection.stream).await?;
        Ok(dead.is_empty())
    }

    async fn shows(
        &self,
        sign: &Sign,
        (collection, look): (&Collection, Look),
    ) -> Result<bool, StoreError> {
        let (Sign::Moves(other) | Sign::Names(other, _)) = sign;
        let other = other();
        // A list that was not read shows nothing, and nothing can be concluded from that.
        if !self.read.contains(&other.stream) {
            return Ok(true);
        }
        match sign {
            Sign::Moves(_) => {
                let table = &other.raw_table;
                let changed = self
                    .store
                    .changed_count(self.scope, table, look.seq)
                    .await?;
                Ok(changed > 0 || self.runs(&other).await?)
            }
            Sign::Names(_, field) => self.names_unknown((&other, field), collection, look).await,
        }
    }

    /// Whether an item of a list that was created lately has not ended and changes by itself: it,
    /// and what hangs on it, may have changed.
    async fn runs(&self, list: &Collection) -> Result<bool, StoreError> {
        let walked = self.store.walk_state(self.key(list.stream)).await?;
        let since = walked.since.unwrap_or(self.now) - TimeDelta::hours(LATELY_HOURS);
        let (step, mut after) = (list.unended_step(), String::new());
        loop {
            let notes = self.store.work(self.scope, &step, &after, GROUP).await?;
            let Some(newest) = notes.last() else {
                return Ok(false);
            };
            after.clone_from(newest);
            let keys: Vec<String> = notes.iter().filter_map(|it| list::noted(it)).collect();
            for item in stored(self.store, self.scope, list, &keys).await? {
                let created = bounds::created_at(&list.endpoint, &item);
                if created.is_none_or(|created| created >= since) {
                    return Ok(true);
                }
            }
        }
    }

    /// Whether an item that changed since the list was last read names one that is not stored.
    async fn names_unknown(
        &self,
        (naming, name): (&Collection, &[&str]),
        collection: &Collection,
        look: Look,
    ) -> Result<bool, StoreError> {
        let mut after = (look.seq + 1, 0);
        loop {
            let table = &naming.raw_table;
            let rows = self.store.changed_items(self.scope, table, after, GROUP);
            let rows = rows.await?;
            let Some(last) = rows.last() else {
                return Ok(false);
            };
            after = (last.changed_seq, last.id);
            let names = rows.iter().filter_map(|row| field(&row.data, name));
            let names: HashSet<String> = names.collect();
            let names: Vec<String> = names.into_iter().collect();
            let table = &collection.raw_table;
            let known = self.store.stored_items(self.scope, table, &names).await?;
            if known.len() < names.len() {
                return Ok(true);
            }
        }
    }
}

/// Whether nothing is asked for a list as long as others, which the run reads, show no change: it
/// is not due, a branch's head tells, or one page serves it together with a list before it.
///
/// # Errors
/// When the database fails.
pub async fn costs_nothing(
    moment: &Moment<'_>,
    collection: &Collection,
) -> Result<bool, StoreError> {
    if next(moment, collection).await? != Next::Read {
        return Ok(true);
    }
    let walked = moment
        .store
        .walk_state(moment.key(collection.stream))
        .await?;
    if !walked.complete || moment.range.full {
        return Ok(false);
    }
    let range = collection.endpoint.commit_range;
    if let Some(heads) = range.and_then(|range| range.heads) {
        return Ok(moment.read.contains(&(heads.branches)().stream));
    }
    let Some(together) = collection.endpoint.together else {
        return Ok(false);
    };
    let lists = together.lists.iter().map(|list| list().stream);
    let first = lists.into_iter().find(|list| moment.read.contains(list));
    let is_first = first.is_none_or(|first| first == collection.stream);
    Ok(!is_first && together.fits(moment.store, moment.scope).await?)
}

/// Stored items of a list with these keys.
pub(crate) async fn stored(
    store: &Store,
    scope: &Scope,
    list: &Collection,
    keys: &[String],
) -> Result<Vec<RawItem>, StoreError> {
    let table = &list.raw_table;
    let found = store.stored_items(scope, table, keys).await?;
    let ids: Vec<i64> = found.values().map(|item| item.id).collect();
    let rows = store.items_by_id(table, &ids).await?;
    Ok(rows.into_iter().map(|row| RawItem(row.data)).collect())
}

/// Notes what came of asking for a list that is not read in each run. The sequence is the scope's
/// latest before it was asked for.
pub(crate) async fn note(
    task: &Task<'_>,
    collection: &Collection,
    seq: i64,
    done: &Result<(), CollectErrorKind>,
) -> Result<(), CollectErrorKind> {
    let refresh = &collection.endpoint.refresh;
    let is_absent = match (done, refresh.absence) {
        (Ok(()), _) => false,
        (Err(error), Some(absence)) if is_absence(task, collection, absence, error) => true,
        (Err(_), _) => return Ok(()),
    };
    if refresh.is_each_run() {
        return Ok(());
    }
    let key = WalkKey {
        scope: task.scope,
        stream: collection.stream,
    };
    let before = task.store.look(key).await?;
    let absent_before = before.and_then(|look| look.absent_since);
    let look = Look {
        at: task.now,
        seq,
        absent_since: is_absent.then(|| absent_before.unwrap_or(task.now)),
    };
    let page = task.store.begin(task.scope, task.now).await?;
    page.note_look(collection.stream, look).await?;
    page.commit().await?;
    Ok(())
}

/// Whether a failure means that the scope, which is there, lacks the list.
fn is_absence(
    task: &Task<'_>,
    collection: &Collection,
    absence: Absence,
    error: &CollectErrorKind,
) -> bool {
    match error {
        CollectErrorKind::SwitchedOff { .. } => true,
        CollectErrorKind::Request(error) if collection.endpoint.optional => match error.kind {
            RequestErrorKind::Gone {
                change: Some(_), ..
            } => true,
            RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { .. } => {
                task.read.contains(&absence.scope_item)
            }
            _ => false,
        },
        _ => false,
    }
}
