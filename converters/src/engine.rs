//! The conversion loop: keys of changed tool rows in, all their domain rows out.

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use headwater_store::progress::Checkpoint;
use headwater_store::{Changes, Owner, Replacement, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::conversion::Conversion;

/// Driver rows converted in one transaction.
const PAGE: usize = 256;

/// What an engine needs from outside while it works.
pub struct Watch<'a> {
    /// The time that written rows carry (UTC).
    pub now: DateTime<Utc>,
    /// Ends the work at the next page.
    pub cancel: &'a CancellationToken,
    /// Is told the number of driver rows done since it was last told.
    pub progress: &'a (dyn Fn(u64) + Send + Sync),
}

/// What a conversion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Driver rows converted, or found to be gone.
    pub items: u64,
    /// What happened to the domain tables.
    pub changes: Changes,
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
}

/// Converts what changed in a scope since the last time.
///
/// # Errors
/// When cancelled, or the database fails.
pub async fn run(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    watch: &Watch<'_>,
) -> Result<Outcome, Error> {
    let failed = |source| Error::Store {
        conversion: conversion.name,
        scope: scope.full_name.clone(),
        source,
    };
    let step = conversion.step();
    let first = list_work(store, scope, conversion, watch)
        .await
        .map_err(failed)?;
    let mut outcome = Outcome::default();
    loop {
        if watch.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let keys = store.work(scope, &step, PAGE).await.map_err(failed)?;
        if keys.is_empty() {
            return Ok(outcome);
        }
        let changes = convert_keys(store, scope, conversion, watch, (&keys, first)).await;
        outcome.changes += changes.map_err(failed)?;
        outcome.items += keys.len() as u64;
        (watch.progress)(keys.len() as u64);
    }
}

/// Notes every driver key whose inputs changed, together with the checkpoint. Returns true when
/// no row of these can be there yet.
async fn list_work(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    watch: &Watch<'_>,
) -> Result<bool, StoreError> {
    let step = conversion.step();
    let stored = store.checkpoint(scope, &step).await?;
    let rules = format!("v{}", conversion.version);
    let after = if stored.rules == rules { stored.seq } else { 0 };
    let latest = store.latest_seq(scope).await?;
    if after == latest {
        return Ok(false);
    }
    let mut removed = Vec::new();
    for read in &conversion.reads {
        let keys = store
            .removed_between(scope, read.table.name, after, latest)
            .await?;
        removed.extend(keys.iter().filter_map(|key| driver_key(key, read.column)));
    }
    let page = store.begin(scope, watch.now).await?;
    for read in &conversion.reads {
        let changed = (read.table.name, read.column);
        page.add_changed_work(&step, changed, (after, latest))
            .await?;
    }
    page.add_work(&step, removed).await?;
    let done = Checkpoint {
        seq: latest,
        row_id: 0,
        rules,
    };
    page.set_checkpoint(&step, &done).await?;
    page.commit().await?;
    Ok(stored.is_start() && !conversion.shared)
}

/// The driver key inside the key of a removed row.
fn driver_key(removed_key: &str, column: &str) -> Option<String> {
    let key: serde_json::Value = serde_json::from_str(removed_key).ok()?;
    Some(key.get(column)?.as_str()?.to_owned())
}

async fn convert_keys(
    store: &Store,
    scope: &Scope,
    conversion: &Conversion,
    watch: &Watch<'_>,
    (keys, first): (&[String], bool),
) -> Result<Changes, StoreError> {
    let related = conversion.load_related(store, scope, keys).await?;
    let mut rows = (conversion.convert)(store, scope, keys, related).await?;
    let owners: Vec<String> = keys
        .iter()
        .map(|key| (conversion.owner)(scope, key))
        .collect();
    let mut changes = Changes::default();
    let mut page = store.begin(scope, watch.now).await?;
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
    page.finish_work(&conversion.step(), keys).await?;
    page.commit().await?;
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::driver_key;

    #[test]
    fn the_driver_key_is_read_from_the_key_of_a_removed_row() {
        let removed = r#"{"connection_id":"1","pull_request_id":"12","commit_sha":"aa"}"#;
        assert_eq!(
            driver_key(removed, "pull_request_id").as_deref(),
            Some("12")
        );
        assert_eq!(driver_key(removed, "bitbucket_id"), None);
        assert_eq!(driver_key("12", "pull_request_id"), None);
        assert_eq!(driver_key("not JSON", "pull_request_id"), None);
    }
}
