//! The running server.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, Accepted, Answer, Cache, Query, Quirks};
use crate::fault::{Fault, OnRequest};
use crate::options::{ListedWorkspace, Options};
use crate::requests::{Log, RequestRecord};
use crate::world::World;

/// A Bitbucket Cloud that listens on loopback until it is stopped or dropped.
#[derive(Debug)]
pub struct Simulator {
    site: Arc<Site>,
    stopping: watch::Sender<bool>,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Builds a world and serves it on a free port.
    pub async fn start(options: Options) -> io::Result<Simulator> {
        let Options {
            seed,
            ref workspace,
            ref size,
            ..
        } = options;
        let world = World::generate(seed, workspace, size);
        Simulator::serve(options, world).await
    }

    /// Serves a world that exists; seed, size and workspace of the options play no part.
    pub async fn serve(options: Options, world: World) -> io::Result<Simulator> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Small responses would otherwise wait for the client's acknowledgement.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let (stopping, stopped) = watch::channel(false);
        let site = Arc::new(Site::new(options, world, address, stopped.clone()));
        let routes = axum::Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&site));
        let server = axum::serve(listener, routes).with_graceful_shutdown(until_stopped(stopped));
        let server = Some(tokio::spawn(async move { server.await }));
        Ok(Simulator {
            site,
            stopping,
            server,
        })
    }

    /// The API's base address, `http://127.0.0.1:PORT/2.0/`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}/2.0/", self.site.origin)
    }

    /// Where OAuth consumers ask for tokens.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.site.origin, api::TOKEN_PATH)
    }

    /// The world, to look at or to change. Requests wait while the guard lives.
    pub fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.site.world)
    }

    /// The world under shared ownership, for code that outlives a borrow such as a fault.
    #[must_use]
    pub fn shared_world(&self) -> Arc<Mutex<World>> {
        Arc::clone(&self.site.world)
    }

    /// Every request since the start or the last [`take_requests`](Simulator::take_requests).
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.site.log.all()
    }

    /// The same, and forgets them.
    #[must_use = "the records are gone afterwards"]
    pub fn take_requests(&self) -> Vec<RequestRecord> {
        self.site.log.take()
    }

    /// How many requests have arrived since the start, recorded or not.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.site.log.count()
    }

    /// Sets what decides about faults; `None` ends them.
    pub fn set_faults(&self, faults: Option<OnRequest>) {
        *self
            .site
            .faults
            .write()
            .unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Stops listening, lets running responses finish and ends hanging ones.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        if let Some(server) = self.server.take() {
            // A client that keeps a connection busy must not keep the test waiting.
            let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
    }
}

async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same news.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panics while it holds the world should fail by itself, not in every later request.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the requests share.
struct Site {
    origin: String,
    accepted: Accepted,
    listed: Vec<ListedWorkspace>,
    gzip: bool,
    quirks: Quirks,
    world: Arc<Mutex<World>>,
    cache: Mutex<Cache>,
    log: Log,
    faults: RwLock<Option<OnRequest>>,
    stopped: watch::Receiver<bool>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Site")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Site {
    fn new(
        options: Options,
        world: World,
        address: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) -> Site {
        Site {
            origin: format!("http://{address}"),
            accepted: Accepted::new(&options.credentials),
            listed: options.listed_workspaces,
            gzip: options.gzip,
            quirks: Quirks {
                issues_status: options.issues_status,
                sorted_states_limit: options.sorted_states_limit,
                activity_by_cursor: options.activity_by_cursor,
            },
            world: Arc::new(Mutex::new(world)),
            cache: Mutex::new(Cache::new(options.cache_bytes)),
            log: Log::new(options.log_requests),
            faults: RwLock::new(options.on_request),
            stopped,
        }
    }

    /// Writes the request down and asks what should go wrong with it.
    fn receive(&self, request: &HttpRequest) -> (u64, Option<Fault>) {
        let number = self.log.arrival();
        let faults = self
            .faults
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if !self.log.is_recording() && faults.is_none() {
            return (number, None);
        }
        let record = RequestRecord {
            number,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            status: 0,
        };
        self.log.record(&record);
        (number, faults.and_then(|faults| faults(&record)))
    }

    /// The proper answer.
    fn answer(&self, request: &HttpRequest) -> Answer {
        if request.method() != axum::http::Method::GET {
            return Answer::method_not_allowed();
        }
        let path = request.uri().path();
        let reader = match self.accepted.reader(authorization(request.headers()), path) {
            Ok(reader) => reader,
            Err(refusal) => return refusal,
        };
        let request = api::Request {
            origin: &self.origin,
            path: request.uri().path(),
            query: Query::parse(request.uri().query().unwrap_or_default()),
            reader,
            listed: &self.listed,
            quirks: self.quirks,
        };
        // The world first, always: both locks are held together.
        let world = locked(&self.world);
        let mut cache = locked(&self.cache);
        api::answer(&world, &mut cache, &request)
    }

    /// Gives a consumer a token.
    async fn issue_token(&self, request: HttpRequest) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let form = axum::body::to_bytes(body, 1 << 16)
            .await
            .unwrap_or_default();
        let answer = self.accepted.token(authorization(&parts.headers), &form);
        replaced(answer.status, answer.body.into(), &[])
    }

    fn respond(&self, request: &HttpRequest) -> Response<Body> {
        let answer = self.answer(request);
        let status =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Bytes::from(answer.body);
        let packed = (self.gzip && body.len() > 1024 && accepts_gzip(request.headers()))
            .then(|| compress(&body))
            .flatten();
        let mut response = Response::new(Body::from(packed.clone().unwrap_or(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("Accept-Encoding, Authorization"),
        );
        let told = self
            .accepted
            .headers(authorization(request.headers()), request.uri().path());
        for (name, value) in told {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// The simulated time in the form of HTTP.
    fn date(&self) -> Option<HeaderValue> {
        let now = locked(&self.world).now();
        HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
    }
}

async fn handle(State(site): State<Arc<Site>>, request: HttpRequest) -> Response<Body> {
    let (number, fault) = site.receive(&request);
    let mut response = match fault {
        None if request.uri().path() == api::TOKEN_PATH => site.issue_token(request).await,
        None => site.respond(&request),
        Some(Fault::Status(status, body, headers)) => replaced(status, body, &headers),
        Some(Fault::Body(body, kind)) => {
            replaced(200, body, &[(header::CONTENT_TYPE.to_string(), kind)])
        }
        Some(Fault::Hang) => {
            until_stopped(site.stopped.clone()).await;
            replaced(503, Bytes::new(), &[])
        }
        Some(Fault::CutConnection) => cut_off(site.respond(&request)).await,
        Some(Fault::Delay(duration)) => {
            tokio::time::sleep(duration).await;
            site.respond(&request)
        }
    };
    if let Some(date) = site.date() {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    site.log.answered(number, response.status().as_u16());
    response
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION);
    authorization.map(|value| value.to_str().unwrap_or_default())
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("gzip"))
}

fn compress(body: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn replaced(status: u16, body: Bytes, headers: &[(String, String)]) -> Response<Body> {
    let kind = if body.starts_with(b"{") {
        "application/json"
    } else {
        "text/plain"
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in headers {
        // A test that misspells a header notices by the header's absence.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            sent.insert(name, value);
        }
    }
    response
}

/// Promises the whole body, sends half of it and drops the connection.
async fn cut_off(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() + 1));
    let half = body.slice(..body.len() / 2);
    let broken = async {
        // Without a pause the failure overtakes the half that is still to be written.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    };
    let half_and_end = stream::once(async { Ok(half) }).chain(stream::once(broken));
    Response::from_parts(parts, Body::from_stream(half_and_end))
}
