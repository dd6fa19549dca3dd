//! Repositories that leave: names that never led anywhere, and what is not wanted any more.

use headwater::exit::Exit;
use headwater::plan::Depth;
use headwater::resolve::Selection;
use headwater_domain::Scope;
use headwater_simulator::{Behaviour, Removed, Simulator};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::git_history::texts;
use crate::lake::{self, How, Lake, code, headwater, request};

/// Tables that remember something of a scope by its params, whichever there are.
async fn remembering(lake: &Lake) -> Vec<String> {
    let text = match lake.database_kind() {
        Sqlite => {
            "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND c.name = 'params' AND m.name LIKE '%headwater%'"
        }
        Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.columns \
             WHERE column_name = 'params' AND table_name LIKE '%headwater%'"
        }
        MariaDb => {
            "SELECT table_name FROM information_schema.columns WHERE table_schema = database() \
             AND column_name = 'params' AND table_name LIKE '%headwater%'"
        }
    };
    let tables = texts(lake, text).await;
    assert!(tables.len() >= 11, "{tables:?}");
    tables
}

fn first_repository(simulator: &Simulator) -> String {
    let world = simulator.world();
    let found = world
        .repositories()
        .iter()
        .find(|it| !it.pull_requests.is_empty());
    format!("acme/{}", found.unwrap().slug)
}

/// What is remembered of a scope, table by table.
async fn traces(lake: &Lake, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in remembering(lake).await {
        let params = Scope::new(1, name).params();
        let count = format!("SELECT COUNT(*) FROM {table} WHERE params = '{params}'");
        if lake.number(&count).await > 0 {
            found.push(table);
        }
    }
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_repository_leaves_no_trace(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let simulator = lake::tiny().await;
    let Some(lake) = Lake::on(on, &simulator, r#"["acme/nope", "acme/*"]"#).await else {
        return;
    };
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!((exit, summary.scopes_failed), (Exit::Partial, 1));
    assert_eq!(traces(&lake, "acme/nope").await, Vec::<String>::new());
    let alone = lake.session(&lake.store, CancellationToken::new()).await;
    let mut named = request("sync", Depth::Changes);
    named.selection = Selection::parse(&["acme/nope".to_owned()]).unwrap();
    let (exit, _) = alone.unwrap().sync(&named).await.unwrap();
    assert_eq!(exit, Exit::Credentials);
    assert_eq!(traces(&lake, "acme/nope").await, Vec::<String>::new());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_was_read_once_stays_when_it_is_gone(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = lake::tiny().await;
    let name = first_repository(&simulator);
    let Some(lake) = Lake::on(on, &simulator, &format!("[\"{name}\"]")).await else {
        return;
    };
    lake.sync(How::default()).await;
    simulator.set_behaviour(Behaviour {
        removed: vec![Removed {
            status: 404,
            ..Removed::new(&name)
        }],
        ..Behaviour::default()
    });
    // The workspace is there.
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Partial);
    assert!(
        traces(&lake, &name)
            .await
            .contains(&"_headwater_scopes".to_owned())
    );
    assert!(lake.number("SELECT COUNT(*) FROM pull_requests").await > 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_repository_leaves_what_a_sync_without_it_has(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = lake::tiny().await;
    let name = first_repository(&simulator);
    let Some(lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let session = lake.session(&lake.store, CancellationToken::new()).await;
    let session = session.unwrap();
    let scope = Scope::new(1, name.clone());
    assert_eq!(
        session.forget(&scope, "acme-cloud").await.unwrap(),
        Exit::Ok
    );
    assert_eq!(traces(&lake, &name).await, Vec::<String>::new());
    let scopes = format!("[\"acme/*\", \"!{name}\"]");
    let without = Lake::on(on, &simulator, &scopes).await.unwrap();
    assert_eq!(without.sync(How::default()).await.0, Exit::Ok);
    let differences = lake.differences(&without).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        shown.is_empty(),
        "here: forgotten, there: never read\n{shown:#?}"
    );
    // And it can come back.
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_forgets_one_repository_and_says_when_it_would_come_back() {
    let simulator = lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let name = first_repository(&simulator).to_uppercase();
    let output = headwater(lake.folder(), &["scopes", "forget", &name]);
    let (out, err) = (
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    );
    assert_eq!(code(&output), 0, "{out}{err}");
    let name = name.to_lowercase().replace("acme/", "acme-cloud:acme/");
    assert!(out.contains(&format!("{name} is forgotten")), "{out}");
    assert!(err.contains("the next sync collects it again"), "{err}");
    let again = headwater(lake.folder(), &["scopes", "forget", &name]);
    assert_eq!(code(&again), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_another_case_is_the_same_repository(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = lake::tiny().await;
    let name = first_repository(&simulator);
    let Some(lake) = Lake::on(on, &simulator, lake::ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let before = lake.number("SELECT COUNT(*) FROM _headwater_scopes").await;
    let session = lake
        .session(&lake.store, CancellationToken::new())
        .await
        .unwrap();
    for streams in [None, Some(vec!["pull_requests"])] {
        let mut named = request("sync", Depth::Changes);
        named.plan.streams = streams.unwrap_or(named.plan.streams);
        named.selection = Selection::parse(&[name.to_uppercase()]).unwrap();
        let (exit, summary) = session.sync(&named).await.unwrap();
        assert_eq!((exit, summary.scopes), (Exit::Ok, 1));
    }
    let after = lake.number("SELECT COUNT(*) FROM _headwater_scopes").await;
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_list_that_fails_beside_others_that_were_read_is_partial() {
    let simulator = lake::tiny().await;
    let name = first_repository(&simulator);
    let lake = Lake::with_scopes(&simulator, &format!("[\"{name}\"]")).await;
    simulator.set_behaviour(Behaviour {
        removed: vec![Removed::new("/refs/tags")],
        ..Behaviour::default()
    });
    let (exit, summary) = lake.sync(How::default()).await;
    assert!(
        summary.written > 0 && summary.scopes_failed == 1,
        "{summary:?}"
    );
    assert_eq!(exit, Exit::Partial);
}
