//! The activity of a whole repository in one list: what it saves on a first sync, and that the
//! tables are the same whatever is wrong with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use headwater::exit::Exit;
use headwater_simulator::{Fault, OnRequest, Options, RequestRecord, Shift, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::lake::{ALL, How, Lake, with_everything};

const PULL_REQUESTS: usize = 200;

/// Lists of single pull requests that are read to compare.
const SAMPLE: usize = 8;

/// One repository with two hundred pull requests.
async fn many(by_cursor: bool) -> Simulator {
    let size = Size {
        repositories: 1,
        empty_repositories: 0,
        pull_requests_per_repository: PULL_REQUESTS,
        comments_per_pull_request: 2.0,
        commits_per_pull_request: 1.0,
        ..Size::default()
    };
    let options = Options {
        size,
        activity_by_cursor: by_cursor,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

fn is_wide(request: &RequestRecord) -> bool {
    request.path.ends_with("/pullrequests/activity")
}

/// Requests for activity: of the whole repository, and of single pull requests.
fn asked(simulator: &Simulator) -> (usize, usize) {
    let requests = simulator.take_requests();
    let all = requests.iter().filter(|it| it.path.ends_with("/activity"));
    let wide = requests.iter().filter(|it| is_wide(it)).count();
    (wide, all.count() - wide)
}

/// Pages of the list.
fn pages(simulator: &Simulator) -> usize {
    let world = simulator.world();
    let repositories = world.repositories();
    let of = repositories[0].pull_requests.values();
    of.map(|it| it.activity.len()).sum::<usize>().div_ceil(50)
}

async fn synced(lake: &Lake) {
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
}

/// What a list of the whole repository gets for an answer.
fn answering(
    answer: impl Fn(&RequestRecord) -> Option<Fault> + Send + Sync + 'static,
) -> OnRequest {
    Arc::new(move |request| {
        if is_wide(request) {
            answer(request)
        } else {
            None
        }
    })
}

/// A lake that has read activity by pull request.
async fn one_by_one(simulator: &Simulator, text: &str) -> Lake {
    simulator.set_faults(Some(answering(|_| Some(Fault::status(404)))));
    let lake = Lake::with(Sqlite, text).await.unwrap();
    synced(&lake).await;
    simulator.set_faults(None);
    let (wide, single) = asked(simulator);
    assert_eq!(wide, 1);
    assert!(single > 0);
    lake
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_reads_the_activity_of_all_at_once_and_gets_the_same(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
    #[values(false, true)] by_cursor: bool,
) {
    let simulator = many(by_cursor).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    synced(&lake).await;
    let (wide, single) = asked(&simulator);
    assert_eq!((wide, single), (2 * pages(&simulator), SAMPLE));
    assert!(wide + single < PULL_REQUESTS / 2, "{wide} and {single}");
    assert_eq!(lake.remarks("pull_request_activities").await, "");
    lake.assert_equals(&one_by_one(&simulator, &text).await)
        .await;

    // Afterwards only what has changed is read, by pull request.
    synced(&lake).await;
    assert_eq!(asked(&simulator), (0, 0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_range_ends_the_reading_where_its_oldest_pull_request_began(#[values(20, 60)] days: i64) {
    let simulator = many(true).await;
    let (after, pages) = {
        let world = simulator.world();
        let after = world.now() - chrono::TimeDelta::days(days);
        let midnight = after
            .date_naive()
            .and_time(chrono::NaiveTime::MIN)
            .and_utc();
        let repositories = world.repositories();
        let all = || repositories[0].pull_requests.values();
        let in_range = all().filter(|it| it.updated_on >= midnight);
        let oldest = in_range.map(|it| it.created_on).min().unwrap();
        let entries = all().flat_map(|it| &it.activity);
        let until = oldest - chrono::TimeDelta::hours(1);
        let entries = entries.filter(|entry| entry.date >= until).count();
        (after, entries / 50 + 1)
    };
    let text = with_everything(&simulator.endpoint(), ALL);
    let text = format!("{text}data_after = \"{}\"\n", after.format("%Y-%m-%d"));
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    synced(&lake).await;
    let (wide, single) = asked(&simulator);
    assert!(single >= SAMPLE && wide <= 2 * pages, "{wide} and {single}");
    lake.assert_equals(&one_by_one(&simulator, &text).await)
        .await;
}

/// A page of the list as it is served, its entries byte for byte.
#[derive(serde::Deserialize)]
struct Page {
    /// What was asked.
    #[serde(skip)]
    query: String,
    values: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// The whole list as it is served.
async fn served(simulator: &Simulator) -> Vec<Page> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let name = {
        let world = simulator.world();
        world.full_name(&world.repositories()[0])
    };
    let list = format!("repositories/{name}/pullrequests/activity?pagelen=50");
    let mut next = Some(format!("{}{list}", simulator.endpoint()));
    let mut pages: Vec<Page> = Vec::new();
    while let Some(url) = &next {
        let asked = client.get(url);
        let asked = asked.basic_auth("me@example.com", Some("api-token"));
        let body = asked.send().await.unwrap().bytes().await.unwrap();
        let mut page: Page = serde_json::from_slice(&body).unwrap();
        url.split_once('?').unwrap().1.clone_into(&mut page.query);
        next.clone_from(&page.next);
        pages.push(page);
    }
    let _ = simulator.take_requests();
    pages
}

/// A query without what is left out of the answer.
fn without_fields(query: &str) -> String {
    let parameters = query.split('&').filter(|it| !it.starts_with("fields="));
    parameters.collect::<Vec<_>>().join("&")
}

/// How a list goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Status(u16),
    Nothing,
    NoParent,
    NoTime,
    OutOfOrder,
    OldestFirst,
    EndsEarly,
    NoApprovals,
    OtherStub,
    LacksComments,
}

impl Wrong {
    /// The page as the server gives it then.
    fn page(self, number: usize, page: &Page) -> String {
        let mut entries: Vec<String> = page.values.iter().map(|it| it.get().to_owned()).collect();
        let is = |entry: &str, kind: &str| entry.contains(&format!("\"{kind}\":{{"));
        match self {
            Self::NoParent => entries[7] = entries[7].replacen("pull_request", "nothing", 1),
            Self::NoTime => {
                entries[7] = entries[7]
                    .replace("\"date\"", "\"when\"")
                    .replace("\"created_on\"", "\"when\"");
            }
            Self::OutOfOrder if number == 2 => entries.swap(3, 30),
            Self::OldestFirst => entries.reverse(),
            Self::NoApprovals => entries.retain(|entry| !is(entry, "approval")),
            Self::OtherStub => {
                for entry in &mut entries {
                    *entry = entry.replacen('{', "{\"more\":1,", 1);
                }
            }
            Self::LacksComments => {
                let mut comments = 0;
                entries.retain(|entry| {
                    comments += usize::from(is(entry, "comment"));
                    !is(entry, "comment") || comments % 5 > 0
                });
            }
            _ => {}
        }
        let values = entries.join(",");
        match &page.next {
            Some(next) if self != Self::EndsEarly || number != 3 => {
                format!("{{\"values\":[{values}],\"next\":\"{next}\"}}")
            }
            _ => format!("{{\"values\":[{values}]}}"),
        }
    }

    fn answers(self, pages: &[Page]) -> OnRequest {
        let pages: Vec<(String, Bytes)> = pages
            .iter()
            .enumerate()
            .map(|(place, page)| (page.query.clone(), self.page(place + 1, page).into()))
            .collect();
        answering(move |request| {
            if let Self::Status(status) = self {
                return Some(Fault::status(status));
            }
            let asked = without_fields(&request.query);
            let (_, body) = pages.iter().find(|(query, _)| *query == asked)?;
            Some(Fault::Body(body.clone(), "application/json".to_owned()))
        })
    }
}

#[rstest]
#[case(Wrong::Status(400), "the server answered 400")]
#[case(Wrong::Status(403), "the server answered 403")]
#[case(Wrong::Status(404), "the server answered 404")]
#[case(Wrong::Status(410), "the server answered 410")]
#[case(Wrong::NoParent, "an entry does not tell what it belongs to")]
#[case(Wrong::NoTime, "an entry does not tell what it belongs to")]
#[case(Wrong::OutOfOrder, "it is not in order of time")]
#[case(Wrong::OldestFirst, "it is not in order of time")]
#[case(Wrong::NoApprovals, "it differs from the lists of single items")]
#[case(Wrong::OtherStub, "it differs from the lists of single items")]
#[case(Wrong::EndsEarly, "")]
#[case(Wrong::LacksComments, "")]
#[case(Wrong::Nothing, "")]
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_wrong_costs_requests_and_no_rows(
    #[case] wrong: Wrong,
    #[case] expected: &str,
) {
    let simulator = many(false).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let lists = served(&simulator).await;
    simulator.set_faults(Some(wrong.answers(&lists)));
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    synced(&lake).await;
    simulator.set_faults(None);
    let said = lake.remarks("pull_request_activities").await;
    match expected {
        "" => assert_eq!(said, "", "what is complete is used"),
        _ => assert!(said.contains(expected), "{said}"),
    }
    let (wide, single) = asked(&simulator);
    // No more than the formula says.
    assert!(wide <= 2 * (PULL_REQUESTS / 4) + 1 && single <= PULL_REQUESTS);
    match (wrong, expected) {
        (Wrong::Nothing, _) => assert_eq!(single, SAMPLE),
        (_, "") => assert!((SAMPLE + 1..PULL_REQUESTS).contains(&single), "{single}"),
        _ => assert_eq!(single, PULL_REQUESTS),
    }
    lake.assert_equals(&one_by_one(&simulator, &text).await)
        .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_moves_while_it_is_read_loses_nothing(
    #[values(Shift::Insert, Shift::Delete, Shift::Update)] shift: Shift,
    #[values(2, 9, 17)] at: u64,
) {
    let simulator = many(false).await;
    let lake = Lake::beside(&simulator).await;
    let count = AtomicU64::new(0);
    simulator.set_faults(Some(answering(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        (number.is_multiple_of(at)).then(|| Fault::Shift(shift))
    })));
    synced(&lake).await;
    assert!(!simulator.take_shifts().is_empty());
    simulator.set_faults(None);
    synced(&lake).await;
    lake.assert_equals_a_first_sync(&simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_ends_within_the_list_starts_it_over() {
    let simulator = many(false).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let plain = one_by_one(&simulator, &text).await;
    let whole = 2 * pages(&simulator) as u64;
    for at in [
        1,
        3,
        whole / 2,
        whole / 2 + 1,
        whole / 2 + 2,
        whole - 1,
        whole,
    ] {
        let lake = Lake::with(Sqlite, &text).await.unwrap();
        let cancel = CancellationToken::new();
        let (count, stop) = (AtomicU64::new(0), cancel.clone());
        simulator.set_faults(Some(answering(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) + 1 < at {
                return None;
            }
            stop.cancel();
            Some(Fault::Hang)
        })));
        let (exit, _) = lake.try_sync(How::default(), cancel).await.unwrap();
        assert_ne!(exit, Exit::Ok, "{at}");
        simulator.set_faults(None);
        let _ = simulator.take_requests();
        synced(&lake).await;
        let (wide, single) = asked(&simulator);
        assert!(
            wide as u64 <= whole && single <= SAMPLE,
            "{at}: {wide} and {single}"
        );
        lake.assert_equals(&plain).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_takes_more_pages_than_it_saves_is_left_alone() {
    let size = Size {
        repositories: 1,
        empty_repositories: 0,
        pull_requests_per_repository: 60,
        comments_per_pull_request: 20.0,
        commits_per_pull_request: 1.0,
        ..Size::default()
    };
    for by_cursor in [false, true] {
        let options = Options {
            size: size.clone(),
            activity_by_cursor: by_cursor,
            ..Options::default()
        };
        let simulator = Simulator::start(options).await.unwrap();
        let lake = Lake::beside(&simulator).await;
        assert!(pages(&simulator) > 60 / 4);
        synced(&lake).await;
        let (wide, _) = asked(&simulator);
        // Its first page gives its length, which is unknown before.
        assert_eq!(wide, if by_cursor { 60 / 4 } else { 1 });
        let said = lake.remarks("pull_request_activities").await;
        assert!(said.contains("more pages than it would save"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_and_a_few_pull_requests_are_read_one_by_one() {
    let simulator = many(false).await;
    let lake = Lake::beside(&simulator).await;
    synced(&lake).await;
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(asked(&simulator).0, 0);

    let simulator = crate::lake::tiny().await;
    let lake = Lake::beside(&simulator).await;
    synced(&lake).await;
    assert_eq!(asked(&simulator).0, 0);
}
