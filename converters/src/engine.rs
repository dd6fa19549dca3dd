//! The conversion loop: keys of changed tool rows in, all their domain rows out.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future;
use headwater_domain::{Rows, Scope};
use headwater_store::derivations::{ToList, Tracked};
use headwater_store::progress::Checkpoint;
use headwater_store::{Changes, Owner, Replacement, StepContext, Store, StoreError, Transaction};
use tokio::sync::mpsc;

use crate::conversion::Conversion;
use crate::hashes::{self, Counts, Named};
use crate::rules::Rules;

/// Driver rows converted in one transaction.
const PAGE: usize = 512;

/// Pages read ahead of the one that is written.
const AHEAD: usize = 1;

/// What a conversion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Driver rows converted, or found to be gone.
    pub items: u64,
    /// What happened to the domain tables.
    pub changes: Changes,
    /// Short hashes in these rows that no full one was found for.
    pub hashes: Counts,
    /// Of the items, those that name an issue that there is not.
    pub unknown: u64,
    /// Of the items, merged pull requests of which no commit was found.
    pub unlinked: u64,
}

/// Why a conversion stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was cancelled; what is committed stays.
    #[error("cancelled")]
    Cancelled,
    /// The database failed.
    #[error("converting {conversion} of {scope}")]
    Store {
        /// The conversion.
        conversion: &'static str,
        /// Full name of the repository.
        scope: String,
        /// What the database said.
        #[source]
        source: StoreError,
    },
    /// The changes of commits cannot be read.
    #[error("comparing what commits of {scope} change")]
    Patches {
        /// Full name of the repository.
        scope: String,
        /// What git said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Converts what changed in a scope since the last time.
///
/// # Errors
/// When cancelled, or the database fails.
pub async fn run(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    rules: &Arc<Rules>,
    context: &StepContext<'_>,
) -> Result<Outcome, Error> {
    let failed = |source| Error::Store {
        conversion: conversion.name,
        scope: scope.full_name.clone(),
        source,
    };
    let first = list_work(store, scope, conversion, rules, context)
        .await
        .map_err(failed)?;
    let step = conversion.step();
    let everything = store.reached_of_everything(scope, &step).await;
    let everything = everything.map_err(failed)?;
    let passes = everything.is_some();
    let (ready, batches) = mpsc::channel(AHEAD);
    let read = read_pages(store, scope, (conversion, rules, first), everything, ready);
    let written = write_pages(
        (store, scope),
        conversion,
        context,
        batches,
        (first, passes),
    );
    let (read, written) = future::join(read, written).await;
    let outcome = written.map_err(failed)?;
    read.map_err(failed)?;
    outcome.ok_or(Error::Cancelled)
}

/// Reads and converts pages ahead of the writing: listed keys first, then everything after a key
/// where it comes to that.
async fn read_pages(
    store: &Store,
    scope: &Scope,
    (conversion, rules, first): (&Conversion, &Arc<Rules>, bool),
    everything: Option<String>,
    ready: mpsc::Sender<Batch>,
) -> Result<(), StoreError> {
    let step = conversion.step();
    for (from, of_everything) in [(Some(String::new()), false), (everything, true)] {
        let Some(mut after) = from else {
            continue;
        };
        loop {
            let keys = if of_everything {
                let driver = conversion.driver;
                store.keys_after(scope, driver, &after, PAGE).await?
            } else {
                store.work(scope, &step, &after, PAGE).await?
            };
            let mut keys = keys;
            let fitting = conversion.fitting(store, scope, &keys).await?;
            keys.truncate(fitting);
            let Some(last) = keys.last().cloned() else {
                break;
            };
            after = last;
            let keys = (keys, of_everything);
            let mut batch = convert_page(store, scope, (conversion, rules), keys).await?;
            let named = (&mut batch.rows, batch.keys.as_slice());
            batch.named = hashes::resolve(store, scope, conversion, named, first).await?;
            if ready.send(batch).await.is_err() {
                // The writing has stopped, and reports why.
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Writes pages as they get ready; several share a transaction. None when it was cancelled.
async fn write_pages(
    (store, scope): (&Store, &Scope),
    conversion: &Conversion,
    context: &StepContext<'_>,
    mut batches: mpsc::Receiver<Batch>,
    (first, passes): (bool, bool),
) -> Result<Option<Outcome>, StoreError> {
    let mut outcome = Outcome::default();
    let mut open: Option<Transaction<'_>> = None;
    loop {
        if batches.is_empty()
            && let Some(page) = open.take()
        {
            open = page.yield_turn().await?;
        }
        let Some(batch) = batches.recv().await else {
            break;
        };
        if context.cancel.is_cancelled() {
            if let Some(page) = open {
                page.commit().await?;
            }
            return Ok(None);
        }
        let count = batch.keys.len() as u64;
        outcome.hashes += batch.named.counts;
        let page = match open.take() {
            Some(page) => page,
            None => store.begin(scope, context.now).await?,
        };
        let (page, changes) = stage_page(page, scope, conversion, (batch, first)).await?;
        open = page.go_on().await?;
        outcome.changes += changes;
        outcome.items += count;
        (context.progress)(count);
    }
    if passes {
        let page = match open.take() {
            Some(page) => page,
            None => store.begin(scope, context.now).await?,
        };
        page.end_everything(&conversion.step())?;
        open = Some(page);
    }
    if let Some(page) = open {
        page.commit().await?;
    }
    Ok(Some(outcome))
}

/// Driver keys with the rows made of them.
struct Batch {
    keys: Vec<String>,
    /// The keys are the next of all there are, not listed ones.
    of_everything: bool,
    /// Keys whose rows stay, because another scope has them too.
    held: HashSet<String>,
    rows: Rows,
    /// Short hashes that the rows were made with.
    named: Named,
}

/// Converts what belongs to some keys.
async fn convert_page(
    store: &Store,
    scope: &Scope,
    (conversion, rules): (&Conversion, &Arc<Rules>),
    (keys, of_everything): (Vec<String>, bool),
) -> Result<Batch, StoreError> {
    // What some repository reads from git is written from there, which has more.
    let by_git = if conversion.in_common {
        store.commits_held_by_git(&keys).await?
    } else {
        HashSet::new()
    };
    let own: Vec<String> = keys
        .iter()
        .filter(|key| !by_git.contains(*key))
        .cloned()
        .collect();
    let related = conversion.load_related(store, scope, &own, rules).await?;
    let converted = (conversion.convert)(store, scope, &own, related).await?;
    let mut held = if conversion.in_common && converted.some_are_gone {
        store.keys_elsewhere(scope, conversion.driver, &own).await?
    } else {
        HashSet::new()
    };
    held.extend(by_git);
    Ok(Batch {
        keys,
        of_everything,
        held,
        rows: converted.rows,
        named: Named::default(),
    })
}

/// Notes every driver key whose inputs changed, or that it is all of them, together with the
/// checkpoint. Returns true when no row of these can be there yet.
async fn list_work(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    rules: &Rules,
    context: &StepContext<'_>,
) -> Result<bool, StoreError> {
    let version = format!("v{}", conversion.version);
    let reads = conversion.reads.iter().map(|read| Tracked {
        table: read.table,
        column: read.column,
        way: read.way.as_ref(),
    });
    let list = ToList {
        step: &conversion.step(),
        reads: reads.collect(),
        rules: Checkpoint::rules_of(&version, &(conversion.fingerprint)(rules)),
        passes: conversion.may_pass_everything(),
    };
    let begins = store.list_changed(scope, list, context).await?;
    Ok(begins && !conversion.shared)
}

/// Hands a page's rows to the database; what is left to do is to commit them.
async fn stage_page<'s>(
    mut page: Transaction<'s>,
    scope: &Scope,
    conversion: &Conversion,
    (batch, first): (Batch, bool),
) -> Result<(Transaction<'s>, Changes), StoreError> {
    let Batch {
        keys,
        of_everything,
        held,
        mut rows,
        named,
    } = batch;
    let own = keys.iter().filter(|key| !held.contains(*key));
    let owners: Vec<String> = own.map(|key| (conversion.owner)(scope, key)).collect();
    let mut changes = Changes::default();
    for write in &conversion.writes {
        let replacement = Replacement {
            table: write.table,
            owner: Owner::Column {
                name: write.owner,
                values: owners.clone(),
                connection_id: None,
            },
            rows: rows.take(write.table),
            first,
        };
        changes += page.replace(replacement).await?;
    }
    debug_assert!(
        rows.is_empty(),
        "{} writes undeclared tables",
        conversion.name
    );
    changes += named.write(&mut page, scope, conversion).await?;
    match keys.last() {
        Some(last) if of_everything => page.reach_of_everything(&conversion.step(), last)?,
        _ => page.finish_work(&conversion.step(), &keys)?,
    }
    Ok((page, changes))
}
