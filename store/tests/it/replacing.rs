//! Rows of tool and domain tables, replaced as sets.

use chrono::{DateTime, Utc};
use headwater_domain::code::pull_request_reviewer as domain_reviewer;
use headwater_domain::headwater::account_profile::Profile;
use headwater_domain::tool::bitbucket::{account, pull_request, pull_request_reviewer as reviewer};
use headwater_domain::{Row, Rows};
use headwater_store::{Changes, Owner};

use crate::temp_store::{TempStore, of_raw_rows, replacement, rocket, second};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

fn person(account_id: &str, state: &str) -> reviewer::Model {
    reviewer::Model {
        connection_id: 1,
        repo_id: "acme/rocket".to_owned(),
        pull_request_id: 12,
        account_id: account_id.to_owned(),
        state: state.to_owned(),
        participated_on: Some(second(-60)),
        ..reviewer::Model::default()
    }
}

fn changes(written: u64, removed: u64, unchanged: u64) -> Changes {
    Changes {
        written,
        removed,
        unchanged,
    }
}

const TRACKED: &str = "SELECT account_id, state, changed_seq, seconds_of(created_at), \
                       seconds_of(updated_at) FROM _tool_bitbucket_pr_reviewers ORDER BY 1";

#[rstest]
#[tokio::test]
async fn the_same_rows_twice_are_written_once(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let rows = || vec![(1, person("ann", "approved")), (1, person("bob", ""))];
    assert_eq!(store.replace(1, &[1], rows()).await, changes(2, 0, 0));
    let before = store
        .rows("SELECT * FROM _tool_bitbucket_pr_reviewers")
        .await;
    assert_eq!(store.replace(2, &[1], rows()).await, changes(0, 0, 2));
    let after = store
        .rows("SELECT * FROM _tool_bitbucket_pr_reviewers")
        .await;
    assert_eq!(before, after);
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn only_what_differs_is_written_and_what_is_missing_is_removed_and_noted(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let before = ["ann", "bob", "cem"].map(|name| (1, person(name, "")));
    store.replace(1, &[1], before.into()).await;
    let after = vec![
        (1, person("ann", "")),
        (1, person("bob", "approved")),
        (1, person("dee", "")),
    ];
    assert_eq!(store.replace(2, &[1], after).await, changes(2, 1, 1));
    // second(0) is 20 seconds past the minute.
    assert_eq!(
        store.rows(TRACKED).await,
        [
            "ann |  | 1 | 21 | 21",
            "bob | approved | 2 | 21 | 22",
            "dee |  | 2 | 22 | 22"
        ]
    );
    assert_eq!(
        store
            .rows("SELECT table_name, seq, row_key FROM _headwater_deleted_rows")
            .await,
        [
            r#"_tool_bitbucket_pr_reviewers | 2 | {"account_id":"cem","connection_id":"1","pull_request_id":"12","repo_id":"acme/rocket"}"#
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_row_that_now_comes_from_another_raw_row_is_a_changed_row(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.replace(1, &[1], vec![(1, person("ann", ""))]).await;
    assert_eq!(
        store.replace(2, &[2], vec![(2, person("ann", ""))]).await,
        changes(1, 0, 0)
    );
    // The old owner has nothing left to remove.
    let nothing: Vec<(i64, reviewer::Model)> = Vec::new();
    assert_eq!(store.replace(3, &[1], nothing).await, changes(0, 0, 0));
    assert_eq!(store.rows(TRACKED).await, ["ann |  | 2 | 21 | 22"]);
}

#[rstest]
#[tokio::test]
async fn of_rows_with_one_key_the_last_is_written(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    for first in [true, false] {
        let mut page = store.page(1).await;
        let twice = vec![(1, person("ann", "early")), (2, person("ann", "late"))];
        let mut rows = of_raw_rows(&[1, 2], twice);
        rows.first = first;
        let done = page.replace(rows).await.unwrap();
        assert_eq!(done.written + done.unchanged, 1, "first: {first}");
        page.commit().await.unwrap();
        assert_eq!(store.rows(TRACKED).await, ["ann | late | 1 | 21 | 21"]);
    }
}

#[rstest]
#[tokio::test]
async fn rows_of_the_same_id_in_another_raw_table_stay(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.replace(1, &[1], vec![(1, person("ann", ""))]).await;
    let mut page = store.page(2).await;
    let other = Owner::RawRows {
        table: "_raw_bitbucket_api_repositories".to_owned(),
        ids: vec![1],
    };
    let nothing: Vec<(i64, reviewer::Model)> = Vec::new();
    let done = page.replace(replacement(other, nothing)).await.unwrap();
    assert_eq!(done, changes(0, 0, 0));
    page.commit().await.unwrap();
    assert_eq!(store.rows(TRACKED).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn rows_of_a_column_are_replaced_within_their_connection(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let row = |connection_id, name: &str| account::Model {
        connection_id,
        account_id: "ann".to_owned(),
        display_name: name.to_owned(),
        ..account::Model::default()
    };
    let owner = |connection_id| Owner::Column {
        name: "account_id",
        values: vec!["ann".to_owned()],
        connection_id: Some(connection_id),
    };
    for connection_id in [1, 2] {
        let mut page = store.page(1).await;
        let rows = replacement(owner(connection_id), vec![(1, row(connection_id, "Ann"))]);
        assert_eq!(page.replace(rows).await.unwrap(), changes(1, 0, 0));
        page.commit().await.unwrap();
    }
    let mut page = store.page(2).await;
    let nothing: Vec<(i64, account::Model)> = Vec::new();
    let done = page.replace(replacement(owner(2), nothing)).await.unwrap();
    assert_eq!(done, changes(0, 1, 0));
    page.commit().await.unwrap();
    let left = store
        .rows("SELECT connection_id FROM _tool_bitbucket_accounts")
        .await;
    assert_eq!(left, ["1"]);
}

#[rstest]
#[tokio::test]
async fn domain_rows_are_replaced_without_sequence_and_without_a_note(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let row = |name: &str| domain_reviewer::Model {
        pull_request_id: "pr".to_owned(),
        reviewer_id: name.to_owned(),
        ..domain_reviewer::Model::default()
    };
    let owner = || Owner::Column {
        name: "pull_request_id",
        values: vec!["pr".to_owned()],
        connection_id: None,
    };
    for (rows, expected) in [
        (vec![(1, row("ann")), (1, row("bob"))], changes(2, 0, 0)),
        (vec![(1, row("bob"))], changes(0, 1, 1)),
    ] {
        let mut page = store.page(1).await;
        let done = page.replace(replacement(owner(), rows)).await.unwrap();
        assert_eq!(done, expected);
        page.commit().await.unwrap();
    }
    let left = store
        .rows("SELECT reviewer_id FROM pull_request_reviewers")
        .await;
    assert_eq!(left, ["bob"]);
    assert_eq!(
        store
            .rows("SELECT * FROM _headwater_deleted_rows")
            .await
            .len(),
        0
    );
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn text_and_times_are_stored_as_every_database_stores_them(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let time: DateTime<Utc> = "2026-03-01T10:00:00.123999Z".parse().unwrap();
    let row = pull_request::Model {
        connection_id: 1,
        repo_id: "acme/rocket".to_owned(),
        bitbucket_id: 12,
        title: "a\0b 🚀 'quoted' \"twice\" ; -- \\".to_owned(),
        bitbucket_created_at: Some(time),
        is_draft: true,
        ..pull_request::Model::default()
    };
    let expected = pull_request::Model {
        title: "a\u{fffd}b 🚀 'quoted' \"twice\" ; -- \\".to_owned(),
        bitbucket_created_at: Some("2026-03-01T10:00:00.123Z".parse().unwrap()),
        ..row.clone()
    };
    store.replace(1, &[1], vec![(1, row.clone())]).await;
    assert_eq!(
        store
            .rows(
                "SELECT bitbucket_created_at, bitbucket_updated_at, \
                 created_at, is_draft, merged_by_id FROM _tool_bitbucket_pull_requests"
            )
            .await,
        ["2026-03-01T10:00:00.123+00:00 | null | 2026-09-21T14:13:21.000+00:00 | 1 | "]
    );
    let keys = ["12".to_owned()];
    let read = store
        .rows_by_key::<pull_request::Entity>(&rocket(), "bitbucket_id", &keys)
        .await;
    let read = read.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].row, expected);
    assert_eq!(read[0].origin.id, 1);
    // What was cut on the way in is no difference the next time.
    assert_eq!(
        store.replace(2, &[1], vec![(1, row)]).await,
        changes(0, 0, 1)
    );
}

#[rstest]
#[tokio::test]
async fn keys_of_one_scope_do_not_find_rows_of_another(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.replace(1, &[1], vec![(1, person("ann", ""))]).await;
    let keys = ["12".to_owned(), "13".to_owned()];
    for (scope, expected) in [(rocket(), 1), (crate::temp_store::moon(), 0)] {
        let read = store
            .rows_by_key::<reviewer::Entity>(&scope, "pull_request_id", &keys)
            .await;
        assert_eq!(read.unwrap().len(), expected, "{}", scope.full_name);
    }
    let unknown = store
        .rows_by_key::<reviewer::Entity>(&rocket(), "colour", &keys)
        .await;
    assert!(unknown.is_err());
}

#[rstest]
#[tokio::test]
async fn rows_named_by_their_content_are_written_once_and_stay(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let profile = Profile {
        account_id: "ann",
        display_name: "Ann",
        ..Profile::default()
    };
    for _ in 0..2 {
        let mut rows = Rows::default();
        rows.push_shared(profile.to_row(1));
        rows.push_shared(profile.to_row(1));
        let mut page = store.page(1).await;
        for shared in rows.take_shared() {
            page.write_shared(shared).await.unwrap();
        }
        page.commit().await.unwrap();
    }
    let written = store
        .rows("SELECT display_name FROM _headwater_account_profiles")
        .await;
    assert_eq!(written, ["Ann"]);
    assert_eq!(store.latest_seq(&rocket()).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn many_owners_and_many_rows_are_replaced_in_one_page(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let ids: Vec<i64> = (0..600).collect();
    let rows = |state: &str| -> Vec<(i64, reviewer::Model)> {
        ids.iter()
            .map(|&id| (id, person(&format!("{id:04}"), state)))
            .collect()
    };
    assert_eq!(store.replace(1, &ids, rows("")).await, changes(600, 0, 0));
    let mut half = rows("");
    half.retain(|(id, _)| id % 2 == 0);
    assert_eq!(store.replace(2, &ids, half).await, changes(0, 300, 300));
    assert_eq!(
        store
            .rows("SELECT * FROM _headwater_deleted_rows")
            .await
            .len(),
        300
    );
    assert_eq!(
        reviewer::Model::table().name,
        "_tool_bitbucket_pr_reviewers"
    );
}
