//! Payloads and addresses of databases that were made before secrets, and what no table reads, were
//! kept out of them.

use headwater_collectors::{Collection, address_without_secrets, content_hash, trimmed};
use headwater_redaction::payload::without_secrets;
use headwater_store::{Store, StoreError};

use crate::sources::Sources;

/// What is remembered when payloads are done.
const PAYLOADS: &str = "payloads without secrets";

/// What is remembered when addresses are done.
const ADDRESSES: &str = "addresses without secrets";

/// What is remembered when payloads lack what no table reads. Another list of members needs another
/// name.
const MEMBERS: &str = "payloads without members that no table reads";

/// What is remembered of rewriting.
const REWRITES: &str = "_headwater_rewrites";

/// Where walks go on.
const WALKS: &str = "_headwater_walks";

/// Replaces what is secret in stored payloads and addresses, and takes out what is not collected any
/// more, once for each database.
///
/// What a payload gives to other tables holds neither, so nothing follows from it. Items that are
/// collected again have the same hash as the ones that are rewritten.
pub(super) async fn rewrite(store: &Store) -> Result<(), StoreError> {
    let mut rewritten = 0;
    let mut done = Vec::new();
    for name in [PAYLOADS, MEMBERS, ADDRESSES] {
        if store.is_rewritten(name).await? {
            continue;
        }
        rewritten += match name {
            ADDRESSES => rewrite_addresses(store, false).await?,
            MEMBERS => rewrite_payloads(store, false, without_members).await?,
            _ => rewrite_payloads(store, false, concealed).await?,
        };
        done.push(name);
    }
    if rewritten > 0 {
        store.compact().await?;
    }
    for name in done {
        store.note_rewritten(name).await?;
    }
    Ok(())
}

fn concealed(_: &Collection, payload: Vec<u8>) -> Vec<u8> {
    without_secrets(payload)
}

fn without_members(collection: &Collection, payload: Vec<u8>) -> Vec<u8> {
    trimmed(payload, collection.endpoint.left_out)
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
    let rewritten =
        rewrite_payloads(copy, true, concealed).await? + rewrite_addresses(copy, true).await?;
    if rewritten > 0 {
        copy.compact().await?;
    }
    Ok(())
}

/// The collections whose raw tables are there.
async fn collections(store: &Store, may_lack: bool) -> Result<Vec<Collection>, StoreError> {
    let mut found = Vec::new();
    for (_, entry) in Sources::all().streams() {
        let collection = &entry.collection;
        if !may_lack || store.has_table(&collection.raw_table).await? {
            found.push(collection.clone());
        }
    }
    Ok(found)
}

async fn rewrite_payloads(
    store: &Store,
    may_lack: bool,
    rule: fn(&Collection, Vec<u8>) -> Vec<u8>,
) -> Result<u64, StoreError> {
    let mut rewritten = 0;
    for collection in collections(store, may_lack).await? {
        let rewriting = store.rewrite_payloads(&collection.raw_table, |payload| {
            let length = payload.len();
            let hash = content_hash(&payload);
            let after = rule(&collection, payload);
            let becomes = content_hash(&after);
            (after.len() != length || becomes != hash).then_some((after, becomes))
        });
        rewritten += rewriting.await?;
    }
    Ok(rewritten)
}

async fn rewrite_addresses(store: &Store, may_lack: bool) -> Result<u64, StoreError> {
    let mut rewritten = 0;
    for collection in collections(store, may_lack).await? {
        rewritten += store
            .rewrite_texts(&collection.raw_table, "url", address_without_secrets)
            .await?;
    }
    if !may_lack || store.has_table(WALKS).await? {
        rewritten += store
            .rewrite_texts(WALKS, "resume_at", address_without_secrets)
            .await?;
    }
    Ok(rewritten)
}
