//! Payloads and addresses of databases that were made before secrets were kept out of them.

use headwater_collectors::{address_without_secrets, content_hash};
use headwater_redaction::payload::without_secrets;
use headwater_store::{Store, StoreError};

use crate::sources::Sources;

/// What is remembered when payloads are done.
const PAYLOADS: &str = "payloads without secrets";

/// What is remembered when addresses are done.
const ADDRESSES: &str = "addresses without secrets";

/// What is remembered of rewriting.
const REWRITES: &str = "_headwater_rewrites";

/// Where walks go on.
const WALKS: &str = "_headwater_walks";

/// Replaces what is secret in stored payloads and addresses, once for each database.
///
/// What a payload gives to other tables holds no secrets, so nothing follows from it. Items that
/// are collected again have the same hash as the ones that are rewritten.
pub(super) async fn conceal_secrets(store: &Store) -> Result<(), StoreError> {
    let mut rewritten = 0;
    let payloads = !store.is_rewritten(PAYLOADS).await?;
    let addresses = !store.is_rewritten(ADDRESSES).await?;
    if payloads {
        rewritten += rewrite_payloads(store, false).await?;
    }
    if addresses {
        rewritten += rewrite_addresses(store, false).await?;
    }
    if rewritten > 0 {
        store.compact().await?;
    }
    if payloads {
        store.note_rewritten(PAYLOADS).await?;
    }
    if addresses {
        store.note_rewritten(ADDRESSES).await?;
    }
    Ok(())
}

/// Whether an SQLite file was rid of them before, so that a copy of it holds none.
pub(super) async fn is_free_of_secrets(store: &Store) -> Result<bool, StoreError> {
    // The file may be from before the table was there.
    Ok(store.has_table(REWRITES).await?
        && store.is_rewritten(PAYLOADS).await?
        && store.is_rewritten(ADDRESSES).await?)
}

/// The same in the copy of an SQLite file from before its schema is changed: it may lack tables.
pub(super) async fn conceal_in_copy(copy: &Store) -> Result<(), StoreError> {
    let rewritten = rewrite_payloads(copy, true).await? + rewrite_addresses(copy, true).await?;
    if rewritten > 0 {
        copy.compact().await?;
    }
    Ok(())
}

async fn raw_tables(store: &Store, may_lack: bool) -> Result<Vec<String>, StoreError> {
    let mut tables = Vec::new();
    for (_, entry) in Sources::all().streams() {
        let table = &entry.collection.raw_table;
        if !may_lack || store.has_table(table).await? {
            tables.push(table.clone());
        }
    }
    Ok(tables)
}

async fn rewrite_payloads(store: &Store, may_lack: bool) -> Result<u64, StoreError> {
    let mut rewritten = 0;
    for table in raw_tables(store, may_lack).await? {
        let rewriting = store.rewrite_payloads(&table, |payload| {
            let hidden = without_secrets(payload.clone());
            (hidden != payload).then(|| {
                let hash = content_hash(&hidden);
                (hidden, hash)
            })
        });
        rewritten += rewriting.await?;
    }
    Ok(rewritten)
}

async fn rewrite_addresses(store: &Store, may_lack: bool) -> Result<u64, StoreError> {
    let mut rewritten = 0;
    for table in raw_tables(store, may_lack).await? {
        rewritten += store
            .rewrite_texts(&table, "url", address_without_secrets)
            .await?;
    }
    if !may_lack || store.has_table(WALKS).await? {
        rewritten += store
            .rewrite_texts(WALKS, "resume_at", address_without_secrets)
            .await?;
    }
    Ok(rewritten)
}
