//! Lists that do not keep to their own rules, and lists that are not there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater::report::RunSummary;
use headwater_simulator::{
    Behaviour, Fault, ListedWorkspace, Options, PipelinesOff, RequestRecord, Simulator, Size,
};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::small_server::{SmallServer, ok};
use rstest::rstest;

use crate::lake::{ALL, How, Lake, TOKEN, with_everything};

/// One repository with so many pull requests, and as many pipelines and more.
async fn busy(pull_requests: usize) -> Simulator {
    let size = Size {
        repositories: 1,
        empty_repositories: 0,
        pull_requests_per_repository: pull_requests,
        ..Size::tiny()
    };
    let options = Options {
        size,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

fn everywhere() -> Vec<String> {
    vec![String::new()]
}

async fn synced(lake: &Lake) -> RunSummary {
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok, "{summary:?}");
    summary
}

/// Steps of the latest run whose message has this text.
async fn said(lake: &Lake, text: &str) -> usize {
    let steps = format!(
        "SELECT COUNT(*) FROM _headwater_steps WHERE message LIKE '%{text}%' \
         AND run_id = (SELECT MAX(id) FROM _headwater_runs)"
    );
    lake.number(&steps).await
}

/// Requests for a list of the repository itself, by its last segment.
fn asked(requests: &[RequestRecord], list: &str) -> usize {
    let is_list = |request: &&RequestRecord| {
        let path = request.path.trim_end_matches('/');
        path.ends_with(&format!("/{list}"))
    };
    requests.iter().filter(is_list).count()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_next_that_forgets_what_was_asked_for_loses_nothing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(150).await;
    simulator.set_behaviour(Behaviour {
        forgetful_next: everywhere(),
        ..Behaviour::default()
    });
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    let pipelines = {
        let world = simulator.world();
        world.repositories()[0].pipelines(world.now()).len()
    };
    assert!(pipelines > 200, "{pipelines}");
    let stored = "SELECT COUNT(*) FROM _tool_bitbucket_pipelines";
    assert_eq!(lake.number(stored).await, pipelines);
    simulator.set_behaviour(Behaviour::default());
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_stable_loses_nothing(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let simulator = busy(150).await;
    simulator.set_behaviour(Behaviour {
        unstable_order: everywhere(),
        ..Behaviour::default()
    });
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    // What several readings do not show together is said, and tried again.
    for _ in 0..5 {
        let (exit, summary) = lake.sync(How::default()).await;
        assert!(
            matches!(exit, Exit::Ok | Exit::Partial | Exit::Failed),
            "{summary:?}"
        );
        if exit == Exit::Ok {
            break;
        }
    }
    simulator.set_behaviour(Behaviour::default());
    synced(&lake).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_in_an_order_that_is_not_stable_lists_every_repository() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        listed_workspaces: vec![ListedWorkspace::new("many", 250)],
        ..Options::default()
    })
    .await
    .unwrap();
    simulator.set_behaviour(Behaviour {
        unstable_order: vec!["/repositories/many".to_owned()],
        ..Behaviour::default()
    });
    let lake = Lake::with_scopes(&simulator, r#"["many/*"]"#).await;
    synced(&lake).await;
    let stored = "SELECT COUNT(*) FROM _headwater_scopes WHERE full_name LIKE 'many/%'";
    assert_eq!(lake.number(stored).await, 250);
}

/// A list of tags that announces more than it shows.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_items_is_partial_and_deletes_nothing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(20).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    let count = "SELECT COUNT(*) FROM _tool_bitbucket_deployments";
    let before = lake.number(count).await;
    assert!(before > 1, "{before}");
    // One of the deployments is shown no more, though the list counts it.
    simulator.set_faults(Some(Arc::new(|request: &RequestRecord| {
        let is_list = request.path.ends_with("/deployments/");
        let body = br#"{"size": 9999, "page": 1, "pagelen": 100, "values": []}"#;
        is_list.then(|| {
            let json = "application/json".to_owned();
            Fault::Body(Bytes::from_static(body), json)
        })
    })));
    let (exit, summary) = lake.reconcile(Depth::Everything).await;
    assert_ne!(exit, Exit::Ok);
    assert_eq!(said(&lake, "announces 9999 items").await, 1, "{summary:?}");
    assert_eq!(lake.number(count).await, before);
    simulator.set_faults(None);
    synced(&lake).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_an_error_that_names_it() {
    let simulator = busy(20).await;
    for (list, endless) in [
        ("deployments", "/deployments/"),
        ("tags", "/refs/tags"),
        ("pullrequests", "/pullrequests"),
    ] {
        simulator.set_behaviour(Behaviour {
            endless: vec![endless.to_owned()],
            ..Behaviour::default()
        });
        let _ = simulator.take_requests();
        let lake = Lake::beside(&simulator).await;
        let (exit, summary) = lake.sync(How::default()).await;
        assert_ne!(exit, Exit::Ok, "{list}");
        let requests = asked(&simulator.take_requests(), list);
        assert!(requests < 40, "{requests} requests for {list}");
        let named = format!("{list}%does not end");
        assert_eq!(said(&lake, &named).await, 1, "{summary:?}");
        simulator.set_behaviour(Behaviour::default());
        synced(&lake).await;
        lake.assert_equals_a_first_sync(&simulator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_whose_list_never_ends_is_an_error() {
    // Each `next` is another one, and every page is empty.
    let server = SmallServer::start(|number, target| {
        let path = target.split('?').next().unwrap_or_default();
        ok(&format!(
            r#"{{"values": [], "next": "{path}?cursor={number}"}}"#
        ))
    })
    .await;
    let text = with_everything(server.endpoint.as_str(), ALL);
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_ne!(exit, Exit::Ok);
    assert!(server.requests().len() < 30, "{}", server.requests().len());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pipelines_that_never_end_are_asked_for_one_by_one(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(200).await;
    simulator.set_behaviour(Behaviour {
        unending_pipelines: Some(150),
        ..Behaviour::default()
    });
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    for _ in 0..2 {
        let _ = simulator.take_requests();
        synced(&lake).await;
        let requests = simulator.take_requests();
        assert_eq!(asked(&requests, "pipelines"), 1, "pages of pipelines");
        let single = |request: &&RequestRecord| request.path.contains("/pipelines/%7B");
        let single = requests.iter().filter(single).count();
        assert!((1..=4).contains(&single), "{single} pipelines");
        // They have waited for longer than what runs takes to deploy.
        assert_eq!(asked(&requests, "deployments"), 0, "pages of deployments");
    }
    // They end after all.
    simulator.set_behaviour(Behaviour::default());
    synced(&lake).await;
    lake.assert_equals_a_first_sync(&simulator).await;
    let _ = simulator.take_requests();
    synced(&lake).await;
    let requests = simulator.take_requests();
    let single = |request: &&RequestRecord| request.path.contains("/pipelines/%7B");
    assert_eq!(requests.iter().filter(single).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pipelines_that_never_end_cost_no_more_than_the_whole_list() {
    let simulator = busy(200).await;
    simulator.set_behaviour(Behaviour {
        unending_pipelines: Some(3),
        ..Behaviour::default()
    });
    let lake = Lake::beside(&simulator).await;
    synced(&lake).await;
    let _ = simulator.take_requests();
    synced(&lake).await;
    let requests = simulator.take_requests();
    let single = |request: &&RequestRecord| request.path.contains("/pipelines/%7B");
    assert_eq!(requests.iter().filter(single).count(), 0);
    let pages = asked(&requests, "pipelines");
    assert!(pages <= 6, "{pages} pages of pipelines");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn new_deployments_are_found_without_reading_the_whole_list(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(400).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    let whole = {
        let world = simulator.world();
        world.repositories()[0]
            .deployments(world.now())
            .len()
            .div_ceil(100)
    };
    assert!(whole >= 4, "{whole} pages");
    for _ in 0..3 {
        {
            let mut world = simulator.world();
            let slug = world.repositories()[0].slug.clone();
            let by = world.users()[0].id;
            let made = world
                .create_pull_request(&slug, None, "Release", "")
                .unwrap();
            world.merge(&slug, made.pull_request.unwrap(), by).unwrap();
            world.advance(Duration::from_mins(30));
        }
        let _ = simulator.take_requests();
        synced(&lake).await;
        let pages = asked(&simulator.take_requests(), "deployments");
        assert!(pages < whole, "{pages} of {whole} pages");
        lake.assert_equals_a_first_sync(&simulator).await;
    }
}

#[rstest]
#[case::never_switched_on(PipelinesOff { status: 404, untouched: true })]
#[case::switched_off(PipelinesOff { status: 403, untouched: false })]
#[case::switched_off_as_missing(PipelinesOff { status: 404, untouched: false })]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_pipelines_is_complete(
    #[case] off: PipelinesOff,
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    let count = "SELECT COUNT(*) FROM _tool_bitbucket_pipelines";
    let before = lake.number(count).await;
    simulator.set_behaviour(Behaviour {
        pipelines_off: Some(off),
        ..Behaviour::default()
    });
    // It is said once.
    lake.days_pass(1).await;
    for times in [3, 0] {
        synced(&lake).await;
        assert_eq!(said(&lake, "switched off").await, times);
    }
    assert_eq!(lake.number(count).await, before, "nothing is deleted");
    let fresh = Lake::on(on, &simulator, ALL).await.unwrap();
    synced(&fresh).await;
    assert_eq!(fresh.number(count).await, 0);
    // Switched on again: where they were there on the day before, the next sync finds them.
    simulator.set_behaviour(Behaviour::default());
    synced(&lake).await;
    fresh.days_pass(7).await;
    synced(&fresh).await;
    lake.assert_equals_a_first_sync(&simulator).await;
    fresh.assert_equals_a_first_sync(&simulator).await;
    simulator.set_behaviour(Behaviour {
        pipelines_off: Some(off),
        ..Behaviour::default()
    });
    lake.days_pass(1).await;
    synced(&lake).await;
    assert_eq!(said(&lake, "switched off").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_refused_though_pipelines_are_on_is_a_failure() {
    let simulator = busy(12).await;
    for status in [403, 404] {
        simulator.set_faults(Some(Arc::new(move |request: &RequestRecord| {
            let is_list = request.path.ends_with("/deployments/");
            is_list.then(|| Fault::status(status))
        })));
        let lake = Lake::beside(&simulator).await;
        let (exit, _) = lake.sync(How::default()).await;
        assert_ne!(exit, Exit::Ok, "{status}");
        simulator.set_faults(None);
        synced(&lake).await;
        lake.assert_equals_a_first_sync(&simulator).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lost_access_is_a_failure_of_credentials_and_takes_nothing_for_gone(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy(12).await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    simulator.set_behaviour(Behaviour {
        hidden: everywhere(),
        ..Behaviour::default()
    });
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Credentials);
    let gone = "SELECT COUNT(*) FROM _headwater_scopes WHERE source_gone_at IS NOT NULL";
    assert_eq!(lake.number(gone).await, 0);
    assert_ne!(lake.verify(false).await.exit, Exit::Ok);
    simulator.set_behaviour(Behaviour::default());
    synced(&lake).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_a_list_leaves_out_is_asked_for_before_it_is_gone() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        ..Options::default()
    })
    .await
    .unwrap();
    let lake = Lake::beside(&simulator).await;
    synced(&lake).await;
    let slug = simulator.world().repositories()[0].slug.clone();
    let gone = "SELECT COUNT(*) FROM _headwater_scopes WHERE source_gone_at IS NOT NULL";
    // The list leaves it out, and its own address shows it.
    let payload = {
        let address = format!("{}repositories/acme/{slug}", simulator.endpoint());
        let answer = reqwest::Client::new().get(address);
        let answer = answer
            .basic_auth("me@example.com", Some(TOKEN))
            .send()
            .await;
        answer.unwrap().bytes().await.unwrap()
    };
    simulator.set_behaviour(Behaviour {
        hidden: vec![slug.clone()],
        ..Behaviour::default()
    });
    let address = format!("/2.0/repositories/acme/{slug}");
    simulator.set_faults(Some(Arc::new(move |request: &RequestRecord| {
        let json = "application/json".to_owned();
        (request.path == address).then(|| Fault::Body(payload.clone(), json))
    })));
    let (exit, _) = lake.sync(How::default()).await;
    // Its lists are hidden, too, but it is not taken for gone.
    assert_ne!(exit, Exit::Ok);
    assert_eq!(lake.number(gone).await, 0);
    // Its own address answers 404: it is gone.
    simulator.set_faults(None);
    synced(&lake).await;
    assert_eq!(lake.number(gone).await, 1);
    // And there it is again.
    simulator.set_behaviour(Behaviour::default());
    synced(&lake).await;
    assert_eq!(lake.number(gone).await, 0);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_glob_that_matches_nothing_is_no_success() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        listed_workspaces: vec![ListedWorkspace::new("many", 3)],
        ..Options::default()
    })
    .await
    .unwrap();
    for (scopes, expected) in [
        (r#"["acme/nothing-*"]"#, Exit::Credentials),
        // What a further glob stands for may be still to come.
        (r#"["acme/*", "acme/nothing-*"]"#, Exit::Ok),
        (r#"["acme/*", "many/nothing-*"]"#, Exit::Partial),
        (r#"["acme/*", "!acme/nothing-*"]"#, Exit::Ok),
    ] {
        let lake = Lake::with_scopes(&simulator, scopes).await;
        let (exit, summary) = lake.sync(How::default()).await;
        assert_eq!(exit, expected, "{scopes}: {summary:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_workspace_follow_its_name(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let simulator = busy(12).await;
    let Some(mut lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    synced(&lake).await;
    let first = "SELECT MIN(id) FROM _raw_bitbucket_api_pull_requests";
    let count = "SELECT COUNT(*) FROM pull_requests";
    let before = (lake.number(first).await, lake.number(count).await);
    simulator.world().rename_workspace("apex");
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Credentials);
    lake.configure(&with_everything(&simulator.endpoint(), r#"["apex/*"]"#));
    synced(&lake).await;
    let after = (lake.number(first).await, lake.number(count).await);
    assert_eq!(after, before, "the rows are the same");
    let renamed = "SELECT COUNT(*) FROM repos WHERE name LIKE 'apex/%' OR id LIKE '%:apex/%'";
    assert_eq!(lake.number(renamed).await, 1);
    let gone = "SELECT COUNT(*) FROM _headwater_scopes \
                WHERE source_gone_at IS NOT NULL AND full_name = 'acme'";
    assert_eq!(lake.number(gone).await, 1, "the workspace of that name");
    let others = "SELECT COUNT(*) FROM _headwater_scopes WHERE source_gone_at IS NOT NULL";
    assert_eq!(lake.number(others).await, 1);
}
