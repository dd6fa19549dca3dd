//! Comments of pull requests, taken from the entries of the activity: what it saves, and that the
//! tables are those that the lists of comments give, whatever is wrong with the activity.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use headwater::exit::Exit;
use headwater_simulator::{Fault, OnRequest, Options, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lake::{ALL, How, Lake, with_everything};

/// One repository with so many pull requests, about three comments each.
async fn discussed(pull_requests: usize) -> Simulator {
    let size = Size {
        repositories: 1,
        empty_repositories: 0,
        pull_requests_per_repository: pull_requests,
        comments_per_pull_request: 3.0,
        commits_per_pull_request: 1.0,
        ..Size::default()
    };
    let options = Options {
        size,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// Lists of comments that were asked for.
fn asked(simulator: &Simulator) -> usize {
    let requests = simulator.take_requests();
    requests
        .iter()
        .filter(|it| it.path.ends_with("/comments"))
        .count()
}

/// Pull requests with a comment, and comments that are marked as deleted.
fn counted(simulator: &Simulator) -> (usize, usize) {
    let world = simulator.world();
    let pull_requests = || world.repositories()[0].pull_requests.values();
    let commented = pull_requests().filter(|it| it.comment_count() > 0);
    let comments = pull_requests().flat_map(|it| &it.comments);
    (commented.count(), comments.filter(|it| it.deleted).count())
}

async fn synced(lake: &Lake) {
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok);
}

/// A lake that has read every list of comments.
async fn by_lists(simulator: &Simulator, text: &str) -> Lake {
    let lake = Lake::with(Sqlite, text).await.unwrap();
    synced(&lake).await;
    let _ = simulator.take_requests();
    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(asked(simulator), counted(simulator).0);
    lake
}

#[rstest]
#[case::by_pull_request(40)]
#[case::of_the_whole_repository(120)]
#[tokio::test(flavor = "multi_thread")]
async fn comments_come_from_the_activity_and_are_the_same(
    #[case] pull_requests: usize,
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = discussed(pull_requests).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let (commented, deleted) = counted(&simulator);
    assert!(commented > 20 && deleted > 0, "{commented} and {deleted}");
    synced(&lake).await;
    let lists = asked(&simulator);
    assert!(lists <= 9, "{lists} lists of {commented}");
    assert_eq!(lake.remarks("pull_request_comments").await, "");
    lake.assert_equals(&by_lists(&simulator, &text).await).await;

    // Changes, too, once the server has shown that they do.
    let mut random = StdRng::seed_from_u64(3);
    for _ in 0..3 {
        for _ in 0..40 {
            simulator.world().random_change(&mut random);
        }
        synced(&lake).await;
    }
    let (exit, _) = lake.reconcile(headwater::plan::Depth::Everything).await;
    assert_eq!(exit, Exit::Ok);
    lake.assert_equals_a_first_sync(&simulator).await;
}

/// What is wrong with the entries of the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    LacksSome,
    LacksDeleted,
    OtherBytes,
}

impl Wrong {
    /// The entries as the server gives them then.
    fn entries(self, entries: &[String], number: usize) -> Vec<String> {
        let read = |entry: &str| serde_json::from_str::<Value>(entry).unwrap();
        let is_deleted = |entry: &str| read(entry)["comment"]["deleted"] == true;
        let is_comment = |entry: &str| read(entry)["comment"].is_object();
        let mut entries = entries.to_vec();
        match self {
            Self::LacksSome if number.is_multiple_of(3) => {
                let first = entries
                    .iter()
                    .position(|it| is_comment(it) && !is_deleted(it));
                first.map(|place| entries.remove(place));
            }
            Self::LacksDeleted => entries.retain(|entry| !is_deleted(entry)),
            Self::OtherBytes => {
                for entry in &mut entries {
                    *entry = entry.replacen("\"comment\":{", "\"comment\":{\"more\":1,", 1);
                }
            }
            Self::Nothing | Self::LacksSome => {}
        }
        entries
    }

    fn answers(self, served: &HashMap<String, Vec<String>>) -> OnRequest {
        let numbered = (0..).zip(served);
        let bodies: HashMap<String, Bytes> = numbered
            .map(|(number, (path, entries))| {
                let entries = self.entries(entries, number).join(",");
                let page = format!("{{\"pagelen\":50,\"values\":[{entries}]}}");
                (path.clone(), Bytes::from(page))
            })
            .collect();
        Arc::new(move |request| {
            let body = bodies.get(&request.path)?;
            Some(Fault::Body(body.clone(), "application/json".to_owned()))
        })
    }
}

/// The entries of the activity of every pull request, byte for byte as they are served, by path.
async fn served(simulator: &Simulator) -> HashMap<String, Vec<String>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let lists: Vec<String> = {
        let world = simulator.world();
        let repository = &world.repositories()[0];
        let name = world.full_name(repository);
        let numbers = repository.pull_requests.keys();
        numbers
            .map(|id| format!("repositories/{name}/pullrequests/{id}/activity"))
            .collect()
    };
    let mut pages = HashMap::new();
    for list in lists {
        let url = format!("{}{list}?pagelen=50", simulator.endpoint());
        let asked = client
            .get(url)
            .basic_auth("me@example.com", Some("api-token"));
        let body = asked.send().await.unwrap().bytes().await.unwrap();
        let page: HashMap<&str, &RawValue> = serde_json::from_slice(&body).unwrap();
        if !page.contains_key("next") {
            let entries: Vec<&RawValue> = serde_json::from_str(page["values"].get()).unwrap();
            let entries = entries.iter().map(|entry| entry.get().to_owned());
            pages.insert(format!("/2.0/{list}"), entries.collect());
        }
    }
    let _ = simulator.take_requests();
    pages
}

#[rstest]
#[case(Wrong::Nothing, "")]
#[case(Wrong::LacksSome, "")]
#[case(Wrong::LacksDeleted, "what was deleted")]
#[case(Wrong::OtherBytes, "they differ from the lists of single items")]
#[tokio::test(flavor = "multi_thread")]
async fn activity_that_is_wrong_costs_requests_and_no_comments(
    #[case] wrong: Wrong,
    #[case] expected: &str,
) {
    let simulator = discussed(40).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let pages = served(&simulator).await;
    simulator.set_faults(Some(wrong.answers(&pages)));
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    synced(&lake).await;
    let said = lake.remarks("pull_request_comments").await;
    let (commented, _) = counted(&simulator);
    let lists = asked(&simulator);
    match expected {
        "" => assert_eq!(said, "", "what is complete is used"),
        _ => assert!(said.contains(expected), "{said}"),
    }
    match (wrong, expected) {
        (Wrong::Nothing, _) => assert!(lists <= 9, "{lists}"),
        (_, "") => assert!((9..commented).contains(&lists), "{lists} of {commented}"),
        _ => assert_eq!(lists, commented),
    }
    // The activity itself is what the server gave: only what follows from comments is compared.
    let plain = by_lists(&simulator, &text).await;
    simulator.set_faults(None);
    lake.assert_equals(&plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_once_left_out_a_deleted_comment_is_not_trusted_again() {
    let simulator = discussed(40).await;
    let text = with_everything(&simulator.endpoint(), ALL);
    let lake = Lake::with(Sqlite, &text).await.unwrap();
    synced(&lake).await;
    lake.execute(
        "INSERT INTO _headwater_proofs (connection_id, claim, verdict, seen) \
                  VALUES (1, 'pull_request_comments: deleted items', 'broken', 1)",
    )
    .await;
    let mut random = StdRng::seed_from_u64(5);
    for _ in 0..60 {
        simulator.world().random_change(&mut random);
    }
    synced(&lake).await;
    assert!(
        lake.remarks("pull_request_comments")
            .await
            .contains("leaves out what was deleted")
    );
}
