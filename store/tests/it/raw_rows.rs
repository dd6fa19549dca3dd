//! Raw rows: what is written, seen, pending, imported and read back.

use headwater_store::raw::{
    NewItem, ParentPosition, PendingParent, RawChanges, RawRow, StoredItems,
};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use proptest::prelude::*;

use crate::temp_store::{RAW, TempStore, item, moon, rocket, second};
use rstest::rstest;

const CHILDREN: &str = "_raw_bitbucket_api_pull_request_comments";

#[rstest]
#[tokio::test]
async fn only_new_and_changed_items_are_written_and_a_changed_one_keeps_its_id(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store
        .collect(1, vec![item("", "a", "1"), item("", "b", "1")])
        .await;
    let keys = ["a", "b", "c"].map(str::to_owned);
    let known = store.stored_items(&rocket(), RAW, &keys).await.unwrap();
    let mut page = store.page(2).await;
    let items = vec![item("", "a", "1"), item("", "b", "2"), item("", "c", "1")];
    let done = page.write_items(RAW, items, &known, Some(5)).await.unwrap();
    page.commit().await.unwrap();
    let expected = RawChanges {
        written: 2,
        unchanged: 1,
    };
    assert_eq!(done, expected);
    let columns = "item_key, text_of(data), changed_seq, seen_walk, seconds_of(created_at), CASE WHEN id < 3 THEN 1 ELSE 0 END";
    assert_eq!(
        store
            .rows(&format!("SELECT {columns} FROM {RAW} ORDER BY item_key"))
            .await,
        [
            "a | 1 | 1 | 5 | 21 | 1",
            "b | 2 | 2 | 5 | 22 | 1",
            "c | 1 | 2 | 5 | 22 | 0"
        ]
    );
    let unseen = store.not_seen(&rocket(), RAW, 6).await.unwrap();
    assert_eq!(unseen.len(), 3);
    assert!(store.not_seen(&rocket(), RAW, 5).await.unwrap().is_empty());
    assert!(store.not_seen(&moon(), RAW, 6).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn of_items_with_one_key_in_one_page_the_last_is_stored(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store
        .collect(1, vec![item("", "a", "early"), item("", "a", "late")])
        .await;
    let data = store
        .rows(&format!("SELECT text_of(data) FROM {RAW}"))
        .await;
    assert_eq!(data, ["late"]);
}

#[rstest]
#[tokio::test]
async fn an_item_that_comes_twice_counts_as_it_came_last_even_when_that_is_known(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.collect(1, vec![item("", "a", "known")]).await;
    store
        .collect(2, vec![item("", "a", "other"), item("", "a", "known")])
        .await;
    let data = store
        .rows(&format!("SELECT text_of(data), changed_seq FROM {RAW}"))
        .await;
    assert_eq!(data, ["known | 1"]);
}

#[rstest]
#[tokio::test]
async fn bytes_come_back_as_they_went_in(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let mut new = item("", "a", "");
    new.data = (0..=255).collect();
    store.collect(1, vec![new]).await;
    let read = store
        .changed_items(&rocket(), RAW, (0, 0), 9)
        .await
        .unwrap();
    assert_eq!(read[0].data, (0..=255).collect::<Vec<u8>>());
    assert_eq!(read[0].created_at, Some(second(1)));
}

/// Pending parents of the comments, by key, from the beginning.
async fn pending(store: &TempStore) -> Vec<PendingParent> {
    let start = ParentPosition::default();
    let streams = (RAW, "pull_request_comments");
    let found = store.pending_parents(&rocket(), streams, start, 9).await;
    found.unwrap().0
}

fn names(pending: &[PendingParent]) -> Vec<&str> {
    pending.iter().map(|parent| parent.key.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn a_parent_is_pending_until_its_children_are_fetched_and_again_when_it_changes(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store
        .collect(1, vec![item("", "1", "a"), item("", "2", "a")])
        .await;
    let all = pending(&store).await;
    assert_eq!(names(&all), ["1", "2"]);
    assert_eq!(all[0].child_counts, "comment_count=1");

    let page = store.page(2).await;
    page.set_children_fetched("pull_request_comments", vec![("1".to_owned(), 1)])
        .await
        .unwrap();
    page.set_children_fetched("pull_request_commits", vec![("2".to_owned(), 1)])
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(
        names(&pending(&store).await),
        ["2"],
        "another stream does not count"
    );

    store.collect(3, vec![item("", "1", "b")]).await;
    let again = pending(&store).await;
    assert_eq!(names(&again), ["2", "1"]);
    assert_eq!(again[1].changed_seq, 2);

    // Fetched for a state of the parent that is over by now.
    let page = store.page(4).await;
    page.set_children_fetched("pull_request_comments", vec![("1".to_owned(), 1)])
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(names(&pending(&store).await), ["2", "1"]);

    let page = store.page(5).await;
    let both = vec![("1".to_owned(), 2), ("2".to_owned(), 1)];
    page.set_children_fetched("pull_request_comments", both)
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert!(pending(&store).await.is_empty());

    let page = store.page(6).await;
    page.forget_children_fetched("pull_request_comments")
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(names(&pending(&store).await), ["2", "1"]);
}

#[rstest]
#[tokio::test]
async fn the_walk_over_parents_goes_on_where_it_stood_even_when_none_of_a_page_is_pending(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store
        .collect(
            1,
            (1..=5).map(|key| item("", &key.to_string(), "a")).collect(),
        )
        .await;
    let page = store.page(2).await;
    let fetched = ["1", "2", "3"].map(|key| (key.to_owned(), 1));
    page.set_children_fetched("pull_request_comments", fetched.into())
        .await
        .unwrap();
    page.commit().await.unwrap();
    let mut position = ParentPosition::default();
    let mut found = Vec::new();
    loop {
        let streams = (RAW, "pull_request_comments");
        let read = store.pending_parents(&rocket(), streams, position, 2).await;
        let (parents, reached) = read.unwrap();
        if (reached.seq, reached.id) == (position.seq, position.id) {
            break;
        }
        position = reached;
        found.push(names(&parents).len());
    }
    assert_eq!(found, [0, 1, 1]);
}

#[rstest]
#[tokio::test]
async fn the_children_of_a_parent_go_together_and_are_noted(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let mut page = store.page(1).await;
    let items = vec![
        item("1", "a", "1"),
        item("1", "b", "1"),
        item("2", "a", "1"),
    ];
    page.write_items(CHILDREN, items, &StoredItems::default(), None)
        .await
        .unwrap();
    page.set_children_fetched("pull_request_comments", vec![("1".to_owned(), 1)])
        .await
        .unwrap();
    page.commit().await.unwrap();

    let mut page = store.page(2).await;
    let stream = (CHILDREN, "pull_request_comments");
    assert_eq!(page.remove_children(stream, "1").await.unwrap(), 2);
    assert_eq!(page.remove_children(stream, "3").await.unwrap(), 0);
    page.commit().await.unwrap();

    let parents = ["1".to_owned(), "2".to_owned()];
    let left = store
        .stored_children(&rocket(), CHILDREN, &parents)
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
    assert!(left.contains_key(&("2".to_owned(), "a".to_owned())));
    let removed = store
        .removed_between(&rocket(), CHILDREN, 0, 9)
        .await
        .unwrap();
    assert_eq!(removed, ["1", "2"]);
    assert!(
        store
            .rows("SELECT * FROM _headwater_fetched_children")
            .await
            .is_empty()
    );
}

/// Imports one item in a page of its own.
async fn import(store: &TempStore, id: i64, new: NewItem) -> Result<bool, String> {
    let mut page = store.page(1).await;
    let done = page.import_item(RAW, id, new, second(id)).await;
    let done = done.map_err(|error| {
        let why = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", why.unwrap_or_default())
    })?;
    page.commit().await.unwrap();
    Ok(done)
}

async fn imported(store: &TempStore) -> Vec<String> {
    store
        .rows(&format!(
            "SELECT id, item_key, text_of(data) FROM {RAW} ORDER BY id"
        ))
        .await
}

#[tokio::test]
async fn of_two_ids_for_one_item_the_higher_wins_in_any_order() {
    for ids in [[7, 9], [9, 7]] {
        let store = TempStore::new().await;
        let first = import(&store, ids[0], item("", "a", &ids[0].to_string())).await;
        assert_eq!(first, Ok(true));
        let second = import(&store, ids[1], item("", "a", &ids[1].to_string())).await;
        assert_eq!(second, Ok(ids[1] == 9));
        assert_eq!(imported(&store).await, ["9 | a | 9"]);
    }
}

#[rstest]
#[tokio::test]
async fn the_same_import_twice_changes_nothing_the_second_time(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    assert_eq!(import(&store, 7, item("", "a", "1")).await, Ok(true));
    let seq = store.latest_seq(&rocket()).await.unwrap();
    assert_eq!(import(&store, 7, item("", "a", "1")).await, Ok(false));
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), seq);
    assert_eq!(
        import(&store, 7, item("", "a", "2")).await,
        Ok(true),
        "other content is a change"
    );
    assert_eq!(imported(&store).await, ["7 | a | 2"]);
}

#[rstest]
#[tokio::test]
async fn an_id_that_another_item_has_is_refused_with_a_way_out(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    import(&store, 7, item("", "a", "1")).await.unwrap();
    let refused = import(&store, 7, item("", "b", "1")).await.unwrap_err();
    assert_eq!(
        refused,
        format!(
            "importing row 7 into {RAW}: id 7 is taken by another item ({}, key a); import into \
             an empty database, or leave the id out",
            rocket().params()
        )
    );
    let mut page = store.begin(&moon(), second(0)).await.unwrap();
    assert!(
        page.import_item(RAW, 7, item("", "a", "1"), second(0))
            .await
            .is_err()
    );
    drop(page);
    assert_eq!(imported(&store).await, ["7 | a | 1"]);
}

#[rstest]
#[tokio::test]
async fn exported_rows_come_in_id_order_of_one_scope_or_of_all(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    import(&store, 9, item("", "a", "1")).await.unwrap();
    import(&store, 3, item("", "b", "1")).await.unwrap();
    let mut page = store.begin(&moon(), second(0)).await.unwrap();
    page.import_item(RAW, 5, item("", "a", "1"), second(0))
        .await
        .unwrap();
    page.commit().await.unwrap();
    let params = rocket().params();
    for (scope, after, expected) in [
        (None, 0, vec![3, 5, 9]),
        (None, 3, vec![5, 9]),
        (Some(params.as_str()), 0, vec![3, 9]),
    ] {
        let rows = store.rows_to_export(RAW, scope, after, 10).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, expected);
    }
    assert_eq!(store.highest_id(RAW).await.unwrap(), 9);
    assert_eq!(store.highest_id(CHILDREN).await.unwrap(), 0);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// All items changed after the start, read in pages of a size.
async fn in_pages(store: &TempStore, size: usize) -> Vec<RawRow> {
    let mut found: Vec<RawRow> = Vec::new();
    loop {
        let position = found.last().map_or((0, 0), |row| (row.changed_seq, row.id));
        let page = store
            .changed_items(&rocket(), RAW, position, size)
            .await
            .unwrap();
        assert!(page.len() <= size);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pages_of_any_size_together_are_the_whole(
        writes in prop::collection::vec(prop::collection::vec((0u8..40, 0u8..3), 0..30), 1..6),
        size in 1usize..50,
    ) {
        runtime().block_on(async {
            let store = TempStore::new().await;
            let mut expected = std::collections::BTreeMap::new();
            for (at, items) in (1..).zip(writes) {
                let items: Vec<NewItem> = items
                    .iter()
                    .map(|(key, data)| item("", &key.to_string(), &data.to_string()))
                    .collect();
                expected.extend(items.iter().map(|item| (item.key.clone(), item.data.clone())));
                store.collect(at, items).await;
            }
            let whole = in_pages(&store, 10_000).await;
            assert_eq!(in_pages(&store, size).await, whole);
            assert!(whole.is_sorted_by_key(|row| (row.changed_seq, row.id)));
            let read = whole.into_iter().map(|row| (row.key, row.data)).collect();
            assert_eq!(expected, read);
        });
    }

    #[test]
    fn batches_of_any_length_are_written_and_read_back_whole(count in 0usize..600) {
        runtime().block_on(async {
            let store = TempStore::new().await;
            let keys: Vec<String> = (0..count).map(|key| format!("{key}")).collect();
            let items: Vec<NewItem> = keys.iter().map(|key| item("", key, key)).collect();
            store.collect(1, items.clone()).await;
            let known = store.stored_items(&rocket(), RAW, &keys).await.unwrap();
            assert_eq!(known.len(), count);
            for ((_, key), stored) in &known {
                assert_eq!(&stored.content_hash, key);
            }
            let ids: Vec<i64> = known.values().map(|stored| stored.id).collect();
            assert_eq!(store.items_by_id(RAW, &ids).await.unwrap().len(), count);
            // Writing the same again with a longer batch touches only what is new.
            store.collect(2, items.into_iter().chain([item("", "more", "more")]).collect()).await;
            assert_eq!(store.changed_count(&rocket(), RAW, 1).await.unwrap(), 1);
            let mut page = store.page(3).await;
            page.remove_items(RAW, &ids).await.unwrap();
            page.commit().await.unwrap();
            let removed = store.removed_between(&rocket(), RAW, 0, 9).await.unwrap();
            assert_eq!(removed.len(), count);
            assert_eq!(in_pages(&store, 100).await.len(), 1);
        });
    }
}
