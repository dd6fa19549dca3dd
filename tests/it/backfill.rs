//! A range that is made wider, and one that is made narrower, by the requests they cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use headwater::exit::Exit;
use headwater_simulator::{Fault, Options, RequestRecord, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, configuration};
use crate::sync::is_top_list;

/// One repository with enough pull requests and pipelines for several pages.
async fn busy() -> Simulator {
    let size = Size {
        repositories: 1,
        empty_repositories: 0,
        pull_requests_per_repository: 260,
        comments_per_pull_request: 0.5,
        commits_per_pull_request: 1.0,
        ..Size::default()
    };
    let options = Options {
        size,
        trackers: Some(30),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// A time so many days before the end of what happened.
fn days_ago(simulator: &Simulator, days: i64) -> DateTime<Utc> {
    simulator.world().now() - TimeDelta::days(days)
}

fn within(simulator: &Simulator, after: DateTime<Utc>) -> String {
    let configuration = configuration(&simulator.endpoint(), ALL);
    format!(
        "{configuration}data_after = \"{}\"\n",
        after.format("%Y-%m-%d")
    )
}

async fn synced(lake: &Lake, simulator: &Simulator) -> Vec<RequestRecord> {
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    simulator.take_requests()
}

/// Numbers of the pull requests whose records were asked for.
fn asked(requests: &[RequestRecord], list: &str) -> Vec<String> {
    let of = |request: &RequestRecord| {
        let rest = request.path.split_once(&format!("/{list}/"))?.1;
        let (parent, _) = rest.split_once('/')?;
        Some(parent.to_owned())
    };
    requests.iter().filter_map(of).collect()
}

async fn keys(lake: &Lake, table: &str) -> Vec<String> {
    let sql = format!("SELECT item_key FROM {table} WHERE parent = '' ORDER BY item_key");
    let answer = lake.ask(&sql).await;
    answer
        .rows
        .iter()
        .map(|row| format!("{:?}", row[0]))
        .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wider_range_fetches_only_what_is_missing(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let simulator = busy().await;
    let (near, far) = (days_ago(&simulator, 20), days_ago(&simulator, 45));
    let Some(mut lake) = Lake::with(on, &within(&simulator, near)).await else {
        return;
    };
    let first = synced(&lake, &simulator).await;
    let known = [
        keys(&lake, "_raw_bitbucket_api_pull_requests").await,
        keys(&lake, "_raw_bitbucket_api_pipelines").await,
    ];

    lake.configure(&within(&simulator, far));
    let wider = synced(&lake, &simulator).await;
    let all = [
        keys(&lake, "_raw_bitbucket_api_pull_requests").await,
        keys(&lake, "_raw_bitbucket_api_pipelines").await,
    ];
    for ((known, all), list) in known.iter().zip(&all).zip(["pullrequests", "pipelines"]) {
        assert!(
            all.len() > known.len() + 50,
            "{list}: {} and {}",
            known.len(),
            all.len()
        );
        let again = asked(&wider, list);
        let before = asked(&first, list);
        let twice: Vec<_> = again.iter().filter(|key| before.contains(key)).collect();
        assert!(twice.is_empty(), "records asked for again: {twice:?}");
    }

    // Pages of lists: one each for what changed, and those of the part that was missing.
    let pages = |list: &str| {
        let of = |request: &&RequestRecord| {
            is_top_list(&request.path) && request.path.trim_end_matches('/').ends_with(list)
        };
        wider.iter().filter(of).count()
    };
    let missing = |place: usize| all[place].len() - known[place].len();
    assert!(pages("pullrequests") <= 1 + missing(0).div_ceil(50));
    // Pages know no filter: the one where the known part ends is read again, and the one where
    // the range ends may begin before it.
    assert!(pages("pipelines") <= 1 + 1 + missing(1).div_ceil(100) + 1);
    assert!(pages("issues") <= 2);
    assert_eq!(pages("commits"), 0, "the graph of commits knows no range");

    let Some(fresh) = Lake::with(on, &within(&simulator, far)).await else {
        return;
    };
    synced(&fresh, &simulator).await;
    let differences = lake.differences(&fresh).await;
    assert!(differences.is_empty(), "{differences:#?}");

    // The next sync is as cheap as ever.
    let again = synced(&lake, &simulator).await;
    assert!(again.iter().all(|request| is_top_list(&request.path)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_the_range_becomes_wider_is_found(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy().await;
    let (near, far) = (days_ago(&simulator, 20), days_ago(&simulator, 45));
    let Some(mut lake) = Lake::with(on, &within(&simulator, near)).await else {
        return;
    };
    synced(&lake, &simulator).await;
    {
        let mut random = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(3);
        let mut world = simulator.world();
        for _ in 0..40 {
            world.random_change(&mut random);
        }
    }
    lake.configure(&within(&simulator, far));
    synced(&lake, &simulator).await;
    lake.reconcile(headwater::plan::Depth::Everything).await;
    let Some(fresh) = Lake::with(on, &within(&simulator, far)).await else {
        return;
    };
    synced(&fresh, &simulator).await;
    let differences = lake.differences(&fresh).await;
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widening_that_is_cut_off_at_some_request_is_finished_by_the_next_sync() {
    let simulator = busy().await;
    let (near, far) = (days_ago(&simulator, 20), days_ago(&simulator, 45));
    let fresh = Lake::with(Sqlite, &within(&simulator, far)).await.unwrap();
    synced(&fresh, &simulator).await;
    let mut cut_off = 0;
    for at in [1, 2, 3, 4, 6, 9, 14, 40, 120] {
        let mut lake = Lake::with(Sqlite, &within(&simulator, near)).await.unwrap();
        synced(&lake, &simulator).await;
        lake.configure(&within(&simulator, far));
        let cancel = CancellationToken::new();
        let (count, stop) = (AtomicU64::new(0), cancel.clone());
        simulator.set_faults(Some(Arc::new(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) + 1 < at {
                return None;
            }
            stop.cancel();
            Some(Fault::Hang)
        })));
        let (exit, _) = lake.try_sync(How::default(), cancel).await.unwrap();
        cut_off += usize::from(exit != Exit::Ok);
        simulator.set_faults(None);
        synced(&lake, &simulator).await;
        let differences = lake.differences(&fresh).await;
        assert!(differences.is_empty(), "{at}: {differences:#?}");
    }
    assert!(cut_off > 6, "only {cut_off} were cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrower_range_deletes_nothing_and_asks_for_nothing() {
    let simulator = busy().await;
    let (near, far) = (days_ago(&simulator, 20), days_ago(&simulator, 45));
    let mut lake = Lake::with(On::Sqlite, &within(&simulator, far))
        .await
        .unwrap();
    synced(&lake, &simulator).await;
    let before = keys(&lake, "_raw_bitbucket_api_pull_requests").await;
    for after in [near, far] {
        lake.configure(&within(&simulator, after));
        let requests = synced(&lake, &simulator).await;
        assert!(requests.iter().all(|request| is_top_list(&request.path)));
        assert!(
            requests
                .iter()
                .filter(|it| it.path.ends_with("/pullrequests"))
                .count()
                <= 1,
            "only what changed is asked for"
        );
        assert_eq!(
            keys(&lake, "_raw_bitbucket_api_pull_requests").await,
            before
        );
    }
}
