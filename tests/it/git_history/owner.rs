//! Tables whose owner changes between the API and git.

use std::time::{Duration, Instant};

use headwater::exit::Exit;
use headwater_simulator::{GitChange, Simulator};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use super::assert_equals_fresh;
use super::servers::{cloud, simulator};
use crate::lake::{How, Lake};

const AUTH: &str = "kind = \"api-token\", email = \"me@example.com\", token = \"api-token\"";

fn push(simulator: &Simulator) {
    let mut world = simulator.world();
    let slugs: Vec<String> = world
        .repositories()
        .iter()
        .map(|it| it.slug.clone())
        .collect();
    for slug in slugs {
        for change in [
            GitChange::Push { count: 2 },
            GitChange::Tag {
                name: "v9".to_owned(),
                annotated: true,
            },
            GitChange::Branch {
                name: "aside".to_owned(),
            },
        ] {
            // A repository without a push refuses.
            let _ = world.change_git(&slug, &change);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn switching_git_on_and_off_gives_the_tables_of_a_fresh_sync(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = simulator().await;
    let by_git = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let by_api = by_git.replace("git.enabled = true", "git.enabled = false");
    let Some(mut lake) = Lake::with(on, &by_api).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    for (configuration, what) in [
        (&by_git, "to git"),
        (&by_git, "still git"),
        (&by_api, "back to the API"),
        (&by_api, "still the API"),
        (&by_git, "to git once more"),
    ] {
        lake.configure(configuration);
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok, "{what}");
        assert_equals_fresh(on, &lake, configuration).await;
        let (_, run) = lake.sync(How::default()).await;
        assert_eq!(
            (run.written, run.removed),
            (0, 0),
            "{what}: nothing is left to do"
        );
        push(&simulator);
    }
}

/// What is stored of commits, by either owner and on either side.
async fn stored(lake: &Lake) -> Vec<usize> {
    let mut counts = Vec::new();
    for rows in [
        "_raw_bitbucket_api_commits",
        "_tool_bitbucket_repo_commits",
        "repo_commits WHERE _raw_data_table = 'gitextractor'",
        "repo_commits WHERE _raw_data_table <> 'gitextractor'",
        "_headwater_git",
    ] {
        let count = format!("SELECT COUNT(*) FROM {rows}");
        counts.push(lake.number(&count).await);
    }
    counts
}

/// Kills a sync some time after it has changed something. False when it had ended by then.
async fn killed(lake: &Lake, after: Duration) -> bool {
    let before = stored(lake).await;
    let mut child = lake.start(&["sync"]);
    let began = Instant::now();
    while stored(lake).await == before
        && child.try_wait().unwrap().is_none()
        && began.elapsed() < Duration::from_mins(1)
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(after).await;
    let is_within = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    is_within
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_owner_that_is_killed_midway_ends_as_a_fresh_sync() {
    let simulator = simulator().await;
    let slug = simulator.world().repositories()[0].slug.clone();
    let many = GitChange::Push { count: 1_500 };
    simulator.world().change_git(&slug, &many).unwrap();
    let by_git = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let by_api = by_git.replace("git.enabled = true", "git.enabled = false");
    let mut lake = Lake::with(Sqlite, &by_api).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let mut within = 0;
    for round in 0..3 {
        for configuration in [&by_git, &by_api] {
            lake.configure(configuration);
            for kill in 0..3 {
                let after = Duration::from_millis(17 * kill + 5 * round);
                within += usize::from(killed(&lake, after).await);
            }
            assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
            assert_equals_fresh(Sqlite, &lake, configuration).await;
            push(&simulator);
        }
    }
    assert!(within > 0, "some kill must come while the owner changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_api_stay_while_git_cannot_be_reached() {
    let simulator = simulator().await;
    let by_git = cloud(&simulator, AUTH, "[\"acme/*\"]");
    let by_api = by_git.replace("git.enabled = true", "git.enabled = false");
    let mut lake = Lake::with(Sqlite, &by_api).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let commits = super::stored_commits(&lake).await;
    assert!(!commits.is_empty());
    // There is no git server there.
    lake.configure(&by_git.replace("{scope}.git", "nowhere/{scope}.git"));
    let (exit, _) = lake.sync(How::default()).await;
    assert_ne!(exit, Exit::Ok);
    assert_eq!(super::stored_commits(&lake).await, commits);
    lake.configure(&by_git);
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    assert_equals_fresh(Sqlite, &lake, &by_git).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_both_kinds_work_beside_each_other() {
    let simulator = simulator().await;
    let source = super::widget();
    let path = source.path().display().to_string();
    let configuration = format!(
        "{}{}",
        cloud(&simulator, AUTH, "[\"acme/*\"]"),
        super::plain_configuration(&[("tools/widget", &path)])
    );
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let held = "SELECT COUNT(*) FROM repo_commits WHERE repo_id = 'git:Repo:9:tools/widget'";
    assert_eq!(lake.number(held).await, 5);
    assert!(lake.number("SELECT COUNT(*) FROM pull_requests").await > 0);
    assert_equals_fresh(Sqlite, &lake, &configuration).await;
    let verified = lake.verify(false).await;
    assert_eq!((verified.exit, verified.differences.len()), (Exit::Ok, 0));
    assert_eq!(
        lake.reconcile(headwater::plan::Depth::Lists).await.0,
        Exit::Ok
    );
}
