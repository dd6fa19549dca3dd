//! Which issues pull requests and commits name: the links, and what they follow.

use headwater::exit::Exit;
use headwater_simulator::{GitChange, Options, Simulator, Size, TrackerChange};
use headwater_store::query::Cell;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, configuration};
use crate::test_database::On::{self, MariaDb, Postgres, Sqlite};

/// Two small repositories with five issues each, and the name of the first.
async fn company() -> (Simulator, String) {
    let options = Options {
        size: Size::tiny(),
        trackers: Some(5),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    let slug = simulator.world().repositories()[0].slug.clone();
    (simulator, slug)
}

/// A configuration for all repositories, whose history is read by the API or from git.
fn configured(simulator: &Simulator, by_git: bool) -> String {
    let connection = configuration(&simulator.endpoint(), ALL);
    if !by_git {
        return connection;
    }
    let url = simulator.git_url();
    format!("{connection}git.enabled = true\ngit.url = \"{url}\"\n")
}

fn push(simulator: &Simulator, slug: &str, message: &str) -> String {
    let message = message.to_owned();
    let change = GitChange::PushMessage { message };
    simulator.world().change_git(slug, &change).unwrap();
    let world = simulator.world();
    let repository = world.repositories().iter().find(|it| it.slug == slug);
    repository.unwrap().main.last().unwrap().hash.to_string()
}

fn drop_head(simulator: &Simulator, slug: &str) {
    let change = GitChange::ForcePush { drop: 1, count: 0 };
    simulator.world().change_git(slug, &change).unwrap();
}

fn open(simulator: &Simulator, slug: &str, title: &str) -> u64 {
    let mut world = simulator.world();
    let touched = world.create_pull_request(slug, None, title, "").unwrap();
    touched.pull_request.unwrap()
}

fn report(simulator: &Simulator, slug: &str) {
    let change = TrackerChange::Report {
        by: None,
        title: "Broken".to_owned(),
        kind: 0,
    };
    simulator.world().change_tracker(slug, &change).unwrap();
}

async fn lines(lake: &Lake, sql: &str) -> Vec<String> {
    let shown = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let answer = lake.ask(sql).await;
    let rows = answer.rows.iter();
    rows.map(|row| row.iter().map(shown).collect::<Vec<_>>().join(" "))
        .collect()
}

/// The issues that a pull request of a repository is linked with.
async fn of_pull_request(lake: &Lake, slug: &str, id: u64) -> Vec<String> {
    let sql = format!(
        "SELECT issue_key, place FROM pull_request_issues WHERE pull_request_key = {id} \
         AND pull_request_id LIKE '%/{slug}:%' ORDER BY issue_key"
    );
    lines(lake, &sql).await
}

/// The issues that a commit is linked with.
async fn of_commit(lake: &Lake, sha: &str) -> Vec<String> {
    let sql =
        format!("SELECT issue_id FROM issue_commits WHERE commit_sha = '{sha}' ORDER BY issue_id");
    lines(lake, &sql).await
}

/// Syncs; then the tables are those of a fresh sync, and a further one writes nothing.
async fn settles(on: On, lake: &Lake, configuration: &str, what: &str) {
    let done = lake
        .try_sync(How::default(), CancellationToken::new())
        .await;
    let failed = "SELECT stream, message FROM _headwater_steps WHERE state <> 'success'";
    let failed = lines(lake, failed).await;
    assert!(matches!(done, Ok((Exit::Ok, _))), "{what}: {failed:?}");
    let fresh = Lake::with(on, configuration).await.unwrap();
    assert_eq!(fresh.sync(How::default()).await.0, Exit::Ok, "{what}");
    let differences = lake.differences(&fresh).await;
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{what}: {shown:#?}");
    for full in [false, true] {
        let (exit, run) = lake.sync(How { full }).await;
        assert_eq!((exit, run.written, run.removed), (Exit::Ok, 0, 0), "{what}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn links_follow_titles_messages_and_issues(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(false, true)] by_git: bool,
) {
    let (simulator, slug) = company().await;
    let configuration = configured(&simulator, by_git);
    let Some(lake) = Lake::with(on, &configuration).await else {
        return;
    };
    let id = open(&simulator, &slug, "Solve #6, #1 and #99 (pull request #2)");
    let sha = push(&simulator, &slug, "Begin #6\n\nSee #2, http://a.example/#3");
    settles(on, &lake, &configuration, "before the issue").await;
    let issue = |number: u64| format!("bitbucket:BitbucketIssue:1:acme/{slug}:{number}");
    let with_branch = of_pull_request(&lake, &slug, id).await;
    assert!(
        with_branch.contains(&"1 title".to_owned()),
        "{with_branch:?}"
    );
    assert!(
        !with_branch.contains(&"2 title".to_owned()),
        "{with_branch:?}"
    );
    assert_eq!(of_commit(&lake, &sha).await, [issue(2)]);

    report(&simulator, &slug);
    settles(on, &lake, &configuration, "the issue arrives").await;
    assert!(
        of_pull_request(&lake, &slug, id)
            .await
            .contains(&"6 title".to_owned())
    );
    assert_eq!(of_commit(&lake, &sha).await, [issue(2), issue(6)]);

    {
        let mut world = simulator.world();
        let by = world.users()[0].id;
        world
            .edit_pull_request(&slug, id, by, Some("Solve nothing"), None)
            .unwrap();
    }
    settles(on, &lake, &configuration, "another title").await;
    let left = of_pull_request(&lake, &slug, id).await;
    assert!(!left.iter().any(|link| link.ends_with("title")), "{left:?}");

    let delete = TrackerChange::Delete { issue: 6 };
    simulator.world().change_tracker(&slug, &delete).unwrap();
    assert_eq!(lake.sync(How { full: true }).await.0, Exit::Ok);
    settles(on, &lake, &configuration, "the issue is deleted").await;
    assert_eq!(of_commit(&lake, &sha).await, [issue(2)]);

    drop_head(&simulator, &slug);
    settles(on, &lake, &configuration, "a forced push").await;
    assert_eq!(of_commit(&lake, &sha).await, [""; 0]);

    let stored = lines(&lake, "SELECT issue_id FROM pull_request_issues").await;
    assert!(!stored.is_empty());
    simulator.world().close_trackers();
    for full in [false, true] {
        lake.sync(How { full }).await;
        let now = lines(&lake, "SELECT issue_id FROM pull_request_issues").await;
        assert_eq!(now, stored, "the tracker is gone");
    }
}
