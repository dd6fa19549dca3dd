//! What the store remembers of steps, scopes and failures.

use headwater_store::dead_letters::DeadLetter;
use headwater_store::progress::{Checkpoint, WalkKey, WalkState};
use headwater_store::runs::StepRecord;

use crate::temp_store::{RAW, TempStore, item, moon, rocket, second};
use headwater_domain::tool::bitbucket::pull_request_commit as commit;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

const STEP: &str = "convert:pull_requests";

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn work_is_listed_once_in_key_order_and_taken_off_when_done(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let page = store.page(1).await;
    page.add_work(STEP, keys(&["b", "a", "b"])).await.unwrap();
    page.add_work(STEP, keys(&["c", "a"])).await.unwrap();
    page.add_work("convert:accounts", keys(&["x"]))
        .await
        .unwrap();
    page.add_work(STEP, Vec::new()).await.unwrap();
    page.commit().await.unwrap();
    assert_eq!(
        store.work(&rocket(), STEP, "", 2).await.unwrap(),
        ["a", "b"]
    );
    assert_eq!(
        store.work(&rocket(), STEP, "a", 9).await.unwrap(),
        ["b", "c"]
    );
    assert_eq!(store.work(&rocket(), STEP, "", 9).await.unwrap().len(), 3);
    assert_eq!(store.work(&moon(), STEP, "", 9).await.unwrap().len(), 0);
    let page = store.page(2).await;
    page.finish_work(STEP, &keys(&["a", "b", "never"])).unwrap();
    page.commit().await.unwrap();
    assert_eq!(store.work(&rocket(), STEP, "", 9).await.unwrap(), ["c"]);
    assert_eq!(
        store
            .work(&rocket(), "convert:accounts", "", 9)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[rstest]
#[tokio::test]
async fn changed_rows_become_work_by_one_of_their_columns(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let row = |number, sha: &str| commit::Model {
        connection_id: 1,
        repo_id: "acme/rocket".to_owned(),
        pull_request_id: number,
        commit_sha: sha.to_owned(),
        ..commit::Model::default()
    };
    let rows = vec![(1, row(12, "a")), (1, row(12, "b")), (1, row(13, "a"))];
    store.replace(1, &[1], rows).await;
    store.replace(2, &[2], vec![(2, row(14, "a"))]).await;
    let table = "_tool_bitbucket_pull_request_commits";
    for (range, expected) in [
        ((1, 2), keys(&["14"])),
        ((2, 9), keys(&["14"])),
        ((0, 1), keys(&["12", "13", "14"])),
        ((0, 2), keys(&["12", "13", "14"])),
    ] {
        let page = store.page(3).await;
        page.add_changed_work(STEP, (table, "pull_request_id"), range)
            .await
            .unwrap();
        page.commit().await.unwrap();
        assert_eq!(
            store.work(&rocket(), STEP, "", 9).await.unwrap(),
            expected,
            "{range:?}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn removals_are_read_after_one_sequence_up_to_another_until_every_step_has_passed(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store
        .collect(
            1,
            (1..=3)
                .map(|key| item("", &key.to_string(), "{}"))
                .collect(),
        )
        .await;
    for id in 1..=3 {
        let mut page = store.page(2).await;
        page.remove_items(RAW, &[id]).await.unwrap();
        page.commit().await.unwrap();
    }
    let between = |after, up_to| {
        let store = &store;
        async move {
            store
                .removed_between(&rocket(), RAW, after, up_to)
                .await
                .unwrap()
        }
    };
    assert_eq!(between(0, 9).await, ["1", "2", "3"]);
    assert_eq!(between(2, 3).await, ["2"]);
    assert_eq!(between(4, 9).await, Vec::<String>::new());
    let steps = keys(&["slow", "fast"]);
    for (step, seq) in [("slow", 3), ("fast", 4)] {
        let page = store.page(3).await;
        let done = Checkpoint {
            seq,
            ..Checkpoint::default()
        };
        page.set_checkpoint(step, &done).await.unwrap();
        page.commit().await.unwrap();
    }
    store.prune_removed(&rocket(), &steps).await.unwrap();
    assert_eq!(between(0, 9).await, ["3"]);
    store
        .prune_removed(&rocket(), &keys(&["slow", "new"]))
        .await
        .unwrap();
    assert_eq!(between(0, 9).await, ["3"], "a new step has passed nothing");
}

#[rstest]
#[tokio::test]
async fn a_walk_is_remembered_with_all_it_knows_and_with_nothing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let known = WalkState {
        since: Some(second(1)),
        data_after: Some(second(2)),
        complete: true,
        walk: 4,
        resume_at: Some("https://api/list?page=3".to_owned()),
        resume_query: Some("complete=true".to_owned()),
        resume_since: Some(second(3)),
    };
    let scope = rocket();
    let key = WalkKey {
        scope: &scope,
        stream: "pull_requests",
    };
    assert_eq!(store.walk_state(key).await.unwrap(), WalkState::default());
    for state in [known, WalkState::default()] {
        let page = store.page(1).await;
        page.set_walk_state("pull_requests", &state).await.unwrap();
        page.commit().await.unwrap();
        assert_eq!(store.walk_state(key).await.unwrap(), state);
    }
    let other = WalkKey {
        stream: "repositories",
        ..key
    };
    assert_eq!(store.walk_state(other).await.unwrap(), WalkState::default());
}

#[rstest]
#[tokio::test]
async fn the_range_of_a_scope_only_widens(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let cases = [
        (Some(5), Some(5)),
        (Some(7), Some(5)),
        (Some(3), Some(3)),
        (Some(3), Some(3)),
        (None, None),
        (Some(1), None),
    ];
    for (wanted, expected) in cases {
        let range = store.widen(&rocket(), wanted.map(second)).await.unwrap();
        assert_eq!(range, expected.map(second), "{wanted:?}");
        let scopes = store.scopes().await.unwrap();
        let stored = scopes.iter().find(|known| known.scope == rocket()).unwrap();
        assert_eq!(stored.data_after, expected.map(second), "{wanted:?}");
    }
    let other = store.widen(&moon(), None).await.unwrap();
    assert_eq!(other, None, "everything at once is a range too");
    assert_eq!(store.widen(&moon(), Some(second(1))).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_scope_is_registered_once_and_gone_since_the_first_time_it_was_missed(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    store.collect(1, vec![item("", "1", "{}")]).await;
    store.register(&rocket(), second(9)).await.unwrap();
    assert_eq!(
        store.latest_seq(&rocket()).await.unwrap(),
        1,
        "registering again resets nothing"
    );
    for (at, expected) in [
        (Some(1), Some(1)),
        (Some(2), Some(1)),
        (None, None),
        (Some(3), Some(3)),
    ] {
        store
            .set_source_gone(&rocket(), at.map(second))
            .await
            .unwrap();
        let scopes = store.scopes().await.unwrap();
        let gone: Vec<_> = scopes
            .iter()
            .map(|known| (known.scope.full_name.as_str(), known.source_gone_at))
            .collect();
        assert_eq!(
            gone,
            [("acme/moon", None), ("acme/rocket", expected.map(second))]
        );
    }
}

fn letter(stage: &str, item: &str, raw_id: Option<i64>) -> DeadLetter {
    DeadLetter {
        stage: stage.to_owned(),
        stream: "pull_requests".to_owned(),
        item: item.to_owned(),
        raw_id,
        path: "author".to_owned(),
        message: "wrong".to_owned(),
    }
}

#[rstest]
#[tokio::test]
async fn a_dead_letter_counts_its_attempts_until_its_item_is_read(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    for at in [1, 2] {
        let page = store.page(at).await;
        page.record_letters(&[
            letter("extract", "/1", Some(7)),
            letter("collect", "/x", None),
        ])
        .await
        .unwrap();
        page.commit().await.unwrap();
    }
    let stored = store.dead_letters(&rocket()).await.unwrap();
    let shown: Vec<_> = stored
        .iter()
        .map(|stored| (stored.letter.item.as_str(), stored.attempts, stored.last_at))
        .collect();
    assert_eq!(
        shown,
        [("/x", 2, Some(second(2))), ("/1", 2, Some(second(2)))]
    );
    assert_eq!(stored[1].letter, letter("extract", "/1", Some(7)));
    assert_eq!(
        store
            .dead_raw_ids(&rocket(), "pull_requests")
            .await
            .unwrap(),
        [7]
    );
    assert_eq!(store.dead_letter_count(&moon()).await.unwrap(), 0);

    let page = store.page(3).await;
    page.requeue_letters(("extract", "repositories"), &[7])
        .await
        .unwrap();
    page.requeue_letters(("extract", "pull_requests"), &[8, 9])
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(
        store.dead_letter_count(&rocket()).await.unwrap(),
        2,
        "those were others"
    );
    let page = store.page(3).await;
    page.requeue_letters(("extract", "pull_requests"), &[7])
        .await
        .unwrap();
    assert_eq!(
        store.dead_items(&rocket(), "pull_requests").await.unwrap(),
        ["/x"]
    );
    page.resolve_letters("pull_requests", &["/y".to_owned(), "/x".to_owned()])
        .await
        .unwrap();
    page.commit().await.unwrap();
    assert_eq!(store.dead_letter_count(&rocket()).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn the_status_of_a_scope_is_its_latest_run_of_every_step(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let step = |stream: &str, state: &str| StepRecord {
        stage: "collect".to_owned(),
        stream: stream.to_owned(),
        state: state.to_owned(),
        started_at: Some(second(1)),
        ..StepRecord::default()
    };
    let first = store.begin_run("sync", second(0)).await.unwrap();
    store
        .record_step(first, &rocket(), &step("pull_requests", "failed"))
        .await
        .unwrap();
    store
        .record_step(first, &rocket(), &step("repositories", "success"))
        .await
        .unwrap();
    store.finish_run(first, "failed", second(2)).await.unwrap();
    let second_run = store.begin_run("sync", second(3)).await.unwrap();
    assert!(second_run > first);
    store
        .record_step(second_run, &rocket(), &step("pull_requests", "success"))
        .await
        .unwrap();
    let mut states: Vec<_> = store.scope_status(&rocket()).await.unwrap();
    states.sort_by(|a, b| a.step.stream.cmp(&b.step.stream));
    let steps: Vec<_> = states.iter().map(|status| status.step.clone()).collect();
    assert_eq!(
        steps,
        [
            step("pull_requests", "success"),
            step("repositories", "success")
        ]
    );
    assert!(store.scope_status(&moon()).await.unwrap().is_empty());
}
