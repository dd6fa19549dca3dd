//! One item in a hundred is broken: the others land, and what is broken is named.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use headwater::exit::Exit;
use headwater_simulator::{Options, Simulator, Size};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::lake::{ALL, How, Lake, with_everything};

/// One item in so many is broken.
const ONE_IN: u64 = 100;

/// A server between that breaks items on their way.
struct Breaker {
    simulator: String,
    own: String,
    breaks: AtomicBool,
    client: reqwest::Client,
    /// What was broken, and how.
    broken: std::sync::Mutex<BTreeMap<String, &'static str>>,
}

impl Breaker {
    async fn before(simulator: &Simulator) -> Arc<Self> {
        // A second installation is refused, which is fine: it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = simulator.endpoint();
        let breaker = Arc::new(Self {
            simulator: endpoint.strip_suffix("/2.0/").unwrap().to_owned(),
            own: format!("http://{}", listener.local_addr().unwrap()),
            breaks: AtomicBool::new(true),
            client: reqwest::Client::new(),
            broken: std::sync::Mutex::default(),
        });
        let routes = axum::Router::new()
            .fallback(pass)
            .with_state(Arc::clone(&breaker));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        breaker
    }

    fn endpoint(&self) -> String {
        format!("{}/2.0/", self.own)
    }

    /// Breaks some items of a page.
    fn spoil(&self, path: &str, page: &mut Value) {
        let Some(values) = page["values"].as_array_mut() else {
            return;
        };
        for item in values {
            // So that comments are read by their own lists, too.
            if let Some(comment) = item["comment"].as_object_mut() {
                comment.insert("more".to_owned(), 1.into());
            }
            let name = item["id"].as_u64().map(|id| format!("{path} {id}"));
            let Some(name) = name else { continue };
            let chance = hash(&name);
            if !chance.is_multiple_of(ONE_IN) {
                continue;
            }
            let how =
                ["its key is missing", "its date is none"][usize::from(chance / ONE_IN % 2 == 1)];
            if how == "its key is missing" {
                item.as_object_mut().unwrap().remove("id");
            } else {
                item["created_on"] = "yesterday".into();
            }
            self.broken.lock().unwrap().insert(name, how);
        }
    }
}

/// A number that looks like chance and is always the same for a text.
fn hash(text: &str) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state ^ (state >> 29)
}

async fn pass(
    State(breaker): State<Arc<Breaker>>,
    request: Request,
) -> (StatusCode, HeaderMap, String) {
    let uri = request.uri();
    let target = uri.path_and_query().unwrap().as_str();
    let mut asked = breaker.client.get(format!("{}{target}", breaker.simulator));
    if let Some(credentials) = request.headers().get(header::AUTHORIZATION) {
        asked = asked.header(header::AUTHORIZATION, credentials);
    }
    let answer = asked.send().await.unwrap();
    let (status, mut headers) = (answer.status(), HeaderMap::new());
    for name in [header::CONTENT_TYPE, header::DATE] {
        if let Some(value) = answer.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let body = answer.text().await.unwrap();
    let mut body = body.replace(&breaker.simulator, &breaker.own);
    if breaker.breaks.load(Ordering::SeqCst)
        && let Ok(mut page) = serde_json::from_str(&body)
    {
        breaker.spoil(uri.path(), &mut page);
        body = page.to_string();
    }
    (status, headers, body)
}

async fn busy() -> Simulator {
    let size = Size {
        repositories: 2,
        pull_requests_per_repository: 60,
        comments_per_pull_request: 3.0,
        people: 5,
        ..Size::default()
    };
    let options = Options {
        size,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_broken_item_in_a_hundred_keeps_no_other_from_landing(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = busy().await;
    let breaker = Breaker::before(&simulator).await;
    let text = with_everything(&breaker.endpoint(), ALL);
    let Some(lake) = Lake::with(on, &text).await else {
        return;
    };
    let (exit, summary) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Partial);
    let broken = breaker.broken.lock().unwrap().clone();
    let is_keyless = |how: &&&str| **how == "its key is missing";
    let keyless = broken.values().filter(is_keyless).count();
    assert!(broken.len() >= 3, "{broken:?}");
    assert!(keyless > 0 && keyless < broken.len(), "{broken:?}");
    let letters = "SELECT COUNT(*) FROM _headwater_dead_letters";
    assert_eq!(lake.number(letters).await, broken.len(), "{broken:?}");
    assert_eq!(summary.rejected, broken.len() as u64);

    // Everything but the broken items and what hangs on them.
    let fresh_text = text.clone();
    breaker.breaks.store(false, Ordering::SeqCst);
    let fresh = Lake::with(Sqlite, &fresh_text).await.unwrap();
    fresh.sync(How::default()).await;
    let count = "SELECT COUNT(*) FROM _tool_bitbucket_pull_request_comments";
    let pull_requests = "SELECT COUNT(*) FROM _tool_bitbucket_pull_requests";
    let lost_pull_requests = broken
        .keys()
        .filter(|name| name.contains("/pullrequests "))
        .count();
    let there = fresh.number(pull_requests).await;
    assert_eq!(lake.number(pull_requests).await, there - lost_pull_requests);
    let (here, there) = (lake.number(count).await, fresh.number(count).await);
    assert!(here < there && here > there * 9 / 10, "{here} of {there}");

    let (exit, _) = lake.sync(How { full: true }).await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(lake.number(letters).await, 0);
    lake.assert_equals(&fresh).await;
}
