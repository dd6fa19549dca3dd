//! Commits of the main branch, read by heads; branches and tags.

use headwater::exit::Exit;
use headwater_simulator::{GitChange, Options, Simulator, Size};

use crate::lake::{How, Lake};

fn changed(simulator: &Simulator, change: &GitChange) {
    let slug = simulator.world().repositories()[0].slug.clone();
    simulator.world().change_git(&slug, change).unwrap();
}

/// Questions about commits of the main branch since the last time.
fn asked(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.take_requests().into_iter();
    let commits = requests.filter(|request| {
        request.path.ends_with("/commits") && !request.path.contains("/pullrequests/")
    });
    commits.map(|request| request.query).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_asked_for_by_heads_and_a_forced_push_is_found() {
    let options = Options {
        size: Size::tiny(),
        ..Options::default()
    };
    let simulator = Simulator::start(options).await.unwrap();
    changed(&simulator, &GitChange::Push { count: 250 });
    let lake = Lake::with_scopes(
        &simulator,
        &format!("[\"acme/{}\"]", simulator.world().repositories()[0].slug),
    )
    .await;
    lake.sync(How::default()).await;
    let on_main = || simulator.world().repositories()[0].main.len();
    let stored = "SELECT COUNT(*) FROM repo_commits";
    assert_eq!(lake.number(stored).await, on_main());
    assert_eq!(asked(&simulator).len(), on_main().div_ceil(100));

    lake.sync(How::default()).await;
    assert_eq!(asked(&simulator), Vec::<String>::new(), "no head moved");

    changed(&simulator, &GitChange::Push { count: 2 });
    let (_, summary) = lake.sync(How::default()).await;
    let questions = asked(&simulator);
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert!(questions[0].contains("&exclude="), "{questions:?}");
    assert!(summary.removed == 0, "{summary:?}");
    assert_eq!(lake.number(stored).await, on_main());

    for (drop, count) in [(3, 2), (2, 0)] {
        changed(&simulator, &GitChange::ForcePush { drop, count });
        let (exit, _) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        for table in ["repo_commits", "commits", "_raw_bitbucket_api_commits"] {
            let stored = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(lake.number(&stored).await, on_main(), "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_a_main_branch_is_not_asked_for_commits() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        ..Options::default()
    })
    .await
    .unwrap();
    simulator.world().add_repository("Hollow").unwrap();
    let lake = Lake::with_scopes(&simulator, r#"["acme/hollow"]"#).await;
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(asked(&simulator), Vec::<String>::new());
    assert_eq!(lake.number("SELECT COUNT(*) FROM repos").await, 1);
    assert_eq!(lake.number("SELECT COUNT(*) FROM commits").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_branch_is_the_default_and_a_deleted_tag_goes() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        ..Options::default()
    })
    .await
    .unwrap();
    let tag = |name: &str| GitChange::Tag {
        name: name.to_owned(),
        annotated: true,
    };
    changed(&simulator, &tag("v1.0"));
    changed(&simulator, &tag("v1.1"));
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    let tags = "SELECT COUNT(*) FROM refs WHERE ref_type = 'TAG'";
    assert_eq!(lake.number(tags).await, 2);
    let pushed = "SELECT COUNT(*) FROM refs WHERE is_default";
    let repositories = simulator.world().repositories().to_vec();
    let with_main = repositories.iter().filter(|it| it.mainbranch.is_some());
    assert_eq!(lake.number(pushed).await, with_main.count());
    let name = "v1.0".to_owned();
    changed(&simulator, &GitChange::DeleteTag { name });
    lake.sync(How::default()).await;
    assert_eq!(lake.number(tags).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_two_repositories_have_goes_with_the_last_of_them() {
    let simulator = Simulator::start(Options {
        size: Size::tiny(),
        ..Options::default()
    })
    .await
    .unwrap();
    changed(&simulator, &GitChange::Push { count: 5 });
    let [first, second] = [0, 1].map(|place| simulator.world().repositories()[place].slug.clone());
    // As after a fork: the second repository has the head of the first one.
    simulator.world().copy_main(&first, &second).unwrap();
    let lake = Lake::with_scopes(
        &simulator,
        &format!("[\"acme/{first}\", \"acme/{second}\"]"),
    )
    .await;
    lake.sync(How::default()).await;
    let sha = simulator.world().repositories()[0]
        .main
        .last()
        .unwrap()
        .hash
        .to_string();
    let held = format!("SELECT COUNT(*) FROM repo_commits WHERE commit_sha = '{sha}'");
    let there = format!("SELECT COUNT(*) FROM commits WHERE sha = '{sha}'");
    for (slug, holders) in [(&first, 1), (&second, 0)] {
        let drop = GitChange::ForcePush { drop: 3, count: 1 };
        simulator.world().change_git(slug, &drop).unwrap();
        lake.sync(How::default()).await;
        assert_eq!(lake.number(&held).await, holders, "{slug}");
        assert_eq!(lake.number(&there).await, holders.min(1), "{slug}");
        let fresh = Lake::with_scopes(
            &simulator,
            &format!("[\"acme/{first}\", \"acme/{second}\"]"),
        )
        .await;
        fresh.sync(How::default()).await;
        let differences = lake.differences(&fresh).await;
        assert!(differences.is_empty(), "{slug}: {differences:?}");
    }
}
