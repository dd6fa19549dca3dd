//! Syncing a simulated workspace: once, twice, after changes, in part, interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater::exit::Exit;
use headwater_simulator::Fault;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use tokio_util::sync::CancellationToken;

use rstest::rstest;

use crate::lake::{ALL, How, Lake, tiny};

/// True for a list that hangs on no item.
pub(crate) fn is_top_list(path: &str) -> bool {
    let lists = [
        "pullrequests",
        "issues",
        "refs",
        "branches",
        "tags",
        "commits",
        "pipelines",
        "deployments",
        "environments",
    ];
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.starts_with("/2.0/workspaces/acme") {
        return true;
    }
    let rest = path.strip_prefix("/2.0/repositories/acme");
    let parts: Vec<&str> = rest.unwrap_or_default().split('/').skip(2).collect();
    rest == Some("")
        || match parts.as_slice() {
            [list] | ["refs", list] => lists.contains(list),
            _ => false,
        }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_flows_from_api_pages_to_domain_rows(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    assert!(summary.written > 0);
    let world = simulator.world().clone();
    let repositories = world.repositories().len();
    let pull_requests: usize = world
        .repositories()
        .iter()
        .map(|r| r.pull_requests.len())
        .sum();
    let count = |table: &str| format!("SELECT COUNT(*) FROM {table}");
    assert_eq!(lake.number(&count("repos")).await, repositories);
    assert_eq!(lake.number(&count("boards")).await, repositories);
    assert_eq!(lake.number(&count("cicd_scopes")).await, repositories);
    assert_eq!(lake.number(&count("pull_requests")).await, pull_requests);
    for table in ["accounts", "pull_request_comments", "pull_request_commits"] {
        assert!(lake.number(&count(table)).await > 0, "{table} is empty");
    }
    let orphans = "SELECT COUNT(*) FROM pull_request_events \
                   WHERE pull_request_id NOT IN (SELECT id FROM pull_requests)";
    assert_eq!(lake.number(orphans).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_second_sync_writes_no_rows_and_asks_only_for_lists(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let _ = simulator.take_requests();
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!((summary.written, summary.removed), (0, 0));
    let requests = simulator.take_requests();
    assert_eq!(summary.requests, requests.len() as u64);
    for request in &requests {
        let list = is_top_list(&request.path);
        assert!(list, "{} is no list", request.path);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_of_an_unchanged_workspace_writes_no_rows_either(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let (exit, summary) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!((summary.written, summary.removed), (0, 0));
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_named_repository_needs_no_listing_of_the_workspace(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let name = {
        let world = simulator.world();
        world.full_name(&world.repositories()[0])
    };
    let Some(lake) = Lake::on(on, &simulator, &format!("[\"{name}\"]")).await else {
        return;
    };
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    assert!(
        simulator
            .requests()
            .iter()
            .all(|r| r.path != "/2.0/repositories/acme")
    );
    assert_eq!(lake.number("SELECT COUNT(*) FROM repos").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_cancelled_anywhere_goes_on_to_the_same_tables(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let mut cancelled = 0;
    for stop_at in [1, 2, 5, 9, 20, 35, 50, 80] {
        let cancel = CancellationToken::new();
        let seen = Arc::new(AtomicU64::new(0));
        let token = cancel.clone();
        simulator.set_faults(Some(Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == stop_at {
                token.cancel();
            }
            None
        })));
        if let Ok((Exit::Cancelled, _)) = lake.try_sync(How::default(), cancel).await {
            cancelled += 1;
        }
    }
    assert!(
        cancelled >= 4,
        "only {cancelled} runs were cancelled in time"
    );
    simulator.set_faults(None);
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_fails_does_not_stop_the_others(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let slug = simulator.world().repositories()[0].slug.clone();
    let forbidden = format!("/2.0/repositories/acme/{slug}/pullrequests");
    simulator.set_faults(Some(Arc::new(move |request| {
        let body = r#"{"type":"error","error":{"message":"Forbidden"}}"#;
        (request.path == forbidden).then(|| Fault::Status(403, body.into(), Vec::new()))
    })));
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Partial);
    assert_eq!(summary.scopes_failed, 1);
    assert!(lake.number("SELECT COUNT(*) FROM pull_requests").await > 0);
    simulator.set_faults(None);
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_end_the_connection_at_the_first_call(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    simulator.set_faults(Some(Arc::new(|_| {
        let body = r#"{"type":"error","error":{"message":"Token is invalid"}}"#;
        Some(Fault::Status(401, body.into(), Vec::new()))
    })));
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Credentials);
    assert_eq!(simulator.request_count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn broken_items_become_dead_letters_and_are_cleared_when_they_are_well_again(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let slug = {
        let world = simulator.world();
        let repository = world
            .repositories()
            .iter()
            .find(|r| !r.pull_requests.is_empty());
        repository.unwrap().slug.clone()
    };
    let list = format!("/2.0/repositories/acme/{slug}/pullrequests");
    let broken =
        r#"{"values": [{"id": 1, "created_on": "yesterday"}, {"title": "no id"}, {"id": 2}]}"#;
    simulator.set_faults(Some(Arc::new(move |request| {
        let page = || Fault::Body(broken.into(), "application/json".to_owned());
        (request.path == list).then(page)
    })));
    let Some(lake) = Lake::on(on, &simulator, &format!("[\"acme/{slug}\"]")).await else {
        return;
    };
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Partial);
    assert_eq!(summary.rejected, 2);
    let letters = "SELECT stage, path FROM _headwater_dead_letters WHERE stage = 'extract'";
    let letters = format!("{:?}", lake.ask(letters).await.rows);
    assert!(letters.contains("created_on"), "{letters}");
    assert_eq!(lake.number("SELECT COUNT(*) FROM pull_requests").await, 1);

    simulator.set_faults(None);
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(
        lake.number("SELECT COUNT(*) FROM _headwater_dead_letters")
            .await,
        0
    );
}
