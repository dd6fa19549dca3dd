//! Bitbucket for the workload of everything: bodies are rendered before the first request, so
//! that the server costs next to nothing, and once more when the world changes.

mod items;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};

use crate::Failure;

pub(crate) const REPOSITORY: &str = "acme/payments";
/// Of all pull requests and pipelines; commits are half as old.
const HISTORY_DAYS: i64 = 170;
/// What the change touches: pull requests with a new comment each, commits, and pipelines with
/// three steps each. Together a hundred items.
const CHANGED: (u64, u64, u64) = (20, 20, 10);
const STEPS: u64 = 3;

/// How much there is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) pull_requests: u64,
    pub(crate) commits: u64,
    pub(crate) pipelines: u64,
}

impl Size {
    /// That many times the workload of the baselines.
    pub(crate) fn times(factor: u64) -> Self {
        Self {
            pull_requests: 5000 * factor,
            commits: 50_000 * factor,
            pipelines: 10_000 * factor,
        }
    }
}

/// The bodies of one state of the world.
struct Bodies {
    repository: Bytes,
    pull_requests: Vec<Bytes>,
    /// What an incremental question is answered with.
    changed_pull_requests: Bytes,
    comments: HashMap<u64, Bytes>,
    /// Commits page by page, and the page of the new ones.
    commits: Vec<Bytes>,
    new_commits: Bytes,
    pipelines: Vec<Bytes>,
    steps: HashMap<String, Bytes>,
}

struct Service {
    bodies: RwLock<Arc<Bodies>>,
    requests: AtomicU64,
}

/// Tells its endpoint and repository, then answers lines: `count` with the number of requests so
/// far, `change` by changing the world.
pub(crate) fn serve(factor: u64) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (size, started) = (Size::times(factor), Utc::now());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let endpoint = format!("http://{}/2.0/", listener.local_addr()?);
    let service = Arc::new(Service {
        bodies: RwLock::new(Arc::new(render(&endpoint, size, started, false))),
        requests: AtomicU64::new(0),
    });
    let router = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&service));
    runtime.spawn(async move { axum::serve(listener, router).await });
    let mut output = io::stdout().lock();
    writeln!(output, "{endpoint}\n{REPOSITORY}")?;
    output.flush()?;
    for line in io::stdin().lines() {
        if line? == "change" {
            let changed = Arc::new(render(&endpoint, size, started, true));
            let mut bodies = service.bodies.write();
            **bodies.as_mut().map_err(|_| "a reader panicked")? = changed;
        }
        writeln!(output, "{}", service.requests.load(Ordering::Relaxed))?;
        output.flush()?;
    }
    Ok(())
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response {
    service.requests.fetch_add(1, Ordering::Relaxed);
    let bodies = service
        .bodies
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let path = request.uri().path().replace("%7B", "{").replace("%7D", "}");
    let query = request.uri().query().unwrap_or_default();
    match found(&bodies, &path, query) {
        Some(body) => ([("content-type", "application/json")], body).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn found(bodies: &Bodies, path: &str, query: &str) -> Option<Bytes> {
    let rest = path.strip_prefix("/2.0/repositories/acme/payments")?;
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let page = || {
        let number = parameter("page").map_or(Some(1), |page| page.parse::<usize>().ok())?;
        number.checked_sub(1)
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Some(bodies.repository.clone()),
        ["pullrequests"] if parameter("q").is_some() => Some(bodies.changed_pull_requests.clone()),
        ["pullrequests"] => bodies.pull_requests.get(page()?).cloned(),
        ["pullrequests", number, "comments"] => bodies.comments.get(&number.parse().ok()?).cloned(),
        ["commits"] if parameter("exclude").is_some() => Some(bodies.new_commits.clone()),
        ["commits"] => bodies.commits.get(page()?).cloned(),
        ["pipelines"] => bodies.pipelines.get(page()?).cloned(),
        ["pipelines", uuid, "steps"] => bodies.steps.get(*uuid).cloned(),
        _ => None,
    }
}

/// Renders everything; after the change, new items have come in front.
fn render(endpoint: &str, size: Size, started: DateTime<Utc>, changed: bool) -> Bodies {
    let name = REPOSITORY;
    let (few_pull_requests, few_commits, few_pipelines) = CHANGED;
    let few = |few: u64| if changed { few } else { 0 };
    let base = format!("{endpoint}repositories/{name}");
    let oldest = started - TimeDelta::days(HISTORY_DAYS);
    let at = |number: u64, of: u64| {
        let seconds = HISTORY_DAYS * 24 * 3600 - 3600;
        let part = i64::try_from(number).unwrap_or(0) * seconds / i64::try_from(of).unwrap_or(1);
        oldest + TimeDelta::seconds(part)
    };
    // Items that have come since are some seconds younger than the walk before.
    let now = Utc::now();
    let touched =
        |number: u64| changed && number.is_multiple_of(size.pull_requests / few_pull_requests);
    let comments_of = |number| items::comments_of(number) + u64::from(touched(number));
    let pull_request = |number: u64| {
        let created = at(number, size.pull_requests);
        let updated = if touched(number) {
            now
        } else {
            created + TimeDelta::minutes(30)
        };
        items::pull_request(name, number, (created, updated), comments_of(number))
    };
    let pull_requests: Vec<String> = (1..=size.pull_requests).rev().map(pull_request).collect();
    let recent: Vec<String> = (1..=size.pull_requests)
        .filter(|it| touched(*it))
        .map(pull_request)
        .collect();
    let comments = (1..=size.pull_requests).map(|number| {
        let created = at(number, size.pull_requests);
        let all = (1..=comments_of(number))
            .map(|place| items::comment(name, number, place, created + TimeDelta::minutes(5)));
        (number, page(&all.collect::<Vec<_>>()))
    });
    let commits = size.commits + few(few_commits);
    let commits: Vec<String> = (0..commits)
        .rev()
        .map(|number| items::commit(name, number, at(number.min(size.commits), size.commits)))
        .collect();
    let pipelines = size.pipelines + few(few_pipelines);
    let ran = |number: u64| {
        if number > size.pipelines {
            now
        } else {
            at(number, size.pipelines)
        }
    };
    let listed: Vec<String> = (1..=pipelines)
        .rev()
        .map(|number| items::pipeline(name, number, ran(number)))
        .collect();
    let steps = (1..=pipelines).map(|number| {
        let all = (0..STEPS).map(|place| items::step(number, place, ran(number)));
        (items::uuid(5, number), page(&all.collect::<Vec<_>>()))
    });
    Bodies {
        repository: items::repository(name, oldest).into(),
        pull_requests: pages(&pull_requests, 50, |number| {
            format!("{base}/pullrequests?pagelen=50&page={number}")
        }),
        changed_pull_requests: page(&recent),
        comments: comments.collect(),
        commits: pages(&commits, 100, |number| {
            format!("{base}/commits?include=main&pagelen=100&page={number}")
        }),
        new_commits: page(&commits[..usize::try_from(few(few_commits)).unwrap_or(0)]),
        pipelines: pages(&listed, 100, |number| {
            format!("{base}/pipelines/?sort=-created_on&pagelen=100&page={number}")
        }),
        steps: steps.collect(),
    }
}

fn pages(items: &[String], length: usize, address: impl Fn(usize) -> String) -> Vec<Bytes> {
    let count = items.len().div_ceil(length);
    let chunks = items.chunks(length).enumerate();
    let next = |place: usize| (place + 1 < count).then(|| address(place + 2));
    let numbered = |place: usize| {
        let (size, page) = (items.len(), place + 1);
        format!(r#""size": {size}, "page": {page}, "pagelen": {length}, "#)
    };
    chunks
        .map(|(place, chunk)| body(&numbered(place), chunk, next(place)))
        .collect()
}

/// The only page of a list.
fn page(items: &[String]) -> Bytes {
    let size = items.len();
    body(
        &format!(r#""size": {size}, "page": 1, "pagelen": 100, "#),
        items,
        None,
    )
}

fn body(head: &str, items: &[String], next: Option<String>) -> Bytes {
    let next = next.map_or_else(String::new, |next| format!(r#", "next": "{next}""#));
    format!(r#"{{{head}"values": [{}]{next}}}"#, items.join(", ")).into()
}
