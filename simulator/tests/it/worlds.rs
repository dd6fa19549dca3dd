//! Worlds by themselves: determinism and changes.

use headwater_simulator::{Change, Options, Refused, Simulator, Size, Spread, State, World};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::client::{get, json, start, walk};

pub(crate) fn small() -> Size {
    Size {
        repositories: 3,
        pull_requests_per_repository: 40,
        ..Size::default()
    }
}

/// Every byte a client can read about repositories and pull requests, without addresses of pages.
async fn everything(seed: u64, changes: usize) -> String {
    let mut world = World::generate(seed, "acme", &Size::tiny());
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..changes {
        world.random_change(&mut rng);
    }
    let mut paths = vec!["repositories/acme?pagelen=100".to_owned()];
    for repository in world.repositories() {
        let list = format!("repositories/acme/{}/pullrequests", repository.slug);
        let fields = "fields=%2Bvalues.participants,%2Bvalues.reviewers";
        paths.push(format!("{list}?state=all&pagelen=50&{fields}"));
        paths.push(format!("{list}/activity?pagelen=50"));
        for id in repository.pull_requests.keys() {
            let below = [
                "",
                "/comments?pagelen=100",
                "/activity?pagelen=50",
                "/commits",
            ];
            paths.extend(below.map(|rest| format!("{list}/{id}{rest}")));
        }
    }
    let simulator = Simulator::serve(Options::default(), world).await.unwrap();
    let mut text = String::new();
    for path in paths {
        let body = get(&simulator, &path).await.body;
        text += &String::from_utf8(body)
            .unwrap()
            .replace(&simulator.endpoint(), "");
    }
    text
}

#[tokio::test]
async fn the_same_seed_gives_the_same_payloads() {
    assert_eq!(everything(7, 0).await, everything(7, 0).await);
    assert_eq!(everything(7, 100).await, everything(7, 100).await);
    assert_ne!(everything(7, 0).await, everything(8, 0).await);
}

#[test]
fn applying_the_same_changes_keeps_worlds_equal() {
    let mut left = World::generate(3, "acme", &small());
    let mut right = left.clone();
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..2_000 {
        let before = (left.revision(), left.now());
        let change = left.random_change(&mut rng);
        assert!(
            left.revision() > before.0 && left.now() > before.1,
            "{change:?}"
        );
        right.apply(&change).unwrap();
    }
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

#[test]
fn changes_bump_the_pull_request_they_touch() {
    let mut world = World::generate(3, "acme", &Size::tiny());
    let mut rng = StdRng::seed_from_u64(2);
    let mut bumped = 0;
    for _ in 0..300 {
        let before = world.clone();
        let change = world.propose(&mut rng);
        let Ok(touched) = world.apply(&change) else {
            continue;
        };
        let (Some(slug), Some(id)) = (touched.repository, touched.pull_request) else {
            continue;
        };
        let Some(after) = world.pull_request(&slug, id) else {
            assert!(matches!(change, Change::DeletePullRequest { .. }));
            continue;
        };
        assert_eq!(after.updated_on, world.now(), "{change:?}");
        if let Some(before) = before.pull_request(&slug, id) {
            assert!(after.updated_on > before.updated_on, "{change:?}");
            bumped += 1;
        }
    }
    assert!(bumped > 150);
}

#[test]
fn every_kind_of_change_comes_up() {
    let mut world = World::generate(5, "acme", &small());
    let mut rng = StdRng::seed_from_u64(5);
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..5_000 {
        let change = format!("{:?}", world.random_change(&mut rng));
        *kinds
            .entry(change.split(' ').next().unwrap().to_owned())
            .or_default() += 1;
    }
    assert_eq!(kinds.len(), 20, "{kinds:?}");
    assert!(world.repositories().len() >= 2);
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut world = World::generate(3, "acme", &Size::tiny());
    let before = format!("{world:?}");
    let someone = world.users()[0].id;
    let slug = world.repositories()[0].slug.clone();
    let closed = world.repositories()[0]
        .pull_requests
        .values()
        .find(|it| it.state != State::Open);
    let closed = closed.unwrap().id;
    assert_eq!(world.merge(&slug, closed, someone), Err(Refused::Closed));
    assert_eq!(
        world.merge(&slug, 999, someone),
        Err(Refused::NoPullRequest)
    );
    assert_eq!(
        world.merge("nothing", 1, someone),
        Err(Refused::NoRepository)
    );
    assert_eq!(
        world.edit_comment(&slug, 1, 1, "x"),
        Err(Refused::NoComment)
    );
    assert_eq!(world.add_repository(&slug), Err(Refused::SlugTaken));
    assert_eq!(format!("{world:?}"), before);
}

#[test]
fn benchmark_worlds_have_exact_totals() {
    let size = Size::benchmark(300, 1_000);
    assert_eq!(size.spread, Spread::Even);
    let world = World::generate(1, "acme", &size);
    let pull_requests = &world.repositories()[0].pull_requests;
    assert_eq!(pull_requests.len(), 300);
    assert_eq!(
        pull_requests
            .values()
            .map(|found| found.comments.len())
            .sum::<usize>(),
        1_000
    );
}

#[tokio::test]
async fn the_past_is_past() {
    let simulator = start(small()).await;
    let now = simulator.world().now().to_rfc3339();
    for repository in walk(&simulator, "repositories/acme").await {
        assert!(repository["updated_on"].as_str().unwrap() < now.as_str());
        let path = format!(
            "repositories/{}/pullrequests",
            repository["full_name"].as_str().unwrap()
        );
        let listed = walk(&simulator, &format!("{path}?state=all&pagelen=50")).await;
        assert!(
            listed
                .iter()
                .all(|it| it["updated_on"].as_str().unwrap() < now.as_str())
        );
        assert_eq!(listed.is_empty(), repository["mainbranch"].is_null());
        assert_eq!(
            json(&simulator, &format!("{path}?state=all")).await["size"],
            listed.len()
        );
    }
}
