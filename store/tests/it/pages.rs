//! One page is one transaction: rows, checkpoint and sequence together, or nothing.

use headwater_domain::Scope;
use headwater_store::progress::Checkpoint;
use headwater_store::raw::StoredItems;

use crate::temp_store::{RAW, TempStore, item, moon, rocket, second};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

fn checkpoint() -> Checkpoint {
    Checkpoint {
        seq: 7,
        row_id: 3,
        rules: "v1".to_owned(),
    }
}

#[rstest]
#[tokio::test]
async fn a_page_dropped_before_commit_leaves_nothing(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let mut page = store.page(1).await;
    let none = StoredItems::default();
    page.write_items(RAW, vec![item("", "1", "{}")], &none, None)
        .await
        .unwrap();
    page.set_checkpoint("extract:pull_requests", &checkpoint())
        .await
        .unwrap();
    page.add_work("convert:pull_requests", vec!["1".to_owned()])
        .await
        .unwrap();
    drop(page);
    for table in [RAW, "_headwater_checkpoints", "_headwater_work"] {
        let rows = store.rows(&format!("SELECT * FROM {table}")).await;
        assert!(rows.is_empty(), "{table}: {rows:?}");
    }
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 0);
    let read = store
        .checkpoint(&rocket(), "extract:pull_requests")
        .await
        .unwrap();
    assert!(read.is_start());
    // The next page works as if nothing had been tried.
    store.collect(2, vec![item("", "1", "{}")]).await;
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn a_committed_page_brings_rows_checkpoint_and_sequence(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let mut page = store.page(1).await;
    assert_eq!(page.seq(), 1);
    let none = StoredItems::default();
    page.write_items(RAW, vec![item("", "1", "{}")], &none, None)
        .await
        .unwrap();
    page.set_checkpoint("extract:pull_requests", &checkpoint())
        .await
        .unwrap();
    page.commit().await.unwrap();
    let read = store
        .checkpoint(&rocket(), "extract:pull_requests")
        .await
        .unwrap();
    assert_eq!(read, checkpoint());
    let other_step = store
        .checkpoint(&rocket(), "extract:repositories")
        .await
        .unwrap();
    assert!(other_step.is_start());
    let other_scope = store
        .checkpoint(&moon(), "extract:pull_requests")
        .await
        .unwrap();
    assert!(other_scope.is_start());
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn each_scope_counts_its_own_changes_and_a_page_without_changes_counts_none(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.collect(1, vec![item("", "1", "a")]).await;
    store.collect(2, vec![item("", "1", "a")]).await;
    store
        .collect(3, vec![item("", "1", "b"), item("", "2", "c")])
        .await;
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 2);
    assert_eq!(store.latest_seq(&moon()).await.unwrap(), 0);
    let seqs = store
        .rows(&format!(
            "SELECT item_key, changed_seq FROM {RAW} ORDER BY 1"
        ))
        .await;
    assert_eq!(seqs, ["1 | 2", "2 | 2"]);
}

#[rstest]
#[tokio::test]
async fn a_page_that_goes_on_with_another_scope_uses_both_sequences(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.collect(1, vec![item("", "1", "a")]).await;
    let none = StoredItems::default();
    let mut page = store.page(2).await;
    page.write_items(RAW, vec![item("", "2", "b")], &none, None)
        .await
        .unwrap();
    page.enter(&moon()).await.unwrap();
    page.write_items(RAW, vec![item("", "1", "c")], &none, None)
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 2);
    assert_eq!(store.latest_seq(&moon()).await.unwrap(), 1);
    let written = store
        .rows(&format!(
            "SELECT params, item_key, changed_seq FROM {RAW} ORDER BY id"
        ))
        .await;
    let (rocket, moon) = (rocket().params(), moon().params());
    assert_eq!(
        written,
        [
            format!("{rocket} | 1 | 1"),
            format!("{rocket} | 2 | 2"),
            format!("{moon} | 1 | 1")
        ]
    );
}

#[rstest]
#[tokio::test]
async fn an_unregistered_scope_has_no_page(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let unknown = Scope::new(2, "acme/unknown");
    let refused = store.begin(&unknown, second(0)).await.err().unwrap();
    assert_eq!(refused.to_string(), "beginning a page of acme/unknown");
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(why, "the scope is not registered");
    // The transaction that was begun for it is over.
    store.collect(1, vec![item("", "1", "a")]).await;
}
