//! Lists that are not read in each run: what shows that they are due, and the bound within which
//! they are read in any case.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater_simulator::{
    Behaviour, Fault, GitChange, Options, PipelinesOff, Removed, RequestRecord, Simulator, Size,
};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::lake::{ALL, How, Lake, TOKEN};

/// One repository, long after its last build.
async fn quiet(pull_requests: usize) -> Simulator {
    let options = Options {
        size: Size {
            repositories: 1,
            empty_repositories: 0,
            pull_requests_per_repository: pull_requests,
            ..Size::tiny()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    simulator.world().advance(Duration::from_hours(24));
    simulator
}

fn slug(simulator: &Simulator) -> String {
    simulator.world().repositories()[0].slug.clone()
}

/// Lists of the repository that a sync asked for, in order.
async fn asked(simulator: &Simulator, lake: &Lake, how: How) -> Vec<String> {
    let _ = simulator.take_requests();
    let (exit, summary) = lake.sync(how).await;
    assert_eq!(exit, Exit::Ok, "{summary:?}");
    lists(&simulator.take_requests())
}

fn lists(requests: &[RequestRecord]) -> Vec<String> {
    let below = requests.iter().filter_map(|request| {
        let path = request.path.strip_prefix("/2.0/repositories/acme/")?;
        let (_, list) = path.split_once('/')?;
        Some(list.trim_end_matches('/').to_owned())
    });
    below.collect()
}

/// Merges a new pull request: two pipelines run and end, and one of them deploys.
fn release(simulator: &Simulator) {
    let mut world = simulator.world();
    let slug = world.repositories()[0].slug.clone();
    let by = world.users()[0].id;
    let made = world.create_pull_request(&slug, None, "Release", "");
    world
        .merge(&slug, made.unwrap().pull_request.unwrap(), by)
        .unwrap();
}

/// What a list answers now.
async fn answer(simulator: &Simulator, list: &str) -> Value {
    let address = format!(
        "{}repositories/acme/{}/{list}",
        simulator.endpoint(),
        slug(simulator)
    );
    let sent = reqwest::Client::new()
        .get(address)
        .basic_auth("me@example.com", Some(TOKEN))
        .send();
    serde_json::from_slice(&sent.await.unwrap().bytes().await.unwrap()).unwrap()
}

/// Lets a list answer this.
fn answers(simulator: &Simulator, list: &'static str, body: &Value) {
    let body = Bytes::from(body.to_string());
    simulator.set_faults(Some(Arc::new(move |request: &RequestRecord| {
        let json = "application/json".to_owned();
        let is_list = request.path.trim_end_matches('/').ends_with(list);
        is_list.then(|| Fault::Body(body.clone(), json))
    })));
}

const UNCHANGED: [&str; 3] = ["pullrequests", "refs", "pipelines"];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_repository_is_asked_for_three_lists_and_once_a_day_for_the_others(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = quiet(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let first = asked(&simulator, &lake, How::default()).await;
    for list in ["deployments", "environments", "issues", "refs/tags"] {
        assert!(first.iter().any(|it| it == list), "{list}: {first:?}");
    }
    let own = How::default();
    assert_eq!(asked(&simulator, &lake, own).await, UNCHANGED);
    lake.days_pass(1).await;
    let daily = asked(&simulator, &lake, own).await;
    let all = [&UNCHANGED[..], &["deployments", "environments"]].concat();
    assert_eq!(daily, all);
    assert_eq!(asked(&simulator, &lake, own).await, UNCHANGED);
    lake.days_pass(7).await;
    let weekly = asked(&simulator, &lake, own).await;
    assert_eq!(weekly.iter().filter(|it| *it == "issues").count(), 1);
    // Whoever wants to be certain asks for everything, and is given it.
    for certain in [How { full: true }] {
        let lists = asked(&simulator, &lake, certain).await;
        for list in [
            "deployments",
            "environments",
            "issues",
            "refs/branches",
            "commits",
        ] {
            assert!(lists.iter().any(|it| it == list), "{list}: {lists:?}");
        }
        assert!(!lists.iter().any(|it| it == "refs"), "{lists:?}");
    }
    let _ = simulator.take_requests();
    assert_eq!(lake.reconcile(Depth::Lists).await.0, Exit::Ok);
    let lists = lists(&simulator.take_requests());
    for list in ["deployments", "environments", "refs/branches", "commits"] {
        assert!(lists.iter().any(|it| it == list), "{list}: {lists:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pipeline_deploys_is_found_by_the_next_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = quiet(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    // It runs, it has ended, and nothing happens any more.
    for (minutes, is_asked) in [(0, true), (10, true), (10, false)] {
        if minutes == 0 {
            release(&simulator);
        }
        simulator.world().advance(Duration::from_mins(minutes));
        let lists = asked(&simulator, &lake, How::default()).await;
        let found = lists.iter().any(|it| it == "deployments");
        assert_eq!(found, is_asked, "{minutes}: {lists:?}");
        lake.assert_equals_a_first_sync(&simulator).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deployed_without_a_pipeline_is_found_within_a_day(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = quiet(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    let there = |simulator: &Simulator| {
        let world = simulator.world();
        world.repositories()[0].deployments(world.now()).len()
    };
    let stored = "SELECT COUNT(*) FROM _tool_bitbucket_deployments";
    // Until a release is deployed again, or given up, an hour after its pipeline ended.
    for _ in 0..20 {
        release(&simulator);
        simulator.world().advance(Duration::from_mins(10));
        lake.sync(How::default()).await;
        assert_eq!(lake.number(stored).await, there(&simulator));
        simulator.world().advance(Duration::from_hours(2));
        if there(&simulator) > lake.number(stored).await {
            break;
        }
    }
    let before = lake.number(stored).await;
    assert!(there(&simulator) > before, "nothing was deployed again");
    lake.sync(How::default()).await;
    assert_eq!(lake.number(stored).await, before, "the bound is a day");
    // Verifying looks at everything, and says so.
    assert_eq!(lake.verify(false).await.exit, Exit::Partial);
    lake.days_pass(1).await;
    lake.sync(How::default()).await;
    lake.assert_equals_a_first_sync(&simulator).await;
    assert_eq!(lake.verify(false).await.exit, Exit::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_found_when_a_deployment_names_it_and_its_name_within_a_day() {
    let simulator = quiet(12).await;
    let lake = Lake::beside(&simulator).await;
    let all = answer(&simulator, "environments/?pagelen=100").await;
    let mut few = all.clone();
    few["values"].as_array_mut().unwrap().remove(1);
    few["size"] = 3.into();
    answers(&simulator, "/environments", &few);
    lake.sync(How::default()).await;
    let stored = "SELECT COUNT(*) FROM _tool_bitbucket_environments";
    assert_eq!(lake.number(stored).await, 3);
    // It is made, and nothing says so.
    simulator.set_faults(None);
    lake.sync(How::default()).await;
    assert_eq!(lake.number(stored).await, 3);
    release(&simulator);
    simulator.world().advance(Duration::from_mins(10));
    lake.sync(How::default()).await;
    assert_eq!(lake.number(stored).await, 4, "a deployment names it");
    lake.assert_equals_a_first_sync(&simulator).await;
    let mut renamed = all.clone();
    renamed["values"][2]["name"] = "harbour".into();
    answers(&simulator, "/environments", &renamed);
    let named = "SELECT COUNT(*) FROM _tool_bitbucket_environments WHERE name = 'harbour'";
    lake.sync(How::default()).await;
    assert_eq!(lake.number(named).await, 0);
    lake.days_pass(1).await;
    lake.sync(How::default()).await;
    assert_eq!(lake.number(named).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_list_that_would_show_it_a_list_is_read_in_each_run() {
    let simulator = quiet(12).await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let only = ["sync", "--only", "deployments,environments"];
    for _ in 0..2 {
        let _ = simulator.take_requests();
        crate::lake::ended_output(lake.start(&only));
        let lists = lists(&simulator.take_requests());
        assert!(lists.iter().any(|it| it == "deployments"), "{lists:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_and_pipelines_that_are_missing_are_asked_for_again_after_a_week(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = quiet(12).await;
    simulator.set_behaviour(Behaviour {
        pipelines_off: Some(PipelinesOff {
            status: 404,
            untouched: true,
        }),
        ..Behaviour::default()
    });
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    assert_eq!(
        asked(&simulator, &lake, How::default()).await,
        ["pullrequests", "refs"]
    );
    lake.days_pass(6).await;
    assert_eq!(
        asked(&simulator, &lake, How::default()).await,
        ["pullrequests", "refs"]
    );
    lake.days_pass(1).await;
    let lists = asked(&simulator, &lake, How::default()).await;
    for list in ["issues", "pipelines", "deployments", "environments"] {
        assert!(lists.iter().any(|it| it == list), "{list}: {lists:?}");
    }
    // They are switched on: known after a week at the latest, and deployments with pipelines.
    simulator.set_behaviour(Behaviour::default());
    lake.days_pass(7).await;
    lake.sync(How::default()).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_there_is_asked_for_in_each_run_for_a_day_more() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        trackers: Some(3),
        ..Options::default()
    })
    .await
    .unwrap();
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let repositories = simulator.world().repositories().len();
    simulator.set_faults(Some(Arc::new(|request: &RequestRecord| {
        request
            .path
            .ends_with("/issues")
            .then(|| Fault::status(404))
    })));
    let trackers = |lists: &[String]| lists.iter().filter(|it| *it == "issues").count();
    for _ in 0..2 {
        let lists = asked(&simulator, &lake, How::default()).await;
        assert_eq!(trackers(&lists), repositories);
    }
    // It was a server in trouble.
    simulator.set_faults(None);
    lake.sync(How::default()).await;
    lake.assert_equals_a_first_sync(&simulator).await;
    simulator.world().close_trackers();
    lake.sync(How::default()).await;
    lake.days_pass(1).await;
    let lists = asked(&simulator, &lake, How::default()).await;
    assert_eq!(trackers(&lists), repositories);
    let lists = asked(&simulator, &lake, How::default()).await;
    assert_eq!(trackers(&lists), 0, "it is gone for certain");
}

#[rstest]
#[case::writes_branches_in_another_way(Behaviour { refs_differ: true, ..Behaviour::default() })]
#[case::is_gone(Behaviour { removed: vec![Removed::new("/refs")], ..Behaviour::default() })]
#[tokio::test(flavor = "multi_thread")]
async fn a_common_list_of_refs_that_does_not_serve_is_not_used(#[case] behaviour: Behaviour) {
    let simulator = quiet(12).await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let is_gone = !behaviour.removed.is_empty();
    simulator.set_behaviour(behaviour);
    // Own lists are below the path of the common one.
    if is_gone {
        simulator.set_behaviour(Behaviour::default());
        simulator.set_faults(Some(Arc::new(|request: &RequestRecord| {
            request.path.ends_with("/refs").then(|| Fault::status(404))
        })));
    }
    let change = GitChange::Push { count: 2 };
    let slug = slug(&simulator);
    simulator.world().change_git(&slug, &change).unwrap();
    let lists = asked(&simulator, &lake, How::default()).await;
    assert!(lists.contains(&"refs/branches".to_owned()), "{lists:?}");
    lake.assert_equals_a_first_sync(&simulator).await;
    let lists = asked(&simulator, &lake, How::default()).await;
    assert!(!lists.contains(&"refs".to_owned()), "{lists:?}");
    assert!(lists.contains(&"refs/branches".to_owned()), "{lists:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn heads_that_move_on_back_and_aside_give_the_tables_of_a_first_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = quiet(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let slug = slug(&simulator);
    let name = |name: &str| name.to_owned();
    for change in [
        GitChange::Push { count: 3 },
        GitChange::ForcePush { drop: 2, count: 0 },
        GitChange::Branch {
            name: name("aside"),
        },
        GitChange::ForcePush { drop: 1, count: 4 },
        GitChange::Tag {
            name: name("v1.0"),
            annotated: true,
        },
        GitChange::DeleteBranch {
            name: name("aside"),
        },
        GitChange::DeleteTag { name: name("v1.0") },
    ] {
        simulator.world().change_git(&slug, &change).unwrap();
        lake.sync(How::default()).await;
        lake.assert_equals_a_first_sync(&simulator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_corrected_makes_lists_due() {
    let simulator = quiet(12).await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    lake.execute("UPDATE _headwater_looks SET looked_at = looked_at + 1000000")
        .await;
    let lists = asked(&simulator, &lake, How::default()).await;
    assert!(lists.iter().any(|it| it == "deployments"), "{lists:?}");
}
