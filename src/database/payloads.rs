//! Payloads of databases that were made before secrets were kept out of them.

use headwater_collectors::content_hash;
use headwater_redaction::payload::without_secrets;
use headwater_store::{Store, StoreError};

use crate::sources::Sources;

/// What is remembered when it is done.
const DONE: &str = "payloads without secrets";

/// Which database is rid of secrets.
pub(super) enum Whose {
    /// The one that is worked with, which remembers that it was done.
    Database,
    /// The copy of one, from before its schema was changed: it may lack tables.
    Copy,
}

/// Replaces what is secret in stored payloads, once for each database, and returns how many had
/// something.
///
/// What a payload gives to other tables holds no secrets, so nothing follows from it. Items that
/// are collected again have the same hash as the ones that are rewritten.
pub(super) async fn conceal_secrets(store: &Store, whose: Whose) -> Result<u64, StoreError> {
    let is_done = match whose {
        Whose::Database => store.is_rewritten(DONE).await?,
        Whose::Copy => false,
    };
    if is_done {
        return Ok(0);
    }
    let mut rewritten = 0;
    for (_, entry) in Sources::all().streams() {
        let table = &entry.collection.raw_table;
        if matches!(whose, Whose::Copy) && !store.has_table(table).await? {
            continue;
        }
        rewritten += store
            .rewrite_payloads(table, |payload| {
                let hidden = without_secrets(payload.clone());
                (hidden != payload).then(|| {
                    let hash = content_hash(&hidden);
                    (hidden, hash)
                })
            })
            .await?;
    }
    if rewritten > 0 {
        store.compact().await?;
    }
    if matches!(whose, Whose::Database) {
        store.note_rewritten(DONE).await?;
    }
    Ok(rewritten)
}
