//! Statements of a first sync on `PostgreSQL`, which knows its tables as they were a while ago.

use headwater_store::Store;
use headwater_store::forecast::ChildLists;
use headwater_store::raw::ParentPosition;

use crate::temp_store::{RAW, TempStore, rocket};
use headwater_testing::On;

/// So many that reading all of them for each parent of a page takes seconds.
const MANY: usize = 60_000;

/// Parents that a page looks at.
const PAGE: usize = 500;

/// Parents, and two streams of which one was filled after the server looked at the table.
async fn filled(store: &TempStore) {
    let params = rocket().params();
    let number = format!("generate_series(1, {MANY}) AS number");
    let parents = format!(
        "INSERT INTO {RAW} (params, parent, item_key, data, changed_seq, seen_walk, child_counts) \
         SELECT '{params}', '', number::text, '{{}}', number / 100, 0, '' FROM {number}"
    );
    let fetched = |stream: &str| {
        format!(
            "INSERT INTO _headwater_fetched_children (params, stream, parent, parent_seq) \
             SELECT '{params}', '{stream}', number::text, number / 100 FROM {number}"
        )
    };
    let look = format!("ANALYZE {RAW}, _headwater_fetched_children");
    for sql in [&parents, &fetched("activity"), &look, &fetched("comments")] {
        store.execute(sql).await;
    }
}

/// The database again, on which a statement may take two seconds.
async fn hasty(store: &TempStore) -> Store {
    let name = store.database.address.rsplit('/').next().unwrap();
    store
        .execute(&format!(
            "ALTER DATABASE {name} SET statement_timeout = '2s'"
        ))
        .await;
    store.opened_again().await
}

#[tokio::test]
async fn each_parent_is_looked_up_by_its_key_however_young_the_statistics_are() {
    let Some(made) = TempStore::on(On::Postgres).await else {
        return;
    };
    filled(&made).await;
    let store = hasty(&made).await;
    let scope = rocket();
    for (stream, expected) in [("comments", 0), ("commits", PAGE)] {
        // In the middle: with the sequences of a first sync, a hundred parents in each.
        let after = ParentPosition {
            seq: 300,
            id: 30_000,
        };
        let pending = store.pending_parents(&scope, (RAW, stream), after, PAGE);
        let (pending, position) = pending.await.unwrap();
        assert_eq!(pending.len(), expected, "{stream}");
        assert_eq!(position.seq, 305, "{stream}");
    }
    for (stream, expected) in [("comments", 0), ("commits", MANY as u64)] {
        let lists = ChildLists {
            parent_table: RAW,
            stream,
            count: None,
            pending_after: Some(-1),
        };
        let read = store.lists_to_read(&scope, lists).await.unwrap();
        assert_eq!(read, expected, "{stream}");
    }
    store.close().await.unwrap();
}
