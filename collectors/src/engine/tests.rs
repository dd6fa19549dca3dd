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
    rules: Rules,
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
            rules: Rules::default(),
        }
    }

    /// A lake beside a server that says what a test wants.
    async fn beside(server: &SmallServer) -> Self {
        Self::new(&server.endpoint, "acme/rocket").await
    }

    async fn collect_range<S: Collect>(&self, range: Range) -> Result<Collected, CollectError> {
        let children = [
            Collection::of::<PullRequestActivities>(),
            Collection::of::<PullRequestComments>(),
            Collection::of::<PullRequestCommits>(),
        ];
        let parent = S::PARENT.map(|_| Collection::of::<PullRequests>());
        let task = Task {
            store: &self.store,
            scope: &self.scope,
            client: self.client.counted(),
            range,
            rules: &self.rules,
            children: &children,
            read: &[],
            shared: &SharedLists::default(),
            parent: parent.as_ref(),
            prefetched: None,
            now: now(),
            cancel: CancellationToken::new(),
            progress: &|_| {},
        };
        run(&task, &Collection::of::<S>()).await
    }

    /// Whatever is new since the last time.
    async fn collect<S: Collect>(&self) -> Result<Collected, CollectError> {
        self.collect_range::<S>(Range::default()).await
    }

    /// Everything again.
    async fn collect_all<S: Collect>(&self) -> Result<Collected, CollectError> {
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
        ..Range::default()
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
    let expected = ["range", "news", "news", "part", "news", "older", "news"];
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
        rules: &lake.rules,
        children: &[],
        read: &[],
        shared: &SharedLists::default(),
        parent: None,
        prefetched: Some(RawItem(br#"{"uuid": "{a}"}"#.to_vec())),
        now: now(),
        cancel: CancellationToken::new(),
        progress: &|_| {},
    };
    let outcome = run(&task, &Collection::of::<Repositories>()).await.unwrap();
    assert_eq!((outcome.written, outcome.requests), (1, 0));
    assert_eq!(lake.keys::<Repositories>().await, ["{a}"]);
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
    // Boxed: the future is large, and so would be that of every test.
    Box::pin(lake.collect::<PullRequests>()).await.unwrap();
    (server, lake)
}

mod children;
mod chosen;
mod deletions;
mod hostile_sizes;
mod interrupted;
mod moving;
mod uncounted;
mod windows;
