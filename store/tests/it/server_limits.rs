//! What servers limit: how long they wait, and how much they take at once.

use std::time::Duration;

use headwater_store::progress::Checkpoint;
use headwater_store::raw::StoredItems;
use headwater_store::{Limits, Store, StoreError};

use crate::temp_store::{RAW, TempStore, item, rocket, second};
use headwater_testing::On::{self, MariaDb, Postgres};
use rstest::rstest;

async fn opened_within(store: &TempStore, limits: Limits) -> Store {
    let address = &store.database.address;
    let opened = match store.database.on {
        Postgres => Store::open_postgres_within(address, limits).await,
        _ => Store::open_mysql_within(address, limits).await,
    };
    opened.unwrap()
}

fn checkpoint(seq: i64) -> Checkpoint {
    Checkpoint {
        seq,
        row_id: 0,
        rules: "v1".to_owned(),
    }
}

/// Sets a checkpoint in a page of its own.
async fn reach(store: &Store, seq: i64) -> Result<(), StoreError> {
    let page = store.begin(&rocket(), second(1)).await?;
    page.set_checkpoint("step", &checkpoint(seq)).await?;
    page.commit().await
}

fn whole(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    format!(
        "{error}: {}",
        source.map(ToString::to_string).unwrap_or_default()
    )
}

#[rstest]
#[tokio::test]
async fn a_row_that_another_process_keeps_locked_is_waited_for_only_so_long(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    reach(&here, 1).await.unwrap();
    let frozen = here.page(1).await;
    // Answered, so that the row is locked before the other one asks for it.
    frozen.set_checkpoint("step", &checkpoint(2)).await.unwrap();
    let mut frozen = frozen;
    frozen.flush().await.unwrap();
    let limits = Limits {
        lock_wait: Duration::from_secs(1),
        ..Limits::default()
    };
    let there = opened_within(&here, limits).await;
    let error = reach(&there, 3).await.unwrap_err();
    assert!(error.is_of_another_process(), "{error}");
    let refused = whole(&error);
    assert!(refused.contains("another process holds"), "{refused}");
    frozen.commit().await.unwrap();
    reach(&there, 4).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn the_transaction_of_a_frozen_process_is_ended_and_others_go_on(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    reach(&here, 1).await.unwrap();
    let limits = Limits {
        idle_transaction: Duration::from_secs(1),
        ..Limits::default()
    };
    let frozen_store = opened_within(&here, limits).await;
    let mut frozen = frozen_store.begin(&rocket(), second(1)).await.unwrap();
    frozen.set_checkpoint("step", &checkpoint(2)).await.unwrap();
    frozen.flush().await.unwrap();
    // Waits until the server ends the other one's transaction.
    reach(&here, 3).await.unwrap();
    assert!(frozen.commit().await.is_err());
    let kept = here.checkpoint(&rocket(), "step").await.unwrap();
    assert_eq!(kept, checkpoint(3));
    // What was frozen works again, with another connection.
    reach(&frozen_store, 4).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn what_does_not_fit_into_one_statement_is_split_and_a_longer_row_is_refused_by_name(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some(made) = TempStore::on(on).await else {
        return;
    };
    let limits = Limits {
        statement_bytes: 64 << 10,
        ..Limits::default()
    };
    let store = opened_within(&made, limits).await;
    assert_eq!(store.longest_item(), Some(62 << 10));
    let write = async |items| {
        let mut page = store.begin(&rocket(), second(1)).await?;
        let none = StoredItems::default();
        page.write_items(RAW, items, &none, None).await?;
        page.commit().await
    };
    let data = "x".repeat(15 << 10);
    let items = (0..40).map(|key| item("", &key.to_string(), &data));
    // The hash of these items is their data, which is too much for its column.
    let items = items.map(|mut item| {
        item.content_hash = "hash".to_owned();
        item
    });
    write(items.collect()).await.unwrap();
    let count = made.rows(&format!("SELECT COUNT(*) FROM {RAW}")).await;
    assert_eq!(count, ["40"]);
    let mut long = item("", "4711", &"x".repeat(64 << 10));
    long.content_hash = "hash".to_owned();
    let refused = whole(&write(vec![long]).await.unwrap_err());
    assert!(refused.contains("4711"), "{refused}");
    assert!(refused.contains("max_allowed_packet"), "{refused}");
}

#[tokio::test]
async fn a_server_is_asked_how_much_it_takes() {
    let Some(store) = TempStore::on(MariaDb).await else {
        return;
    };
    let largest = store.rows("SELECT @@max_allowed_packet").await;
    let largest: usize = largest[0].parse().unwrap();
    assert_eq!(store.longest_item(), Some(largest - largest / 32));
    // A statement of just that length goes through.
    let mut long = item("", "1", &"x".repeat(largest - largest / 32));
    long.content_hash = "hash".to_owned();
    store.collect(1, vec![long]).await;
    let length = store.rows(&format!("SELECT LENGTH(data) FROM {RAW}")).await;
    assert_eq!(length, [(largest - largest / 32).to_string()]);
}
