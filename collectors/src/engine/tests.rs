use std::sync::Arc;
use std::time::Duration;

use headwater_domain::Stream;
use headwater_domain::tool::bitbucket::pull_request::PullRequests;
use headwater_domain::tool::bitbucket::pull_request_activity::PullRequestActivities;
use headwater_domain::tool::bitbucket::pull_request_comment::PullRequestComments;
use headwater_domain::tool::bitbucket::pull_request_commit::PullRequestCommits;
use headwater_domain::tool::bitbucket::repository::Repositories;
use headwater_simulator::{Fault, Options, Simulator, Size};
use headwater_store::progress::{WalkKey, WalkState};
use headwater_store::raw::RawRow;
use headwater_testing::TestStore;
use headwater_testing::small_server::{SmallServer, answer, ok, unavailable};
use tokio::time::timeout;

use super::*;
use crate::client::{Auth, RateLimiter, Refusal, Settings};
use crate::endpoint::Collect;
use crate::error::Verdict;

fn settings(endpoint: &Url) -> Settings {
    Settings {
        connection: "acme".to_owned(),
        endpoint: endpoint.clone(),
        dialect: crate::bitbucket::DIALECT,
        auth: Auth::Bearer {
            token: "access-token".into(),
        },
        rate_limiter: RateLimiter::per_hour(1_000_000_000, chrono::Utc::now),
        refusal: Refusal::default(),
        concurrency: 4,
        largest_answer: 64 << 20,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(10),
        total_timeout: Duration::from_secs(20),
        proxy: None,
        authorities: Vec::new(),
    }
}

/// A migrated store and a client, for one repository.
struct Lake {
    store: TestStore,
    scope: Scope,
    client: Client,
}

impl Lake {
    async fn new(endpoint: &Url, full_name: &str) -> Self {
        let store = TestStore::new().await;
        let scope = Scope::new(1, full_name);
        store.register(&scope, now()).await.unwrap();
        Self {
            store,
            scope,
            client: Client::new(settings(endpoint)).unwrap(),
        }
    }

    /// A lake beside a server that says what a test wants.
    async fn beside(server: &SmallServer) -> Self {
        Self::new(&server.endpoint, "acme/rocket").await
    }

    async fn collect_range<S: Collect>(&self, range: Range) -> Result<Outcome, CollectError> {
        let children = [
            Collection::of::<PullRequestActivities>(),
            Collection::of::<PullRequestComments>(),
            Collection::of::<PullRequestCommits>(),
        ];
        let task = Task {
            store: &self.store,
            scope: &self.scope,
            client: self.client.counted(),
            range,
            children: &children,
            prefetched: None,
            now: now(),
            cancel: CancellationToken::new(),
            progress: &|_| {},
        };
        run(&task, &Collection::of::<S>()).await
    }

    /// Whatever is new since the last time.
    async fn collect<S: Collect>(&self) -> Result<Outcome, CollectError> {
        self.collect_range::<S>(Range::default()).await
    }

    /// Everything again.
    async fn collect_all<S: Collect>(&self) -> Result<Outcome, CollectError> {
        let full = Range {
            full: true,
            ..Range::default()
        };
        self.collect_range::<S>(full).await
    }

    async fn rows<S: Stream>(&self) -> Vec<RawRow> {
        let rows = self
            .store
            .changed_items(&self.scope, &S::raw_table(), (0, 0), 10_000)
            .await;
        let mut rows = rows.unwrap();
        rows.sort_by_key(|row| {
            (
                row.parent.clone(),
                row.key.parse::<u64>().unwrap_or_default(),
            )
        });
        rows
    }

    async fn keys<S: Stream>(&self) -> Vec<String> {
        self.rows::<S>()
            .await
            .into_iter()
            .map(|row| row.key)
            .collect()
    }

    async fn walk_state(&self) -> WalkState {
        let key = WalkKey {
            scope: &self.scope,
            stream: PullRequests::NAME,
        };
        self.store.walk_state(key).await.unwrap()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A simulator with one repository, and a lake for it.
async fn simulated(pull_requests: usize, comments: usize) -> (Simulator, Lake, String) {
    let simulator = Simulator::start(Options {
        size: Size::benchmark(pull_requests, comments),
        ..Options::default()
    });
    let simulator = simulator.await.unwrap();
    let endpoint = Url::parse(&simulator.endpoint()).unwrap();
    let slug = simulator.world().repositories()[0].slug.clone();
    let lake = Lake::new(&endpoint, &format!("acme/{slug}")).await;
    (simulator, lake, slug)
}

/// Makes every request whose address contains this answer with a status, at once.
fn fail(simulator: &Simulator, part: &'static str, status: u16) {
    simulator.set_faults(Some(Arc::new(move |request| {
        let target = format!("{}?{}", request.path, request.query);
        let headers = vec![("retry-after".to_owned(), "0".to_owned())];
        target
            .contains(part)
            .then(|| Fault::Status(status, "down".into(), headers))
    })));
}

fn targets(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.take_requests();
    requests
        .iter()
        .map(|request| format!("{}?{}", request.path, request.query))
        .collect()
}

/// Kind of the request's failure behind an error.
fn kind(error: &CollectError) -> &RequestErrorKind {
    match &error.kind {
        CollectErrorKind::Request(error) | CollectErrorKind::GaveUp { last: error, .. } => {
            &error.kind
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_pull_request_is_stored_once_and_unchanged_ones_are_not_written_again() {
    let (simulator, lake, _) = simulated(120, 0).await;
    let first = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!((first.items, first.written, first.requests), (120, 120, 3));
    assert_eq!(lake.keys::<PullRequests>().await.len(), 120);
    // Pages that follow each other at once share a transaction.
    let latest = lake.store.latest_seq(&lake.scope).await.unwrap();
    assert!((1..=3).contains(&latest), "{latest}");
    let again = lake.collect_all::<PullRequests>().await.unwrap();
    assert_eq!((again.items, again.written, again.removed), (120, 0, 0));
    assert_eq!(lake.store.latest_seq(&lake.scope).await.unwrap(), latest);
    simulator.stop().await;
}

#[tokio::test]
async fn later_walks_ask_only_for_what_changed_since_the_time_of_the_server() {
    let (simulator, lake, slug) = simulated(60, 0).await;
    lake.collect::<PullRequests>().await.unwrap();
    let since = lake.walk_state().await.since.unwrap();
    let server_now = simulator.world().now();
    assert!(
        (server_now - since).num_seconds().abs() < 60,
        "{since} is not {server_now}"
    );
    simulator.world().advance(Duration::from_hours(24));
    let by = simulator.world().users()[0].id;
    simulator
        .world()
        .edit_pull_request(&slug, 3, by, Some("New"), None)
        .unwrap();
    drop(simulator.take_requests());
    let next = lake.collect::<PullRequests>().await.unwrap();
    // The overlap of two walks may bring others again; they are not written.
    assert_eq!(next.written, 1);
    assert!(next.items < 10, "{next:?}");
    let target = targets(&simulator).concat();
    assert!(target.contains("&q=updated_on"), "{target}");
    simulator.stop().await;
}

#[tokio::test]
async fn of_a_range_that_reaches_further_back_only_what_is_missing_is_asked_for() {
    let server = SmallServer::start(|_, _| ok(r#"{"values": []}"#)).await;
    let lake = Lake::beside(&server).await;
    let second = |second| Range {
        data_after: DateTime::from_timestamp(second, 0),
        full: false,
    };
    for range in [
        second(2_000),
        second(2_000),
        second(1_000),
        Range::default(),
        second(1_000),
    ] {
        lake.collect_range::<PullRequests>(range).await.unwrap();
    }
    let targets = server.targets();
    let asked: Vec<&str> = targets
        .iter()
        .map(|target| {
            let (lower, upper) = ("updated_on%3e%3d1970", "updated_on%3c1970");
            match (target.contains(lower), target.contains(upper)) {
                (true, false) => "range",
                (true, true) => "part",
                (false, true) => "older",
                (false, false) => "news",
            }
        })
        .collect();
    let expected = ["range", "news", "part", "news", "older", "news", "news"];
    assert_eq!(asked, expected, "{targets:#?}");
}

#[tokio::test]
async fn an_item_without_a_key_becomes_a_dead_letter_until_it_has_one() {
    let server = SmallServer::start(|number, _| match number {
        1 => ok(r#"{"values": [{"id": 1}, {"title": "no id"}, {"id": null}]}"#),
        _ => ok(r#"{"values": [{"id": 1}]}"#),
    })
    .await;
    let lake = Lake::beside(&server).await;
    let outcome = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(
        (outcome.items, outcome.written, outcome.rejected),
        (3, 1, 2)
    );
    let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
    let mut shown: Vec<_> = letters
        .iter()
        .map(|stored| format!("{} {}", stored.letter.path, stored.letter.message))
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            r#"values[1] the item has no usable key: {"title": "no id"}"#,
            r#"values[2] the item has no usable key: {"id": null}"#
        ]
    );
    lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn a_broken_page_is_asked_for_again_and_then_an_error() {
    for (broken, whole) in [(2, true), (usize::MAX, false)] {
        let server = SmallServer::start(move |number, _| {
            if number <= broken {
                ok(r#"{"values": [{"id": 1}"#)
            } else {
                ok(r#"{"values": [{"id": 1}]}"#)
            }
        })
        .await;
        let lake = Lake::beside(&server).await;
        match lake.collect::<PullRequests>().await {
            Ok(outcome) => assert!(whole && outcome.requests == 3),
            Err(error) => {
                assert!(!whole, "{error:?}");
                assert!(matches!(kind(&error), RequestErrorKind::Shape(_)));
                assert_eq!(server.requests().len(), 5);
            }
        }
        assert_eq!(lake.keys::<PullRequests>().await.len(), usize::from(whole));
    }
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_are_an_error() {
    for length in [1, 2, 3] {
        let server = SmallServer::start(move |number, _| {
            ok(&format!(
                r#"{{"values": [{{"id": {number}}}], "next": "pullrequests?page={}"}}"#,
                number % length
            ))
        })
        .await;
        let lake = Lake::beside(&server).await;
        let walk = timeout(Duration::from_secs(10), lake.collect::<PullRequests>());
        let error = walk.await.unwrap().unwrap_err();
        assert_eq!(kind(&error), &RequestErrorKind::Loop, "{length}");
        assert_eq!(error.kind.verdict(), Verdict::Fail);
    }
}

#[tokio::test]
async fn a_next_page_on_another_server_is_refused_and_never_asked() {
    let foreign = SmallServer::start(|_, _| ok(r#"{"values": []}"#)).await;
    let next = foreign.endpoint.to_string();
    let server = SmallServer::start(move |_, target| {
        // Parents come from the list, children from below it.
        ok(&format!(
            r#"{{"values": [{{"id": 1}}], "next": "{next}{}"}}"#,
            target.len()
        ))
    })
    .await;
    let lake = Lake::beside(&server).await;
    let error = lake.collect::<PullRequests>().await.unwrap_err();
    assert!(
        matches!(kind(&error), RequestErrorKind::Foreign(_)),
        "{error:?}"
    );
    assert!(foreign.requests().is_empty());
}

#[tokio::test]
async fn what_the_first_page_says_of_the_whole_scope_is_its_verdict() {
    for (status, verdict) in [
        (401, Verdict::Stop),
        (403, Verdict::Skip),
        (404, Verdict::Skip),
        (410, Verdict::Skip),
        (503, Verdict::Fail),
    ] {
        let (simulator, lake, _) = simulated(3, 0).await;
        lake.collect::<PullRequests>().await.unwrap();
        fail(&simulator, "pullrequests?", status);
        let error = lake.collect_all::<PullRequests>().await.unwrap_err();
        assert_eq!(error.kind.verdict(), verdict, "{status}");
        assert_eq!(
            lake.keys::<PullRequests>().await.len(),
            3,
            "nothing is removed"
        );
        let shown = error.to_string();
        assert_eq!(
            shown,
            format!(
                "collecting pull_requests of {} over connection acme",
                lake.scope.full_name
            )
        );
        simulator.stop().await;
    }
}

#[tokio::test]
async fn a_later_page_that_is_missing_fails_and_is_never_taken_for_the_end() {
    for status in [403, 404] {
        let (simulator, lake, _) = simulated(120, 0).await;
        fail(&simulator, "page=2", status);
        let error = lake.collect::<PullRequests>().await.unwrap_err();
        assert_eq!(error.kind.verdict(), Verdict::Fail, "{status}");
        let state = lake.walk_state().await;
        assert!(!state.complete && state.since.is_none());
        simulator.stop().await;
    }
}

#[tokio::test]
async fn an_interrupted_walk_goes_on_at_the_page_where_it_stopped() {
    let (simulator, lake, _) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    lake.collect::<PullRequests>().await.unwrap_err();
    let state = lake.walk_state().await;
    assert!(state.resume_at.unwrap().contains("page=3"));
    assert_eq!(
        (state.since, state.complete),
        (None, false),
        "the watermark waits"
    );
    assert_eq!(lake.keys::<PullRequests>().await.len(), 100);
    let began = state.resume_since;

    simulator.set_faults(None);
    drop(simulator.take_requests());
    let resumed = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(
        (resumed.items, resumed.written, resumed.removed),
        (20, 20, 0)
    );
    let targets = targets(&simulator);
    assert_eq!(targets.len(), 1);
    assert!(targets[0].contains("page=3"), "{targets:?}");
    assert_eq!(lake.keys::<PullRequests>().await.len(), 120);
    let state = lake.walk_state().await;
    assert_eq!(
        (state.since, state.complete, state.resume_at),
        (began, true, None)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_walk_that_cannot_go_on_where_it_stopped_starts_over() {
    let (simulator, lake, slug) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    lake.collect::<PullRequests>().await.unwrap_err();
    simulator.set_faults(None);
    // The list becomes shorter: its third page is gone for good.
    for id in 1..=30 {
        simulator.world().delete_pull_request(&slug, id).unwrap();
    }
    drop(simulator.take_requests());
    lake.collect::<PullRequests>().await.unwrap();
    let lists = targets(&simulator)
        .into_iter()
        .filter(|target| target.contains("state=OPEN"));
    assert_eq!(
        lists.count(),
        3,
        "the lost page and then both that there are"
    );
    assert_eq!(lake.keys::<PullRequests>().await.len(), 90);
    assert!(lake.walk_state().await.complete);
    simulator.stop().await;
}

#[tokio::test]
async fn a_walk_stays_interrupted_while_the_server_is_down() {
    let (simulator, lake, _) = simulated(120, 0).await;
    fail(&simulator, "page=3", 503);
    for _ in 0..2 {
        lake.collect::<PullRequests>().await.unwrap_err();
        assert!(
            lake.walk_state()
                .await
                .resume_at
                .unwrap()
                .contains("page=3")
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_deleted_pull_request_goes_with_its_children_once_a_request_for_it_says_so() {
    let (simulator, lake, slug) = simulated(5, 40).await;
    lake.collect::<PullRequests>().await.unwrap();
    lake.collect::<PullRequestComments>().await.unwrap();
    lake.collect::<PullRequestCommits>().await.unwrap();
    lake.collect::<PullRequestActivities>().await.unwrap();
    let commented = lake.rows::<PullRequestComments>().await[0].parent.clone();
    simulator
        .world()
        .delete_pull_request(&slug, commented.parse().unwrap())
        .unwrap();

    let partial = lake.collect::<PullRequests>().await.unwrap();
    assert_eq!(
        partial.removed, 0,
        "a walk over what changed knows nothing of the rest"
    );
    drop(simulator.take_requests());
    let full = lake.collect_all::<PullRequests>().await.unwrap();
    assert!(full.removed > 2, "{full:?}");
    let asked = targets(&simulator);
    let single = format!("/pullrequests/{commented}?fields=");
    assert!(
        asked.iter().any(|target| target.contains(&single)),
        "{asked:?}"
    );
    assert!(!lake.keys::<PullRequests>().await.contains(&commented));
    let mut parents: Vec<String> = Vec::new();
    parents.extend(
        lake.rows::<PullRequestComments>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    parents.extend(
        lake.rows::<PullRequestCommits>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    parents.extend(
        lake.rows::<PullRequestActivities>()
            .await
            .into_iter()
            .map(|row| row.parent),
    );
    assert!(!parents.is_empty() && !parents.contains(&commented));
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_a_list_forgot_stays_while_a_request_for_it_finds_it() {
    for (status, stays) in [
        (200, true),
        (404, false),
        (410, false),
        (403, true),
        (503, true),
    ] {
        let server = SmallServer::start(move |number, target| {
            match (number, target.contains("pullrequests/2")) {
                (1, _) => ok(r#"{"values": [{"id": 1}, {"id": 2}]}"#),
                (_, false) => ok(r#"{"values": [{"id": 1}]}"#),
                (_, true) if status == 200 => ok(r#"{"id": 2, "title": "found"}"#),
                (_, true) => answer(status, &["retry-after: 0"], b""),
            }
        })
        .await;
        let lake = Lake::beside(&server).await;
        lake.collect_all::<PullRequests>().await.unwrap();
        let second = lake.collect_all::<PullRequests>().await;
        assert_eq!(
            second.is_ok(),
            [200, 404, 410].contains(&status),
            "{status}"
        );
        assert_eq!(
            lake.keys::<PullRequests>().await.len(),
            1 + usize::from(stays),
            "{status}"
        );
        if status == 200 {
            let rows = lake.rows::<PullRequests>().await;
            assert_eq!(rows[1].data, br#"{"id": 2, "title": "found"}"#);
        }
    }
}

#[tokio::test]
async fn a_removed_endpoint_removes_no_item() {
    let removed = br#"{"error": {"message": "CHANGE-2770 - Functionality has been deprecated"}}"#;
    let server = SmallServer::start(move |number, target| {
        match (number, target.contains("pullrequests/2")) {
            (1, _) => ok(r#"{"values": [{"id": 1}, {"id": 2}]}"#),
            (_, false) => ok(r#"{"values": [{"id": 1}]}"#),
            (_, true) => answer(410, &[], removed),
        }
    })
    .await;
    let lake = Lake::beside(&server).await;
    lake.collect_all::<PullRequests>().await.unwrap();
    let error = lake.collect_all::<PullRequests>().await.unwrap_err();
    assert!(error.kind.to_string().contains("CHANGE-2770"), "{error:?}");
    assert_eq!(lake.keys::<PullRequests>().await, ["1", "2"]);
}

#[tokio::test]
async fn a_pull_request_without_comments_costs_no_request() {
    let (simulator, lake, _) = simulated(20, 10).await;
    lake.collect::<PullRequests>().await.unwrap();
    let commented = {
        let world = simulator.world();
        let pull_requests = world.repositories()[0].pull_requests.values();
        pull_requests
            .filter(|found| found.comment_count() > 0)
            .count()
    };
    assert!(
        (1..20).contains(&commented),
        "some have comments and some have none"
    );
    let comments = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(comments.requests, commented as u64);
    let commits = lake.collect::<PullRequestCommits>().await.unwrap();
    assert_eq!(commits.requests, 20, "nothing counts commits");
    let again = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((again.requests, again.items), (0, 0), "no parent changed");
    simulator.stop().await;
}

/// A list of pull requests that all have comments, and comments as a test says.
async fn with_comments(
    parents: usize,
    comments: impl Fn(usize, &str) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (SmallServer, Lake) {
    let server = SmallServer::start(move |number, target| {
        if target.contains("/comments") {
            return comments(number, target);
        }
        let items = (1..=parents).map(|id| format!(r#"{{"id": {id}, "comment_count": 1}}"#));
        ok(&format!(
            r#"{{"values": [{}]}}"#,
            items.collect::<Vec<_>>().join(",")
        ))
    })
    .await;
    let lake = Lake::beside(&server).await;
    lake.collect::<PullRequests>().await.unwrap();
    (server, lake)
}

#[tokio::test]
async fn one_parent_that_fails_stays_pending_and_the_others_go_on() {
    // The first request is the list, five tries of the second parent fail.
    let (server, lake) = with_comments(3, |number, target| {
        if target.contains("/2/") && number <= 8 {
            unavailable(503)
        } else {
            ok(r#"{"values": [{"id": 7}]}"#)
        }
    })
    .await;
    let first = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((first.items, first.rejected), (2, 1));
    let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
    assert_eq!(letters[0].letter.item, "2/");
    assert!(
        letters[0]
            .letter
            .path
            .ends_with("/pullrequests/2/comments?pagelen=100")
    );
    let asked = server.requests().len();
    let second = lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!((second.items, second.rejected, second.requests), (1, 0, 1));
    assert!(server.targets()[asked].contains("/2/"));
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_fails_for_every_parent_is_given_up_soon() {
    let (server, lake) = with_comments(50, |_, _| unavailable(500)).await;
    let error = lake.collect::<PullRequestComments>().await.unwrap_err();
    assert!(
        matches!(error.kind, CollectErrorKind::GaveUp { .. }),
        "{error:?}"
    );
    assert_eq!(error.kind.verdict(), Verdict::Fail);
    assert!(
        server.requests().len() < 1 + 5 * 50,
        "not every parent was tried to the end"
    );
}

#[tokio::test]
async fn refused_credentials_stop_the_walk_over_parents() {
    let (_server, lake) = with_comments(3, |_, _| answer(401, &[], b"")).await;
    let error = lake.collect::<PullRequestComments>().await.unwrap_err();
    assert_eq!(error.kind.verdict(), Verdict::Stop);
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn the_children_of_a_list_that_is_lost_stay() {
    let (_server, lake) = with_comments(2, |number, target| {
        if target.contains("/1/") && number > 4 {
            answer(404, &[], b"")
        } else {
            ok(r#"{"values": [{"id": 7}]}"#)
        }
    })
    .await;
    lake.collect::<PullRequestComments>().await.unwrap();
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
    // Both the list and the lost one are asked for again, from the fifth request on.
    lake.collect_all::<PullRequests>().await.unwrap();
    let again = lake.collect_all::<PullRequestComments>().await.unwrap();
    assert_eq!((again.lost, again.removed), (1, 0));
    assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
}

#[tokio::test]
async fn a_child_goes_only_when_a_second_walk_misses_it_too() {
    // Requests: list, comments; then comments of a full walk, and once more in doubt.
    for (fourth, left) in [
        (r#"{"values": [{"id": 7}]}"#, 1),
        (r#"{"values": [{"id": 7}, {"id": 8}]}"#, 2),
    ] {
        let (server, lake) = with_comments(1, move |number, _| match number {
            2 => ok(r#"{"values": [{"id": 7}, {"id": 8}]}"#),
            3 => ok(r#"{"values": [{"id": 7}]}"#),
            _ => ok(fourth),
        })
        .await;
        lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(lake.rows::<PullRequestComments>().await.len(), 2);
        lake.collect_all::<PullRequestComments>().await.unwrap();
        assert_eq!(server.requests().len(), 4);
        assert_eq!(lake.rows::<PullRequestComments>().await.len(), left);
    }
}

#[tokio::test]
async fn a_doubt_that_cannot_be_settled_removes_nothing_and_leaves_the_parent_pending() {
    for status in [404, 503] {
        let (_server, lake) = with_comments(2, move |number, target| {
            match (number, target.contains("/1/")) {
                // One to three fill the store, four and five are the full walk, then come doubts.
                (4..=5, true) => ok(r#"{"values": [{"id": 7}]}"#),
                (6..=10, true) => answer(status, &["retry-after: 0"], b""),
                _ => ok(r#"{"values": [{"id": 7}, {"id": 8}]}"#),
            }
        })
        .await;
        lake.collect::<PullRequestComments>().await.unwrap();
        let full = lake.collect_all::<PullRequestComments>().await.unwrap();
        assert_eq!((full.removed, full.rejected), (0, 1), "{status}");
        assert_eq!(
            lake.rows::<PullRequestComments>().await.len(),
            4,
            "{status}"
        );
        let letters = lake.store.dead_letters(&lake.scope).await.unwrap();
        assert_eq!(letters[0].letter.item, "1/", "{status}");
    }
}

#[tokio::test]
async fn children_on_several_pages_are_complete_or_not_there_at_all() {
    for (status, expected) in [(200, 2), (404, 0), (503, 0)] {
        let (_server, lake) = with_comments(1, move |_, target| match target.contains("page=2") {
            false => ok(r#"{"values": [{"id": 7}], "next": "/2.0/1/comments?page=2"}"#),
            true if status == 200 => ok(r#"{"values": [{"id": 8}]}"#),
            true => answer(status, &["retry-after: 0"], b""),
        })
        .await;
        let outcome = lake.collect::<PullRequestComments>().await.unwrap();
        assert_eq!(outcome.rejected, u64::from(status != 200), "{status}");
        assert_eq!(outcome.lost, 0, "{status}");
        assert_eq!(
            lake.rows::<PullRequestComments>().await.len(),
            expected,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_repository_is_one_item_and_an_answer_of_another_form_is_none() {
    let (simulator, lake, _) = simulated(1, 0).await;
    let outcome = lake.collect::<Repositories>().await.unwrap();
    assert_eq!(
        (outcome.items, outcome.written, outcome.requests),
        (1, 1, 1)
    );
    assert_eq!(lake.rows::<Repositories>().await[0].parent, "");
    simulator.set_faults(Some(Arc::new(|_| {
        Some(Fault::Body("[]".into(), "application/json".to_owned()))
    })));
    let error = lake.collect::<Repositories>().await.unwrap_err();
    assert!(
        matches!(kind(&error), RequestErrorKind::Shape(_)),
        "{error:?}"
    );
    assert_eq!(lake.rows::<Repositories>().await.len(), 1);
    simulator.stop().await;
}

#[tokio::test]
async fn a_prefetched_repository_costs_no_request() {
    let server = SmallServer::start(|_, _| None).await;
    let lake = Lake::beside(&server).await;
    let task = Task {
        store: &lake.store,
        scope: &lake.scope,
        client: lake.client.counted(),
        range: Range::default(),
        children: &[],
        prefetched: Some(RawItem(br#"{"uuid": "{a}"}"#.to_vec())),
        now: now(),
        cancel: CancellationToken::new(),
        progress: &|_| {},
    };
    let outcome = run(&task, &Collection::of::<Repositories>()).await.unwrap();
    assert_eq!((outcome.written, outcome.requests), (1, 0));
    assert_eq!(lake.keys::<Repositories>().await, ["{a}"]);
}

#[tokio::test]
async fn a_cancelled_collection_ends_at_once_and_says_so() {
    for path in ["pullrequests?", "/comments"] {
        let server = SmallServer::start(move |_, target| {
            if target.contains(path) {
                None
            } else {
                ok(r#"{"values": [{"id": 1, "comment_count": 1}]}"#)
            }
        })
        .await;
        let lake = Lake::beside(&server).await;
        if path == "/comments" {
            lake.collect::<PullRequests>().await.unwrap();
        }
        let task = Task {
            store: &lake.store,
            scope: &lake.scope,
            client: lake.client.counted(),
            range: Range::default(),
            children: &[],
            prefetched: None,
            now: now(),
            cancel: CancellationToken::new(),
            progress: &|_| {},
        };
        let collection = match path {
            "/comments" => Collection::of::<PullRequestComments>(),
            _ => Collection::of::<PullRequests>(),
        };
        let before = server.requests().len();
        let cancelled = async {
            while server.requests().len() == before {
                tokio::task::yield_now().await;
            }
            task.cancel.cancel();
        };
        let both = async { tokio::join!(run(&task, &collection), cancelled).0 };
        let error = timeout(Duration::from_secs(5), both)
            .await
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(error.kind, CollectErrorKind::Cancelled),
            "{path}: {error:?}"
        );
        assert_eq!(error.kind.verdict(), Verdict::Stop);
        assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
    }
}

mod hostile_sizes;
mod moving;
mod uncounted;
