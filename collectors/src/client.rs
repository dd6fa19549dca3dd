//! One connection to an API: credentials, rate limit, retries, and what must never leak.

mod auth;
mod budget;
mod grants;
mod http;
mod network_error;
mod notes;
mod oauth;
mod pause;
mod probe;
mod rate_limit_headers;
mod rate_limiter;
mod redirect;
mod token_bucket;
mod uncounted;
mod wait;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use headwater_redaction::Secrets;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use url::Url;

use crate::address;
use crate::dialect::{Dialect, Refused};
use crate::error::{RequestError, RequestErrorKind as Kind, ShownUrl};
use auth::Credentials;
use network_error::NetworkError;
use rate_limit_headers::RateLimitHeaders;
use redirect::{host_of, led_to};
use uncounted::uncounted;
use wait::{Next, Patience};

pub use auth::Auth;
pub use budget::Budget;
pub use network_error::Cause;
pub use notes::{Notes, together};
pub use probe::{Probed, Reply, Unanswered};
pub use rate_limiter::{Hold, RateLimiter};

/// Redirects that are followed one after the other.
const MAX_REDIRECTS: usize = 5;

/// Largest body of a refusal that is looked at.
const LARGEST_REFUSAL: usize = 256 << 10;

/// A body above this size, in bytes, is a large one: of one client's large ones one at a time is
/// read and taken apart.
const LARGE: usize = 2 << 20;

/// Longest name of a host in a message, in characters.
const LONGEST_HOST: usize = 300;

/// What a client needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Name of the connection, for messages.
    pub connection: String,
    /// Base address, with a slash at its end.
    pub endpoint: Url,
    /// How the API is spoken.
    pub dialect: Dialect,
    /// The credentials.
    pub auth: Auth,
    /// The credential's limiter, shared by all connections that use the credential.
    pub rate_limiter: RateLimiter,
    /// Whether the server refused the credentials, shared by all clients that send the same.
    pub refusal: Refusal,
    /// Requests under way at the same time.
    pub concurrency: usize,
    /// Largest body that is read, in bytes, when it is unpacked; what is larger is refused.
    pub largest_answer: usize,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time without a byte.
    pub read_timeout: Duration,
    /// Time for one request in all.
    pub total_timeout: Duration,
    /// Proxy address.
    pub proxy: Option<Url>,
    /// Certificates of further authorities, PEM.
    pub authorities: Vec<u8>,
}

impl std::fmt::Debug for Settings {
    /// Addresses may carry a password, so they are shown without user info.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Settings")
            .field("connection", &self.connection)
            .field("endpoint", &ShownUrl::of(&self.endpoint))
            .field("auth", &self.auth)
            .field("concurrency", &self.concurrency)
            .field("proxy", &self.proxy.as_ref().map(ShownUrl::of))
            .finish_non_exhaustive()
    }
}

/// Whether the server refused some credentials: then no client that sends the same ones sends them
/// again. Clones are one refusal.
#[derive(Clone, Debug, Default)]
pub struct Refusal(Arc<OnceLock<Kind>>);

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("connection {connection}: {what}")]
pub struct SetupError {
    connection: String,
    what: String,
}

/// A client for one connection. Clones share limiter and sockets.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// Requests sent through this handle and its clones.
    counter: Arc<AtomicU64>,
}

struct Shared {
    http: reqwest::Client,
    credentials: Credentials,
    proxied: bool,
    anonymous: bool,
    endpoint: Url,
    dialect: Dialect,
    connection: String,
    rate_limiter: RateLimiter,
    refusal: Refusal,
    running: Semaphore,
    large: Arc<Semaphore>,
    concurrency: usize,
    largest_answer: usize,
    notes: Notes,
}

/// What became of one request.
enum Sent {
    Answer(Answer),
    /// The server leads to another address of its own.
    Moved(Url),
}

/// A body with what its headers said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// Held by a large body until it is taken apart.
    _large: Option<OwnedSemaphorePermit>,
    /// The server's clock (UTC); none when it does not tell.
    pub(crate) date: Option<DateTime<Utc>>,
}

impl Client {
    /// A client for a connection.
    ///
    /// # Errors
    /// When the credentials cannot be a header, or proxy or certificates are unusable.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let connection = settings.connection.clone();
        let failed = |what: String| SetupError {
            connection: connection.clone(),
            what,
        };
        // A second installation is refused, which is fine: it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = http::client(&settings).map_err(failed)?;
        let proxied = http::is_proxied(&settings);
        let proxy = (proxied, http::proxy_passwords(&settings));
        let credentials = Credentials::new(&settings.auth, &http, proxy).map_err(failed)?;
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                credentials,
                proxied,
                anonymous: matches!(settings.auth, Auth::None),
                rate_limiter: settings.rate_limiter,
                refusal: settings.refusal,
                running: Semaphore::new(settings.concurrency.max(1)),
                large: Arc::new(Semaphore::new(1)),
                concurrency: settings.concurrency.max(1),
                largest_answer: settings.largest_answer,
                endpoint: settings.endpoint,
                dialect: settings.dialect,
                connection: settings.connection,
                notes: Notes::default(),
            }),
            counter: Arc::default(),
        })
    }

    /// Base address of the connection.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.shared.endpoint
    }

    /// Name of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.shared.connection
    }

    /// True when requests carry no credentials: only what is public answers.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.shared.anonymous
    }

    /// Requests under way at the same time, at most.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.shared.concurrency
    }

    /// The same client with a counter of its own.
    #[must_use]
    pub fn counted(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            counter: Arc::default(),
        }
    }

    /// Requests sent through this handle and its clones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// Requests that wait for the rate limit now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.rate_limiter.waiting()
    }

    /// What answers say beside their bodies.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.shared.notes
    }

    /// The rate limiter of the connection's credential.
    #[must_use]
    pub fn rate_limiter(&self) -> &RateLimiter {
        &self.shared.rate_limiter
    }

    /// Reads an address that the server gave; only on the connection's own server.
    pub(crate) fn own_url(&self, address: &str) -> Result<Url, RequestError> {
        let bad = |kind| RequestError {
            url: ShownUrl::of(&self.shared.endpoint),
            kind,
        };
        let joined = self.shared.endpoint.join(address);
        let url = joined.map_err(|error| bad(Kind::BadUrl(error.to_string())))?;
        if url.origin() != self.shared.endpoint.origin() {
            let foreign = url.host_str().unwrap_or("no host");
            let foreign = self.hidden().shown(foreign, LONGEST_HOST);
            return Err(bad(Kind::Foreign(foreign)));
        }
        Ok(address::kept(&url))
    }

    /// What no message may hold: the connection's secrets, renewed tokens among them.
    #[must_use]
    pub fn hidden(&self) -> Secrets {
        self.shared.credentials.hidden()
    }

    /// Fetches an address and reads the body, again while the verdict is to retry.
    pub(crate) async fn get<T>(
        &self,
        url: &Url,
        cancel: &CancellationToken,
        read: impl Fn(Answer) -> Result<T, Kind>,
    ) -> Result<T, RequestError> {
        let mut patience = Patience::default();
        let failed = |kind| RequestError {
            url: ShownUrl::of(url),
            kind,
        };
        loop {
            let tried = match self.authorized(url, cancel).await {
                Ok(answer) => read(answer),
                Err(kind) => Err(kind),
            };
            let kind = match tried {
                Ok(value) => return Ok(value),
                Err(kind) => kind.without(&self.hidden()),
            };
            tracing::debug!(url = %ShownUrl::of(url), error = %kind, "request failed");
            let is_final = !self.is_anonymous() && !self.asks_for_user(url);
            if matches!(kind, Kind::Unauthorized { .. }) && is_final {
                // Of several refusals at the same time the first is reported.
                let _ = self.shared.refusal.0.set(kind.clone());
            }
            match patience.after(&kind) {
                Next::GiveUp => return Err(failed(kind)),
                Next::WithThePace => {}
                Next::After(pause) => {
                    if wait::pause(pause, cancel).await.is_err() {
                        return Err(failed(Kind::Cancelled));
                    }
                }
            }
        }
    }

    /// The access token of an OAuth consumer, for servers beside the API that take it too; none
    /// where the credentials are no consumer's. A token that runs out soon is renewed first.
    ///
    /// # Errors
    /// When the consumer is given no token, or it is cancelled.
    pub async fn access_token(
        &self,
        cancel: &CancellationToken,
    ) -> Result<Option<SecretString>, RequestError> {
        let token = self.shared.credentials.access_token();
        let token = tokio::select! {
            () = cancel.cancelled() => Err(Kind::Cancelled),
            token = token => token.map_err(Kind::from),
        };
        token.map_err(|kind| RequestError {
            url: ShownUrl::of(&self.shared.endpoint),
            kind,
        })
    }

    /// True for what is said about the user: a token without one may be refused there, and only
    /// there.
    fn asks_for_user(&self, url: &Url) -> bool {
        let base = self.shared.endpoint.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base).unwrap_or_default();
        let user = self.shared.dialect.user_path;
        !user.is_empty() && path.split('/').nth(1) == Some(user)
    }

    /// One attempt, and another one when credentials that can be renewed were refused.
    async fn authorized(&self, url: &Url, cancel: &CancellationToken) -> Result<Answer, Kind> {
        match self.attempt(url, cancel).await {
            Err(Kind::Unauthorized { .. }) if self.shared.credentials.are_renewed() => {
                self.attempt(url, cancel).await
            }
            answer => answer,
        }
    }

    /// One attempt, with each request that it takes: where the server leads to another address of
    /// its own, asking there is one more, which waits for the rate limit and counts as the first.
    async fn attempt(&self, url: &Url, cancel: &CancellationToken) -> Result<Answer, Kind> {
        let sent = async {
            let closed = |_| Kind::Network("the client is closed".to_owned());
            let _running = self.shared.running.acquire().await.map_err(closed)?;
            let mut at = url.clone();
            for _ in 0..=MAX_REDIRECTS {
                let permitted = self.shared.rate_limiter.permit().await;
                permitted.map_err(|error| uncounted(&error))?;
                if let Some(refused) = self.shared.refusal.0.get() {
                    return Err(refused.clone());
                }
                self.counter.fetch_add(1, Ordering::Relaxed);
                match self.send(&at).await? {
                    Sent::Answer(answer) => return Ok(answer),
                    Sent::Moved(target) => at = target,
                }
            }
            Err(Kind::Foreign(host_of(at.as_str())))
        };
        let connection = self.shared.connection.as_str();
        let span = tracing::info_span!("request", connection, url = %ShownUrl::of(url));
        let sent = sent.instrument(span);
        tokio::select! {
            () = cancel.cancelled() => Err(Kind::Cancelled),
            answer = sent => answer,
        }
    }

    async fn send(&self, url: &Url) -> Result<Sent, Kind> {
        let network = |error: &reqwest::Error| {
            let hidden = self.hidden();
            Kind::Network(NetworkError::of(error, self.shared.proxied, &hidden).message)
        };
        let header = self.shared.credentials.header().await?;
        let mut request = self.shared.http.get(url.clone());
        if let Some(header) = &header {
            request = request.header(AUTHORIZATION, header.clone());
        }
        let sent = Instant::now();
        let rate_limiter = &self.shared.rate_limiter;
        let response = request.send().await.map_err(|error| network(&error))?;
        let status = response.status();
        tracing::debug!(url = %ShownUrl::of(url), status = status.as_u16(), "request");
        let headers = response.headers().clone();
        if status != StatusCode::TOO_MANY_REQUESTS {
            rate_limiter.passed(sent);
        }
        rate_limiter.heed(RateLimitHeaders::of(&headers, rate_limiter.now()));
        let date = http_date(headers.get(DATE));
        self.shared
            .notes
            .note(url, &headers, date, rate_limiter.now());
        if status.is_redirection() {
            return led_to(url, &headers).map(Sent::Moved);
        }
        let (body, large) = self.body(response, status).await?;
        if status == StatusCode::UNAUTHORIZED {
            self.shared.credentials.refused(header.as_ref()).await;
        }
        if !status.is_success() {
            let kind = self.refusal(url, status.as_u16(), (&headers, &body));
            if let Kind::Unavailable {
                status: 429,
                retry_after,
                ..
            } = &kind
            {
                rate_limiter.refused(sent, *retry_after);
            }
            return Err(kind);
        }
        Ok(Sent::Answer(Answer {
            body,
            _large: large,
            date,
        }))
    }

    /// Bytes that an answer may have.
    pub(crate) fn largest_answer(&self) -> usize {
        self.shared.largest_answer
    }

    /// Reads a body as far as the limit of its status goes. A large one waits for its turn.
    async fn body(
        &self,
        mut response: reqwest::Response,
        status: StatusCode,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Kind> {
        let mut body = BytesMut::new();
        let mut large = None;
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                let hidden = self.hidden();
                Kind::Network(NetworkError::of(&error, self.shared.proxied, &hidden).message)
            })?;
            let Some(chunk) = chunk else {
                return Ok((body.freeze(), large));
            };
            if !status.is_success() {
                // What says why something was refused is read as far as a message goes.
                let room = LARGEST_REFUSAL - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() >= room {
                    return Ok((body.freeze(), None));
                }
                continue;
            }
            if chunk.len() > self.shared.largest_answer - body.len() {
                return Err(Kind::TooLarge(self.shared.largest_answer));
            }
            body.extend_from_slice(&chunk);
            if large.is_none() && body.len() > LARGE {
                let turn = Arc::clone(&self.shared.large).acquire_owned().await;
                large = Some(turn.map_err(|_| Kind::Network("the client is closed".to_owned()))?);
            }
        }
    }

    /// The kind of a status that is no success.
    fn refusal(&self, url: &Url, status: u16, (headers, body): (&HeaderMap, &[u8])) -> Kind {
        let server_now = http_date(headers.get(DATE));
        let now = server_now.unwrap_or_else(|| self.shared.rate_limiter.now());
        let refused = Refused {
            endpoint: &self.shared.endpoint,
            url,
            status,
            body,
            hidden: &self.hidden(),
            retry_after: wait::retry_after(headers.get(RETRY_AFTER), Some(now)),
        };
        (self.shared.dialect.refusal)(&refused)
    }
}

fn http_date(value: Option<&HeaderValue>) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(value?.to_str().ok()?).ok()?;
    Some(date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests;
