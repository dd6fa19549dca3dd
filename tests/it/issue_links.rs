//! Which issues pull requests and commits name: the links, and what they follow.

use headwater::exit::Exit;
use headwater_simulator::{Change, GitChange, Options, Simulator, Size, TrackerChange};
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, configuration, ended_output};

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
#[case::by_the_api(Sqlite, false)]
#[case::by_git(Sqlite, true)]
#[case::by_git(Postgres, true)]
#[case::by_the_api(MariaDb, false)]
#[tokio::test(flavor = "multi_thread")]
async fn links_follow_titles_messages_and_issues(#[case] on: On, #[case] by_git: bool) {
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

/// An issue that another program wrote.
async fn write_issue(lake: &Lake, key: &str) {
    let sql = format!(
        "INSERT INTO issues (id, issue_key, title, updated_at) VALUES \
         ('jira:Issue:1:{key}', '{key}', 'Elsewhere', '2026-11-01 00:00:00.000')"
    );
    lake.execute(&sql).await;
}

#[rstest]
#[case::by_the_api(Sqlite, false)]
#[case::by_git(Sqlite, true)]
#[case::by_git(Postgres, true)]
#[case::by_the_api(MariaDb, false)]
#[tokio::test(flavor = "multi_thread")]
async fn forks_have_their_own_numbers_and_share_keys(#[case] on: On, #[case] by_git: bool) {
    let (simulator, first) = company().await;
    let second = simulator.world().repositories()[1].slug.clone();
    let sha = push(&simulator, &first, "#1 and ABC-7");
    simulator.world().copy_main(&first, &second).unwrap();
    let configuration = configured(&simulator, by_git);
    let Some(lake) = Lake::with(on, &configuration).await else {
        return;
    };
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let own = |slug: &str| format!("bitbucket:BitbucketIssue:1:acme/{slug}:1");
    let sorted = |mut links: Vec<String>| {
        links.sort();
        links
    };
    let numbers = sorted(vec![own(&first), own(&second)]);
    assert_eq!(of_commit(&lake, &sha).await, numbers);

    write_issue(&lake, "ABC-7").await;
    lake.sync(How::default()).await;
    let keyed = "jira:Issue:1:ABC-7".to_owned();
    let with_key = sorted(vec![own(&first), own(&second), keyed.clone()]);
    assert_eq!(of_commit(&lake, &sha).await, with_key);
    let (_, run) = lake.sync(How::default()).await;
    assert_eq!((run.written, run.removed), (0, 0), "an issue of others");

    // Whichever goes first, the other one keeps what is its own.
    for (slug, left) in [
        (&first, sorted(vec![own(&second), keyed.clone()])),
        (&second, Vec::new()),
    ] {
        drop_head(&simulator, slug);
        lake.sync(How::default()).await;
        assert_eq!(of_commit(&lake, &sha).await, left, "{slug}");
        let fresh = Lake::with(on, &configuration).await.unwrap();
        write_issue(&fresh, "ABC-7").await;
        fresh.sync(How::default()).await;
        assert_eq!(lake.differences(&fresh).await, [], "{slug}");
    }
    lake.execute("DELETE FROM issues WHERE issue_key = 'ABC-7'")
        .await;
    lake.sync(How::default()).await;
    let keyed = "SELECT COUNT(*) FROM pull_request_issues WHERE issue_key = 'ABC-7'";
    assert_eq!(lake.number(keyed).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_brings_the_issues_of_its_commits_and_pull_requests() {
    let (simulator, slug) = company().await;
    let tag = |name: &str| {
        let change = GitChange::Tag {
            name: name.to_owned(),
            annotated: true,
        };
        simulator.world().change_git(&slug, &change).unwrap();
    };
    push(&simulator, &slug, "Before: #5");
    tag("v1.0.0");
    push(&simulator, &slug, "Solve #2\n");
    let id = open(&simulator, &slug, "Solve #3");
    {
        let mut world = simulator.world();
        let by = world.users()[0].id;
        world.merge(&slug, id, by).unwrap();
    }
    tag("v2.0.0");
    let rules = "\n[scope_config.default]\ntags_pattern = \"^v\"\n";
    let configuration = format!("{}{rules}", configured(&simulator, false));
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let range = "v1.0.0..v2.0.0";
    let scope = format!("acme/{slug}");
    let output = lake.start(&["diff", &scope, range, "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&ended_output(output)).unwrap();
    let listed = found["issues"].as_array().unwrap().iter();
    let listed: Vec<&str> = listed.map(|issue| issue["key"].as_str().unwrap()).collect();
    for key in ["2", "3"] {
        assert!(listed.contains(&key), "{key}: {found:#}");
    }
    assert!(!listed.contains(&"5"), "{found:#}");
    let stored = "SELECT issue_number FROM refs_issues_diffs WHERE new_ref_id LIKE '%v2.0.0'";
    let stored = lines(&lake, stored).await;
    for key in ["2", "3"] {
        assert!(stored.contains(&key.to_owned()), "{key}: {stored:?}");
    }

    let delete = TrackerChange::Delete { issue: 2 };
    simulator.world().change_tracker(&slug, &delete).unwrap();
    lake.sync(How { full: true }).await;
    settles(Sqlite, &lake, &configuration, "an issue is gone").await;
    let left = "SELECT COUNT(*) FROM refs_issues_diffs WHERE issue_number = '2'";
    assert_eq!(lake.number(left).await, 0, "the release follows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_thousands_of_names_brings_a_hundred() {
    let (simulator, slug) = company().await;
    let names: Vec<String> = (1..50_000)
        .map(|number| format!("#{number} X-{number}"))
        .collect();
    let many = push(&simulator, &slug, &names.join(" "));
    let odd = push(
        &simulator,
        &slug,
        "\u{0}#1\u{0} \u{202e}#2 é#3 &#4; ABC-\u{0661}",
    );
    for by_git in [false, true] {
        let configuration = configured(&simulator, by_git);
        let lake = Lake::with(Sqlite, &configuration).await.unwrap();
        assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
        let mentions =
            |sha: &str| format!("SELECT COUNT(*) FROM commit_mentions WHERE commit_sha = '{sha}'");
        assert_eq!(lake.number(&mentions(&many)).await, 100);
        assert_eq!(of_commit(&lake, &many).await.len(), 5, "issues there are");
        if !by_git {
            // Git ends a message at a NUL.
            assert_eq!(lake.number(&mentions(&odd)).await, 2);
        }
        settles(Sqlite, &lake, &configuration, "hostile text").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn linking_that_was_cut_off_is_done_again() {
    let (simulator, slug) = company().await;
    for number in 1..=5 {
        push(&simulator, &slug, &format!("Solve #{number}"));
        open(&simulator, &slug, &format!("Solve #{number}"));
    }
    let configuration = configured(&simulator, false);
    let lake = Lake::with(Sqlite, &configuration).await.unwrap();
    lake.sync(How::default()).await;
    // As a killed process leaves it: some links are written, others are not taken away yet.
    for sql in [
        "UPDATE _headwater_checkpoints SET rules = 'stale' WHERE step = 'convert:issue_links'",
        "DELETE FROM issue_commits WHERE issue_id LIKE '%:2'",
        "DELETE FROM pull_request_issues WHERE issue_key = '3'",
        "UPDATE pull_request_issues SET place = 'branch' WHERE issue_key = '4'",
        "UPDATE issue_commits SET issue_id = 'gone' WHERE issue_id LIKE '%:5'",
    ] {
        lake.execute(sql).await;
    }
    settles(Sqlite, &lake, &configuration, "after a kill").await;
    let told =
        "SELECT COUNT(*) FROM _headwater_steps WHERE stage = 'convert' AND stream = 'issue_links'";
    assert!(lake.number(told).await >= 2, "the step is in the log");
}

/// What a history of this test may have in it: what changes mentions or issues.
fn plays_a_part(change: &Change) -> bool {
    matches!(
        change,
        Change::Tracker { .. }
            | Change::Git { .. }
            | Change::CreatePullRequest { .. }
            | Change::EditPullRequest { .. }
            | Change::RewriteCommits { .. }
            | Change::PushCommits { .. }
            | Change::Merge { .. }
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_history_links_are_those_of_a_fresh_sync() {
    for (seed, by_git) in [(1, false), (2, true), (3, false)] {
        let (simulator, _) = company().await;
        let configuration = configured(&simulator, by_git);
        let lake = Lake::with(Sqlite, &configuration).await.unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        for round in 0..4 {
            let mut made = 0;
            while made < 12 {
                let mut world = simulator.world();
                let change = world.propose(&mut random);
                if plays_a_part(&change) && world.apply(&change).is_ok() {
                    made += 1;
                }
            }
            let (exit, _) = lake.sync(How { full: round == 3 }).await;
            assert_eq!(exit, Exit::Ok, "seed {seed}, round {round}");
        }
        settles(Sqlite, &lake, &configuration, &format!("seed {seed}")).await;
        let links = lake
            .number("SELECT COUNT(*) FROM pull_request_issues")
            .await
            + lake.number("SELECT COUNT(*) FROM issue_commits").await;
        assert!(
            links > 0,
            "seed {seed}: nothing is linked, nothing is shown"
        );
    }
}
