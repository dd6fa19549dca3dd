//! Faults on a schedule, and every fault there is.

use std::collections::BTreeSet;
use std::time::Duration;

use headwater_simulator::{
    Behaviour, Fault, FaultKind, FaultPlan, FaultSettings, RateLimit, RequestRecord, Simulator,
    Size, When,
};

use crate::client::{PERSON, first, get, send, start};

fn request(number: u64, target: &str) -> RequestRecord {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RequestRecord {
        number,
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        status: 0,
        fault: None,
    }
}

/// The numbers of the requests that a plan hits, in that order.
fn hits(plan: FaultPlan, targets: &[String]) -> Vec<usize> {
    let faults = plan.start();
    let asked = targets.iter().zip(1..);
    let hit = asked.filter(|(target, number)| faults(&request(*number, target)).is_some());
    hit.map(|(_, number)| usize::try_from(number).unwrap())
        .collect()
}

fn pages(count: usize) -> Vec<String> {
    let page = |number| format!("/2.0/repositories/acme/x/pullrequests?page={number}");
    (1..=count).map(page).collect()
}

#[test]
fn a_share_of_requests_follows_from_the_seed_alone() {
    let plan = |seed| FaultPlan::seeded(seed).every(0.05, Fault::status(503));
    let targets = pages(2_000);
    let hit = hits(plan(1), &targets);
    assert!((60..140).contains(&hit.len()), "{}", hit.len());
    assert_eq!(hits(plan(1), &targets), hit);
    assert_ne!(hits(plan(2), &targets), hit);

    let backwards: Vec<String> = targets.iter().rev().cloned().collect();
    let mut same: Vec<usize> = hits(plan(1), &backwards)
        .iter()
        .map(|hit| 2_001 - hit)
        .collect();
    same.reverse();
    assert_eq!(same, hit, "the order of arrival decides nothing");
}

#[test]
fn who_tries_again_succeeds_unless_the_fault_lasts() {
    let targets: Vec<String> = pages(50)
        .into_iter()
        .flat_map(|page| std::iter::repeat_n(page, 8))
        .collect();
    for lasting in [1, 3] {
        let when = When::share(0.4).lasting(lasting);
        let plan = FaultPlan::seeded(3)
            .add(when.clone(), Fault::Hang)
            .add(when, Fault::CutConnection);
        let hit: BTreeSet<usize> = hits(plan, &targets).into_iter().collect();
        let longest = (0..50).map(|page| {
            let runs = (1..=8).map(|visit| hit.contains(&(page * 8 + visit)));
            let lengths = runs.scan(0, |length, hit| {
                *length = if hit { *length + 1 } else { 0 };
                Some(*length)
            });
            lengths.max().unwrap()
        });
        assert_eq!(longest.max(), Some(lasting));
    }
}

#[test]
fn rules_hit_paths_times_and_positions() {
    let targets = pages(10);
    let plan = || FaultPlan::seeded(1);
    let fault = || Fault::status(500);
    for (plan, expected) in [
        (plan().once("page=4", fault()), vec![4]),
        (plan().times(3, "/pullrequests", fault()), vec![1, 2, 3]),
        (plan().always("page=1", fault()), vec![1, 10]),
        (plan().from_request(8, fault()), vec![8, 9, 10]),
        (
            plan().add(When::always().continuation().at_most(2), fault()),
            vec![2, 3],
        ),
        (
            plan().add(When::first(2).from_request(5).on("page"), fault()),
            vec![5, 6],
        ),
        (
            plan().add(When::always().below("/2.0/repositories/acme/x/"), fault()),
            (1..=10).collect(),
        ),
        (
            plan().add(
                When::always().below("/2.0/repositories/acme/x/pull"),
                fault(),
            ),
            vec![],
        ),
        (plan().always("/nothing", fault()), vec![]),
        (plan(), vec![]),
    ] {
        assert_eq!(hits(plan.clone(), &targets), expected, "{plan:?}");
    }
}

#[test]
fn the_first_rule_that_hits_wins() {
    let faults = FaultPlan::seeded(1)
        .once("/x/", Fault::Hang)
        .always("", Fault::CutConnection)
        .start();
    let target = "/2.0/repositories/acme/x/pullrequests";
    assert_eq!(faults(&request(1, target)), Some(Fault::Hang));
    assert_eq!(faults(&request(2, target)), Some(Fault::CutConnection));
}

#[tokio::test]
async fn a_plan_is_followed_and_counted() {
    let simulator = start(Size::tiny()).await;
    simulator.follow(
        FaultPlan::seeded(1)
            .once("/user", Fault::status(503))
            .times(2, "/repositories", Fault::retry_after_seconds(0))
            .from_request(6, Fault::status(401).named("the token expired")),
    );
    let mut statuses = Vec::new();
    for path in [
        "user",
        "user",
        "repositories/acme",
        "repositories/acme",
        "repositories/acme",
        "user",
    ] {
        statuses.push(get(&simulator, path).await.status);
    }
    assert_eq!(statuses, [503, 200, 429, 429, 200, 401]);
    let given: Vec<(String, u64)> = simulator.faults_given().into_iter().collect();
    let expected = [
        ("429 with Retry-After in seconds", 2),
        ("status 503", 1),
        ("the token expired", 1),
    ];
    assert_eq!(
        given,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
    let log: Vec<Option<String>> = simulator
        .requests()
        .into_iter()
        .map(|it| it.fault)
        .collect();
    assert_eq!(log[0].as_deref(), Some("status 503"));
    assert_eq!(log[1], None);
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = FaultKind::all().into_iter().map(FaultKind::name).collect();
    assert_eq!(names.len(), FaultKind::all().len());
    assert!(names.iter().all(|name| !name.is_empty()));
    for (fault, kind) in [
        (Fault::status(429), FaultKind::TooManyRequestsText),
        (Fault::error(429, "slow"), FaultKind::TooManyRequests),
        (Fault::retry_after_seconds(1), FaultKind::RetryAfterSeconds),
        (
            Fault::retry_after_date(Duration::ZERO),
            FaultKind::RetryAfterDate,
        ),
        (Fault::status(555), FaultKind::Status555),
        (Fault::removed("CHANGE-9"), FaultKind::RemovedEndpoint),
        (Fault::web_page(), FaultKind::WebPage),
        (Fault::garbage(), FaultKind::Garbage),
    ] {
        assert_eq!(fault.name(), kind.name());
    }
    assert_eq!(Fault::status(401).name(), "status 401");
}

/// Asks for a bit of everything, as a client without patience that takes what it gets.
async fn wander(simulator: &Simulator) {
    let slug = first(simulator);
    let list = format!("repositories/acme/{slug}/pullrequests?state=all&pagelen=1");
    let entries = format!("repositories/acme/{slug}/pullrequests/1/comments?pagelen=1");
    let headers = format!("Authorization: {PERSON}\r\nAccept-Encoding: gzip\r\n");
    for path in [&list, &entries] {
        for page in 1..=4 {
            let target = format!("/2.0/{path}&page={page}");
            let asked = send(simulator, &target, &headers);
            // A hanging request is left alone soon, and a cut one is no answer at all.
            let _ = tokio::time::timeout(Duration::from_millis(500), asked).await;
        }
    }
}

#[tokio::test]
async fn every_kind_takes_effect_and_ends() {
    let settings = FaultSettings {
        share: 1.0,
        continuation_share: 1.0,
        at_most: 1,
        huge_bytes: 100_000,
        unauthorized_from: 2,
        limit: RateLimit::new(2, Duration::from_hours(1)),
        ..FaultSettings::default()
    };
    for kind in FaultKind::all() {
        let simulator = start(Size::tiny()).await;
        let plan = kind.begin(&simulator, FaultPlan::seeded(1), &settings);
        assert_eq!(
            plan.is_empty(),
            simulator.behaviour() != Behaviour::default() || kind.hides_changes()
        );
        simulator.follow(plan);
        wander(&simulator).await;
        let given = simulator.faults_given();
        match kind {
            // They show in what changes do and in headers, and have tests of their own.
            FaultKind::SilentComments
            | FaultKind::SilentVerdicts
            | FaultKind::DateAhead
            | FaultKind::DateBehind => assert!(given.is_empty(), "{given:?}"),
            _ => {
                assert!(given[kind.name()] > 0, "{}: {given:?}", kind.name());
                assert_eq!(given.len(), 1, "{given:?}");
            }
        }
        if kind.is_transient() {
            assert_eq!(given[kind.name()], 1, "{}", kind.name());
        }
        simulator.behave();
        let before = simulator.faults_given();
        wander(&simulator).await;
        assert_eq!(simulator.faults_given(), before, "{}", kind.name());
        simulator.stop().await;
    }
}

#[tokio::test]
async fn all_kinds_can_be_combined() {
    let settings = FaultSettings {
        share: 0.02,
        huge_bytes: 100_000,
        unauthorized_from: 500,
        limit: RateLimit::new(1_000, Duration::from_hours(1)),
        ..FaultSettings::default()
    };
    let simulator = start(Size::tiny()).await;
    let mut plan = FaultPlan::seeded(9);
    for kind in FaultKind::all() {
        if !matches!(kind, FaultKind::Hang | FaultKind::Stall) {
            plan = kind.begin(&simulator, plan, &settings);
        }
    }
    simulator.follow(plan);
    for _ in 0..10 {
        wander(&simulator).await;
    }
    assert!(
        simulator.faults_given().len() > 10,
        "{:?}",
        simulator.faults_given()
    );
    simulator.behave();
    assert_eq!(get(&simulator, "user").await.status, 200);
}
