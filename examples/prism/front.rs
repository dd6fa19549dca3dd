//! The proxy before Prism: it speaks of the API as headwater does, and writes down what it saw.
//!
//! Prism knows the paths of Atlassian's description, which have neither `/2.0` before them nor a
//! slash behind them; and `next` in an answer leads to the simulator, past Prism.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use crate::Failure;
use crate::coverage;
use crate::exemptions::Exemption;

/// The prefix of every path that headwater asks for.
const PREFIX: &str = "/2.0";

/// Listens on a free port until it is dropped.
pub(crate) struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    http: reqwest::Client,
    /// Where Prism listens, `http://127.0.0.1:PORT`.
    prism: String,
    /// Where the simulator listens, `http://127.0.0.1:PORT`.
    simulator: String,
    /// Where this listens.
    own: String,
    seen: Mutex<Seen>,
}

/// What came by since the last look.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Answers that Prism has let through, by path.
    pub(crate) passed: BTreeMap<String, usize>,
    /// What Prism objected to and no exemption allows.
    pub(crate) violations: BTreeSet<String>,
    /// How often each exemption was needed, by its reason.
    pub(crate) exempted: BTreeMap<&'static str, usize>,
}

/// What Prism says instead of an answer that breaks the description.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    validation: Vec<Violation>,
}

/// One place where an answer breaks the description.
#[derive(Debug, Deserialize)]
pub(crate) struct Violation {
    #[serde(default)]
    location: Vec<Value>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Violation {
    /// What is at the place; none when the request is what is wrong.
    pub(crate) fn value<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        let parts: Vec<&str> = self.location.iter().filter_map(Value::as_str).collect();
        let inside = parts.strip_prefix(&["response", "body"])?;
        let pointer = inside.join("/");
        body.pointer(&format!("/{pointer}"))
    }

    /// The place without the numbers of list items: `response.body.values.*.id`.
    pub(crate) fn place(&self) -> String {
        let part = |part: &Value| match part {
            Value::String(name) => numbers_as_stars(name).to_owned(),
            _ => "*".to_owned(),
        };
        let parts: Vec<String> = self.location.iter().map(part).collect();
        parts.join(".")
    }
}

fn numbers_as_stars(part: &str) -> &str {
    let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if number { "*" } else { part }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // One sentence for the same mistake in every item.
        let without_numbers = |word: &str| {
            word.split('.')
                .map(numbers_as_stars)
                .collect::<Vec<_>>()
                .join(".")
        };
        let words = self.message.split(' ').map(without_numbers);
        let message = words.collect::<Vec<_>>().join(" ");
        write!(out, "{} ({}): {message}", self.place(), self.code)
    }
}

impl Front {
    /// Begins to listen. Both addresses are without a slash at the end.
    pub(crate) async fn start(prism: &str, simulator: &str) -> Result<Self, Failure> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            http: reqwest::Client::builder()
                .no_proxy()
                .no_gzip()
                // Where an answer leads elsewhere, headwater follows.
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            prism: prism.to_owned(),
            simulator: simulator.to_owned(),
            own: format!("http://{address}"),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // An error is not reported here; the requests that fail show it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// The address to configure headwater with.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}{PREFIX}/", self.address)
    }

    /// What came by since the start or the last call.
    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut *self.shared.seen())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: &Parts) -> Result<Response<Body>, reqwest::Error> {
        let path = request.uri.path();
        let bare = path.strip_prefix(PREFIX).unwrap_or(path);
        let bare = bare.trim_end_matches('/');
        let query = request.uri.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        let plain = format!("{PREFIX}{bare}{query}");
        let bare = as_described(bare);
        let bare = bare.as_str();
        let target = format!("{bare}{query}");
        if coverage::is_of_tracker(bare) {
            return Ok(self
                .forward(request, &self.simulator, &plain)
                .await?
                .into_response());
        }
        let mut answer = if coverage::leads_elsewhere(bare) {
            // Prism follows by itself. Of such an answer the description says only that it is one.
            let answer = self.forward(request, &self.simulator, &plain).await?;
            if answer.status != StatusCode::FOUND {
                let violation = format!("{bare}: {} instead of a redirect", answer.status);
                self.seen().violations.insert(violation);
            }
            answer
        } else {
            self.forward(request, &self.prism, &target).await?
        };
        if answer.is_problem() {
            let unchecked = self.forward(request, &self.simulator, &plain).await?;
            if !self.allow(&target, &answer, &unchecked) {
                return Ok(answer.into_response());
            }
            answer = unchecked;
        }
        *self.seen().passed.entry(bare.to_owned()).or_default() += 1;
        // `next`, and where an answer is to be found, shall lead here again.
        let body = String::from_utf8_lossy(&answer.body).replace(&self.simulator, &self.own);
        answer.body = body.into();
        if let Some(location) = answer.headers.get(header::LOCATION) {
            let location = String::from_utf8_lossy(location.as_bytes());
            let location = location.replace(&self.simulator, &self.own);
            if let Ok(location) = location.parse() {
                answer.headers.insert(header::LOCATION, location);
            }
        }
        Ok(answer.into_response())
    }

    async fn forward(
        &self,
        request: &Parts,
        origin: &str,
        target: &str,
    ) -> Result<Answer, reqwest::Error> {
        let mut forwarded = self.http.get(format!("{origin}{target}"));
        for name in [header::AUTHORIZATION, header::ACCEPT] {
            if let Some(value) = request.headers.get(&name) {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.send().await?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await?,
        })
    }

    /// True when everything that Prism objects to is exempt.
    fn allow(&self, target: &str, refusal: &Answer, unchecked: &Answer) -> bool {
        let mut seen = self.seen();
        let problem: Problem = serde_json::from_slice(&refusal.body).unwrap_or_default();
        let body: Value = serde_json::from_slice(&unchecked.body).unwrap_or_default();
        if problem.validation.is_empty() {
            let Problem { title, detail, .. } = problem;
            let status = refusal.status;
            seen.violations
                .insert(format!("{target}: {status}: {title}: {detail}"));
            return false;
        }
        let mut allowed = true;
        for violation in &problem.validation {
            if let Some(exemption) = Exemption::of(violation, &body) {
                *seen.exempted.entry(exemption.reason).or_default() += 1;
            } else {
                allowed = false;
                // The parameters are long and have nothing to do with it.
                let path = target.split('?').next().unwrap_or_default();
                seen.violations.insert(format!("{path}: {violation}"));
            }
        }
        allowed
    }
}

/// The path as the description has it: what is compared in a diffstat, `workspace/slug:from..to`, is
/// one segment there, and the service sends its slash as it is.
fn as_described(path: &str) -> String {
    match path.split_once("/diffstat/") {
        Some((list, compared)) => format!("{list}/diffstat/{}", compared.replace('/', "%2F")),
        None => path.to_owned(),
    }
}

/// An answer on its way back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// True when Prism speaks, not the server behind it.
    fn is_problem(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE);
        kind.is_some_and(|kind| kind == "application/problem+json")
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        // The date is the simulated one, which watermarks are taken from.
        for name in [header::CONTENT_TYPE, header::DATE, header::LOCATION] {
            if let Some(value) = self.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (request, _) = request.into_parts();
    match shared.answer(&request).await {
        Ok(response) => response,
        Err(error) => {
            shared
                .seen()
                .violations
                .insert(format!("no answer: {error}"));
            let mut response = Response::new(Body::from("no answer"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
