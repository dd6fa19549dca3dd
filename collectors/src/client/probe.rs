//! One request to see what a server makes of the credentials: no waiting, no second try.

use std::time::Duration;

use bytes::BytesMut;
use headwater_redaction::Secrets;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::network_error::{Cause, NetworkError};
use super::oauth::TokenError;
use super::{Client, http_date, wait};
use crate::dialect::ApiError;
use crate::error::ShownUrl;

/// Largest answer that is looked at.
const MAX_BODY: usize = 4 << 20;

/// Longest text of a server that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Most names of a list that are passed on.
const MOST_WORDS: usize = 100;

/// A probe and what came of it.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was asked for.
    pub url: ShownUrl,
    /// What came.
    pub outcome: Result<Reply, Unanswered>,
}

/// An answer, whatever it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// What the server says is wrong; empty where it says nothing. It holds none of our secrets.
    pub message: String,
    /// Scopes that the request needs, where the server names it.
    pub required: Vec<String>,
    /// Scopes that the credentials have, where the server names it.
    pub granted: Vec<String>,
    /// Number of the change that removed what was asked for, where the server names it.
    pub change: Option<String>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Host that a redirect leads to.
    pub leads_to: Option<String>,
    /// The body; none where it is not JSON.
    pub json: Option<Value>,
}

/// Why there is no answer to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The network, TLS or the proxy.
    Network {
        /// What prevented it.
        cause: Cause,
        /// What was said about it.
        message: String,
    },
    /// The server of access tokens refused the OAuth consumer.
    ConsumerRefused {
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The server of access tokens could not answer.
    TokensUnavailable {
        /// The status; 200 where the answer was no token.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The probe was cancelled.
    Cancelled,
}

impl From<NetworkError> for Unanswered {
    fn from(network_error: NetworkError) -> Self {
        let NetworkError { cause, message } = network_error;
        Self::Network { cause, message }
    }
}

impl From<TokenError> for Unanswered {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Network(network_error) => network_error.into(),
            TokenError::Refused { status, message } => Self::ConsumerRefused {
                status,
                message: message.trim_start_matches(": ").to_owned(),
            },
            TokenError::Unavailable {
                status,
                retry_after,
                ..
            } => Self::TokensUnavailable {
                status,
                retry_after,
            },
            TokenError::Shape(_) => Self::TokensUnavailable {
                status: 200,
                retry_after: None,
            },
        }
    }
}

impl Client {
    /// Sends one request to an address below the endpoint and returns what came. It counts as a
    /// request but neither waits for the rate limit nor is it repeated.
    pub async fn probe(&self, url: &Url, cancel: &CancellationToken) -> Probed {
        let outcome = tokio::select! {
            () = cancel.cancelled() => Err(Unanswered::Cancelled),
            outcome = self.probe_once(url) => outcome,
        };
        Probed {
            url: ShownUrl::of(url),
            outcome,
        }
    }

    async fn probe_once(&self, url: &Url) -> Result<Reply, Unanswered> {
        let shared = &self.shared;
        let hidden = shared.credentials.hidden();
        let network_error =
            |error: &reqwest::Error| NetworkError::of(error, shared.proxied, &hidden);
        let mut at = url.clone();
        let mut followed = 0;
        let mut response = loop {
            self.counter
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut request = shared.http.get(at.clone());
            if let Some(header) = shared.credentials.header().await? {
                request = request.header(AUTHORIZATION, header);
            }
            let response = request
                .send()
                .await
                .map_err(|error| network_error(&error))?;
            let is_redirect = response.status().is_redirection();
            match super::led_to(&at, response.headers()) {
                Ok(target) if is_redirect && followed < super::MAX_REDIRECTS => at = target,
                _ => break response,
            }
            followed += 1;
        };
        let status = response.status().as_u16();
        tracing::debug!(url = %ShownUrl::of(url), status, "probe");
        let headers = response.headers().clone();
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| network_error(&error))?
        {
            // What is this large is looked at as far as it goes, and is then no JSON.
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY - body.len())]);
            if body.len() == MAX_BODY {
                break;
            }
        }
        let error = (shared.dialect.error)(&body);
        let hidden = shared.credentials.hidden();
        Ok(read_reply(status, (&headers, &body), error, &hidden))
    }
}

fn read_reply(
    status: u16,
    (headers, body): (&HeaderMap, &[u8]),
    error: ApiError,
    hidden: &Secrets,
) -> Reply {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let told = |list: Vec<String>, header: &str| {
        let list = if list.is_empty() {
            header_words(headers, header)
        } else {
            list
        };
        let words = list.iter().map(|word| hidden.shown(word, LONGEST_MESSAGE));
        words.take(MOST_WORDS).collect()
    };
    let message = match error.message {
        Some(message) => message,
        None if json.is_some() => String::new(),
        None => plain_text(body),
    };
    let target = headers.get(LOCATION).and_then(|to| to.to_str().ok());
    Reply {
        status,
        message: hidden.shown(&message, LONGEST_MESSAGE),
        required: told(error.required, "x-accepted-oauth-scopes"),
        granted: told(error.granted, "x-oauth-scopes"),
        change: error
            .change
            .map(|change| hidden.shown(&change, LONGEST_MESSAGE)),
        retry_after: retry_after(headers),
        leads_to: target.map(|target| hidden.shown(&super::host_of(target), LONGEST_MESSAGE)),
        json,
    }
}

/// How long an answer asks to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    wait::retry_after(headers.get(RETRY_AFTER), http_date(headers.get(DATE)))
}

/// A short text that is no page for people.
fn plain_text(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if !text.trim_start().starts_with('<') => text.trim().to_owned(),
        _ => String::new(),
    }
}

fn header_words(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    let words = value.unwrap_or_default().split([',', ' ']);
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}
