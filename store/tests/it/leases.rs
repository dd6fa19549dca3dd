//! Two holders of one database, as two processes would be.

use headwater_store::leases::{Claim, Lease, Taken};
use headwater_store::raw::StoredItems;
use headwater_store::{Store, StoreError};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::temp_store::{RAW, TempStore, item, moon, rocket, second};

fn claim(process: i64) -> Claim {
    Claim {
        host: "pilot".to_owned(),
        machine: "boot 1".to_owned(),
        process,
        command: "sync".to_owned(),
    }
}

async fn taken(store: &Store, process: i64) -> Lease {
    match store.lease_scope(&rocket(), &claim(process)).await.unwrap() {
        Taken::Ours(lease) => lease,
        Taken::Held(holder) => panic!("held by {holder}"),
    }
}

async fn refused(store: &Store, process: i64) -> String {
    match store.lease_scope(&rocket(), &claim(process)).await.unwrap() {
        Taken::Ours(_) => panic!("nobody held it"),
        Taken::Held(holder) => holder.to_string(),
    }
}

/// Writes one item in a page of its own.
async fn write(store: &Store, key: &str) -> Result<(), StoreError> {
    let mut page = store.begin(&rocket(), second(1)).await?;
    let none = StoredItems::default();
    page.write_items(RAW, vec![item("", key, "{}")], &none, None)
        .await?;
    page.commit().await
}

const EXPIRE: &str = "UPDATE _headwater_leases SET expires_at = 0";

#[rstest]
#[tokio::test]
async fn a_second_process_is_told_who_holds_the_scope(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    let there = here.opened_again().await;
    let lease = taken(&here, 4711).await;
    let holder = refused(&there, 2).await;
    assert!(
        holder.starts_with("host pilot, process 4711, command sync, since 2"),
        "{holder}"
    );
    // Another scope is free, and what is released is.
    let moon = there.lease_scope(&moon(), &claim(2)).await.unwrap();
    assert!(matches!(moon, Taken::Ours(_)));
    lease.release().await.unwrap();
    taken(&there, 2).await.release().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_page_renews_the_lease_of_its_scope(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let _lease = taken(&store, 1).await;
    store.execute(EXPIRE).await;
    write(&store, "1").await.unwrap();
    let expiry = store
        .rows("SELECT expires_at - taken_at >= 60000 FROM _headwater_leases")
        .await;
    assert_eq!(expiry, ["1"]);
}

#[rstest]
#[tokio::test]
async fn an_expired_lease_can_be_taken_and_its_old_holder_writes_nothing_more(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    let there = here.opened_again().await;
    let old = taken(&here, 1).await;
    here.execute(EXPIRE).await;
    let _new = taken(&there, 2).await;
    let error = write(&here, "1").await.unwrap_err();
    assert!(error.is_of_another_process(), "{error}");
    assert!(here.rows(&format!("SELECT * FROM {RAW}")).await.is_empty());
    write(&there, "2").await.unwrap();
    // What the old holder says afterwards has no weight.
    drop(old);
    write(&there, "3").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_process_frozen_in_the_middle_of_a_page_is_named_at_once(
    #[values(Postgres, MariaDb)] on: On,
) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    let there = here.opened_again().await;
    let _lease = taken(&here, 4711).await;
    // Its lease has expired by now, but the page it stopped in keeps the row of the lease locked.
    here.execute(EXPIRE).await;
    let frozen = here.page(1).await;
    let began = std::time::Instant::now();
    let holder = refused(&there, 2).await;
    assert!(
        holder.starts_with("host pilot, process 4711, command sync"),
        "{holder}"
    );
    let waited = began.elapsed();
    assert!(waited.as_secs() < 5, "it waited {waited:?}");
    // It was not frozen for good.
    frozen.commit().await.unwrap();
    assert!(refused(&there, 2).await.contains("process 4711"));
}

#[rstest]
#[tokio::test]
async fn the_lease_of_what_is_shared_is_checked_by_the_pages_of_the_scope_that_holds_it(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(here) = TempStore::on(on).await else {
        return;
    };
    let there = here.opened_again().await;
    let _scope = taken(&here, 1).await;
    let shared = here.lease_shared(&rocket(), &claim(1)).await.unwrap();
    assert!(matches!(shared, Taken::Ours(_)));
    let other = there.lease_shared(&moon(), &claim(2)).await.unwrap();
    let Taken::Held(holder) = other else {
        panic!("two hold what is shared");
    };
    write(&here, "1").await.unwrap();
    // Its process is known to be dead: the other one ends it, and the page notices.
    there.end_lease(&holder).await.unwrap();
    assert!(write(&here, "2").await.unwrap_err().is_of_another_process());
    drop(shared);
    write(&here, "3").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_dropped_lease_is_let_go_in_the_background(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    drop(taken(&store, 1).await);
    // The statement of the background comes before ours or after it: both end with a free lease.
    loop {
        if let Taken::Ours(lease) = store.lease_scope(&rocket(), &claim(2)).await.unwrap() {
            lease.release().await.unwrap();
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(
        store
            .rows("SELECT * FROM _headwater_leases")
            .await
            .is_empty()
    );
}
