//! One connection to an API: credentials, rate limit, retries, and what must never leak.

mod governed;
mod grants;
mod pace;
mod pause;
mod removed;
mod told;
mod wait;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::error::{RequestError, RequestErrorKind as Kind, ShownUrl};
use told::Told;
use wait::{Next, Patience};

pub use pace::{Budget, Hold, Pace};

/// Largest body that is read; a page of 100 large items stays far below. Tests fill a smaller one.
const MAX_BODY: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// How requests prove who asks.
#[derive(Clone, Debug)]
pub enum Auth {
    /// They do not: public repositories only.
    None,
    /// User name or e-mail address, and a password or API token.
    Basic {
        /// User name or e-mail address.
        user: String,
        /// Password or API token.
        password: SecretString,
    },
    /// An access token.
    Bearer {
        /// The token.
        token: SecretString,
    },
}

/// What a client needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Name of the connection, for messages.
    pub connection: String,
    /// Base address, with a slash at its end.
    pub endpoint: Url,
    /// The credentials.
    pub auth: Auth,
    /// The credential's limiter, shared by all connections that use the credential.
    pub pace: Pace,
    /// Requests under way at the same time.
    pub concurrency: usize,
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
    endpoint: Url,
    connection: String,
    pace: Pace,
    /// What the server said when it refused the credentials: nothing is sent after that.
    refused: OnceLock<String>,
    running: Semaphore,
    concurrency: usize,
}

/// A body with what its headers told.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
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
        let http = http_client(&settings).map_err(failed)?;
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                pace: settings.pace,
                refused: OnceLock::new(),
                running: Semaphore::new(settings.concurrency.max(1)),
                concurrency: settings.concurrency.max(1),
                endpoint: settings.endpoint,
                connection: settings.connection,
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
        self.shared.pace.waiting()
    }

    /// The pace of the connection's credential.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.shared.pace
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
            let foreign = url.host_str().unwrap_or("no host").to_owned();
            return Err(bad(Kind::Foreign(foreign)));
        }
        Ok(url)
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
            let tried = match self.attempt(url, cancel).await {
                Ok(answer) => read(answer),
                Err(kind) => Err(kind),
            };
            let kind = match tried {
                Ok(value) => return Ok(value),
                Err(kind) => kind,
            };
            tracing::debug!(url = %ShownUrl::of(url), error = %kind, "request failed");
            if let Kind::Unauthorized { message } = &kind {
                // Of several refusals at the same time the first is told.
                let _ = self.shared.refused.set(message.clone());
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

    async fn attempt(&self, url: &Url, cancel: &CancellationToken) -> Result<Answer, Kind> {
        let sent = async {
            let closed = |_| Kind::Network("the client is closed".to_owned());
            let _running = self.shared.running.acquire().await.map_err(closed)?;
            let permitted = self.shared.pace.permit().await;
            permitted.map_err(|error| Kind::Ledger(with_causes(error.to_string(), &error)))?;
            if let Some(message) = self.shared.refused.get() {
                let message = message.clone();
                return Err(Kind::Unauthorized { message });
            }
            self.counter.fetch_add(1, Ordering::Relaxed);
            self.send(url).await
        };
        tokio::select! {
            () = cancel.cancelled() => Err(Kind::Cancelled),
            answer = sent => answer,
        }
    }

    async fn send(&self, url: &Url) -> Result<Answer, Kind> {
        let sent = Instant::now();
        let pace = &self.shared.pace;
        let response = self.shared.http.get(url.clone()).send().await;
        let mut response = response.map_err(|error| network(&error))?;
        let status = response.status();
        tracing::debug!(url = %ShownUrl::of(url), status = status.as_u16(), "request");
        let headers = response.headers().clone();
        if response.url() != url {
            pace.redirected();
        }
        if status != StatusCode::TOO_MANY_REQUESTS {
            pace.passed(sent);
        }
        pace.told(Told::of(&headers, pace.now()));
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| network(&error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Kind::TooLarge(MAX_BODY));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_redirection() {
            let target = headers.get(reqwest::header::LOCATION);
            let target = target.and_then(|t| t.to_str().ok()).unwrap_or("nowhere");
            return Err(Kind::Foreign(host_of(target)));
        }
        if !status.is_success() {
            let kind = self.refusal(url, status.as_u16(), (&headers, &body));
            if let Kind::Unavailable {
                status: 429,
                retry_after,
                ..
            } = &kind
            {
                pace.refused(sent, *retry_after);
            }
            return Err(kind);
        }
        Ok(Answer {
            body: body.freeze(),
            date: http_date(headers.get(DATE)),
        })
    }

    /// The kind of a status that is no success.
    fn refusal(&self, url: &Url, status: u16, (headers, body): (&HeaderMap, &[u8])) -> Kind {
        let message = server_message(body);
        match status {
            401 => Kind::Unauthorized { message },
            403 => Kind::Forbidden { message },
            404 => Kind::NotFound { message },
            410 => Kind::Gone {
                change: removed::change(body),
                replacement: removed::replacement(&self.shared.endpoint, url),
                message,
            },
            408 | 425 | 429 | 500..=599 => {
                let server_now = http_date(headers.get(DATE));
                let now = server_now.unwrap_or_else(|| self.shared.pace.now());
                let retry_after = wait::retry_after(headers.get(RETRY_AFTER), now);
                Kind::Unavailable {
                    status,
                    message,
                    retry_after,
                }
            }
            _ => Kind::Refused { status, message },
        }
    }
}

fn http_client(settings: &Settings) -> Result<reqwest::Client, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(value) = authorization(&settings.auth)? {
        headers.insert(AUTHORIZATION, value);
    }
    let origin = settings.endpoint.origin();
    let redirects = reqwest::redirect::Policy::custom(move |attempt| {
        if attempt.url().origin() == origin && attempt.previous().len() <= 5 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirects)
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .timeout(settings.total_timeout)
        .pool_max_idle_per_host(settings.concurrency.max(1));
    builder = match &settings.proxy {
        Some(proxy) => {
            let proxy = reqwest::Proxy::all(proxy.clone());
            builder.proxy(proxy.map_err(|_| "the proxy address is unusable".to_owned())?)
        }
        // The environment may name a proxy; our own machine is never behind it.
        None if is_loopback(&settings.endpoint) => builder.no_proxy(),
        None => builder,
    };
    if !settings.authorities.is_empty() {
        let certificates = reqwest::Certificate::from_pem_bundle(&settings.authorities);
        let certificates =
            certificates.map_err(|_| "the CA file holds no certificate in PEM form".to_owned())?;
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

fn is_loopback(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The credentials as a header that is never printed.
fn authorization(auth: &Auth) -> Result<Option<HeaderValue>, String> {
    use base64::Engine as _;
    let text = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose_secret());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            format!("Basic {encoded}")
        }
        Auth::Bearer { token } => format!("Bearer {}", token.expose_secret()),
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| "the token holds characters that a header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// What the network said, without the address: the caller names it.
fn network(error: &reqwest::Error) -> Kind {
    let text = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "the answer broke off"
    };
    Kind::Network(with_causes(text.to_owned(), error))
}

fn host_of(target: &str) -> String {
    let host = Url::parse(target).ok();
    let host = host.as_ref().and_then(Url::host_str);
    host.unwrap_or("an address without a host").to_owned()
}

fn http_date(value: Option<&HeaderValue>) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(value?.to_str().ok()?).ok()?;
    Some(date.with_timezone(&Utc))
}

/// A text with the causes of an error behind it.
fn with_causes(mut text: String, error: &dyn std::error::Error) -> String {
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// `: <message>` of Bitbucket's error envelope, or the beginning of a short text; else nothing.
fn server_message(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &json["error"];
    let text = match error["message"].as_str() {
        Some(message) => message.to_owned(),
        None => match std::str::from_utf8(body) {
            Ok(text) if !text.trim_start().starts_with(['<', '{']) => text.trim().to_owned(),
            _ => String::new(),
        },
    };
    let scopes = |name: &str| {
        let list = error["detail"][name].as_array()?;
        let names: Vec<&str> = list.iter().filter_map(serde_json::Value::as_str).collect();
        Some(format!(", {name}: {}", names.join(" ")))
    };
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    shown.extend(scopes("required"));
    shown.extend(scopes("granted"));
    if shown.is_empty() {
        shown
    } else {
        format!(": {shown}")
    }
}

#[cfg(test)]
mod tests;
