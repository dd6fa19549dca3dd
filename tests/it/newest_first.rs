//! A first sync that the budget of an hour has no room for: the newest of all repositories first.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use headwater::clock::Clock;
use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_simulator::{Fault, Options, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, Answer, How, Lake, configuration, request};

/// Requests that an hour has room for, half of which may go at once.
const PER_HOUR: u64 = 1600;

/// Repositories with two weeks of history, whose lists have more than one page.
async fn company(repositories: usize) -> Simulator {
    let size = Size {
        repositories,
        empty_repositories: 1,
        pull_requests_per_repository: 60,
        comments_per_pull_request: 0.3,
        commits_per_pull_request: 1.0,
        ..Size::default()
    };
    let options = Options {
        size,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// Such a day that the last thirty days hold the last two of this history.
fn today(simulator: &Simulator) -> DateTime<Utc> {
    simulator.world().now() + TimeDelta::days(28)
}

fn thirty_days_before(day: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = day.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    midnight - TimeDelta::days(30)
}

fn limited(simulator: &Simulator) -> String {
    let text = configuration(&simulator.endpoint(), ALL);
    text.replace(
        "requests_per_hour = 1000000000",
        &format!("requests_per_hour = {PER_HOUR}"),
    )
}

/// A sync of a day, of an hour whose budget nobody has used, that is cut off at some request.
async fn sync_until(lake: &Lake, simulator: &Simulator, (day, at): (DateTime<Utc>, u64)) -> Exit {
    lake.execute("DELETE FROM _headwater_requests").await;
    let cancel = CancellationToken::new();
    let (count, stop) = (AtomicU64::new(0), cancel.clone());
    simulator.set_faults(Some(Arc::new(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) + 1 < at {
            return None;
        }
        stop.cancel();
        Some(Fault::Hang)
    })));
    let mut session = lake.session(&lake.store, cancel).await.unwrap();
    session.clock = Clock::of(move || day);
    let (exit, _) = session
        .sync(&request("sync", Depth::Changes))
        .await
        .unwrap();
    simulator.set_faults(None);
    exit
}

async fn keys(lake: &Lake, table: &str) -> HashSet<String> {
    let sql = format!("SELECT params, parent, item_key FROM {table}");
    let Answer { rows, .. } = lake.ask(&sql).await;
    rows.iter().map(|row| format!("{row:?}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_thirty_days_of_all_repositories_come_before_anything_older() {
    let simulator = company(10).await;
    let day = today(&simulator);
    let lake = Lake::with(Sqlite, &limited(&simulator)).await.unwrap();
    let exit = sync_until(&lake, &simulator, (day, PER_HOUR / 2)).await;
    assert_eq!(exit, Exit::Cancelled);

    let near = thirty_days_before(day).format("%Y-%m-%d");
    let text = configuration(&simulator.endpoint(), ALL);
    let text = format!("{text}data_after = \"{near}\"\n");
    let recent = Lake::with(Sqlite, &text).await.unwrap();
    assert_eq!(recent.sync(How::default()).await.0, Exit::Ok);
    let everything = Lake::with(Sqlite, &configuration(&simulator.endpoint(), ALL)).await;
    let everything = everything.unwrap();
    assert_eq!(everything.sync(How::default()).await.0, Exit::Ok);
    for stream in [
        "pull_requests",
        "pull_request_activities",
        "pull_request_comments",
        "pull_request_commits",
        "pipelines",
        "pipeline_steps",
        "deployments",
    ] {
        let table = format!("_raw_bitbucket_api_{stream}");
        let (wanted, here) = (keys(&recent, &table).await, keys(&lake, &table).await);
        let missing: Vec<_> = wanted.difference(&here).collect();
        assert!(missing.is_empty(), "{stream}: {missing:?}");
        assert!(wanted.len() > 10, "{stream}: {}", wanted.len());
    }
    let steps = "_raw_bitbucket_api_pipeline_steps";
    let (here, all) = (
        keys(&lake, steps).await.len(),
        keys(&everything, steps).await.len(),
    );
    assert!(here < all, "all of {all} steps came before it was cut off");
    // What follows from the last thirty days is there as well, before the rest has come.
    let recent = recent.number("SELECT COUNT(*) FROM pull_requests").await;
    let here = lake.number("SELECT COUNT(*) FROM pull_requests").await;
    assert!(here >= recent, "{here} of {recent}");
}

/// A pull request is opened, and there is a word on one of the oldest.
fn something_happens(simulator: &Simulator, hour: u64) {
    let mut world = simulator.world();
    let mut repositories = world.repositories().iter();
    let busy = repositories.find(|it| !it.pull_requests.is_empty());
    let slug = busy.unwrap().slug.clone();
    let author = world.users().first().map(|user| user.id);
    let title = format!("Opened in hour {hour}");
    world
        .create_pull_request(&slug, author, &title, "")
        .unwrap();
    world
        .comment(&slug, hour, author, "Still a fine change", None)
        .unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn hours_of_newest_first_come_to_the_tables_of_one_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = company(3).await;
    let day = today(&simulator);
    let text = limited(&simulator).replace("= 1600", "= 500");
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let mut hours = 0;
    // Each hour ends at another request, and something changes before the next one begins.
    for at in [11, 90, 250, 31, 170, 250, 60, 250, 250, 250, 250, 250] {
        hours += 1;
        if sync_until(&lake, &simulator, (day, at)).await == Exit::Ok {
            break;
        }
        something_happens(&simulator, hours);
    }
    assert!(hours > 3, "{hours} hours");
    let mut lake = lake;
    let endless = configuration(&simulator.endpoint(), ALL);
    lake.configure(&endless);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let fresh = Lake::with(on, &endless).await.unwrap();
    assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok);
    let differences = lake.differences(&fresh).await;
    assert!(
        differences.is_empty(),
        "after {hours} hours: {differences:#?}"
    );
}
