//! Access tokens of an OAuth consumer: asked for when needed, kept while they live.

use std::time::Duration;

use headwater_redaction::Secrets;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::auth::Hidden;
use super::network_error::NetworkError;
use super::{auth, probe};
use crate::error::RequestErrorKind as Kind;

/// A token is renewed this long before it ends, and a tenth of its life where that is less.
const MARGIN: Duration = Duration::from_mins(1);

/// How long a token lives whose server does not say.
const USUAL_LIFE: Duration = Duration::from_hours(1);

/// Largest answer with a token that is read.
const MAX_ANSWER: usize = 64 << 10;

/// The consumer of a connection and the token it holds.
pub(super) struct Consumer {
    http: reqwest::Client,
    token_url: Url,
    login: HeaderValue,
    proxied: bool,
    /// What no message may hold: tokens, once they are known.
    hidden: Hidden,
    /// Held while a new token is asked for, so that many requests ask once.
    state: Mutex<State>,
}

/// What is known of a consumer's tokens.
enum State {
    /// There is none.
    Nothing,
    /// There is one.
    Held(Token),
    /// The consumer was refused, and would be again.
    Refused(TokenError),
}

struct Token {
    text: SecretString,
    header: HeaderValue,
    renew_at: Instant,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// The network.
    Network(NetworkError),
    /// The server knows no such consumer, or does not let it have tokens this way.
    Refused { status: u16, message: String },
    /// The server could not answer.
    Unavailable {
        status: u16,
        message: String,
        retry_after: Option<Duration>,
    },
    /// The answer was no token.
    Shape(String),
}

impl From<TokenError> for Kind {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Network(network_error) => {
                Self::Network(format!("asking for an access token: {network_error}"))
            }
            TokenError::Refused { status, message } => Self::ConsumerRefused { status, message },
            TokenError::Unavailable {
                status,
                message,
                retry_after,
            } => Self::Unavailable {
                status,
                message,
                retry_after,
            },
            TokenError::Shape(message) => Self::Shape(message),
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// The error of the OAuth standard; its members are words from a fixed list and a sentence.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_description: String,
}

impl Consumer {
    pub(super) fn new(
        (http, proxied): (reqwest::Client, bool),
        token_url: Url,
        login: HeaderValue,
        hidden: Hidden,
    ) -> Self {
        Self {
            http,
            token_url,
            login,
            proxied,
            hidden,
            state: Mutex::new(State::Nothing),
        }
    }

    /// The token as a header, a new one where the old one is gone or runs out.
    pub(super) async fn header(&self) -> Result<HeaderValue, TokenError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Held(token) if Instant::now() < token.renew_at => {
                return Ok(token.header.clone());
            }
            State::Refused(error) => return Err(error.clone()),
            State::Held(_) | State::Nothing => {}
        }
        // A token that is still there when this fails would soon be refused anyway.
        match self.ask().await {
            Ok(token) => {
                let header = token.header.clone();
                *state = State::Held(token);
                Ok(header)
            }
            Err(error) => {
                if matches!(error, TokenError::Refused { .. }) {
                    *state = State::Refused(error.clone());
                }
                Err(error)
            }
        }
    }

    /// Drops a token that was refused, unless another one has taken its place already.
    pub(super) async fn forget(&self, header: &HeaderValue) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Held(token) if token.header == header) {
            *state = State::Nothing;
        }
    }

    async fn ask(&self) -> Result<Token, TokenError> {
        // The life of a token begins before its answer arrives.
        let asked = Instant::now();
        let request = self
            .http
            .post(self.token_url.clone())
            .header(AUTHORIZATION, self.login.clone())
            .header(CONTENT_TYPE, FORM)
            .body("grant_type=client_credentials");
        let network_error = |error: &reqwest::Error| {
            let hidden = self.hidden.secrets();
            TokenError::Network(NetworkError::of(error, self.proxied, &hidden))
        };
        let mut response = request
            .send()
            .await
            .map_err(|error| network_error(&error))?;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "access token");
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| network_error(&error))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(TokenError::Shape("it is too large for a token".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let hidden = self.hidden.secrets();
            return Err(denied(status.as_u16(), &headers, &body, &hidden));
        }
        let token = read_token(&body, asked)?;
        self.hidden.add(&token.text);
        Ok(token)
    }
}

#[cfg(test)]
mod tests;

const FORM: &str = "application/x-www-form-urlencoded";

fn read_token(body: &[u8], asked: Instant) -> Result<Token, TokenError> {
    // The error of the parser might repeat the token, so it is not passed on.
    let no_token = || TokenError::Shape("it is no access token".to_owned());
    let granted: Granted = serde_json::from_slice(body).map_err(|_| no_token())?;
    let token = SecretString::from(granted.access_token);
    let header = auth::bearer(&token).map_err(|_| no_token())?;
    let life = granted
        .expires_in
        .map_or(USUAL_LIFE, Duration::from_secs)
        .min(24 * USUAL_LIFE);
    Ok(Token {
        text: token,
        header,
        renew_at: asked + life.saturating_sub(MARGIN.min(life / 10)),
    })
}

fn denied(status: u16, headers: &HeaderMap, body: &[u8], hidden: &Secrets) -> TokenError {
    let denied: Denied = serde_json::from_slice(body).unwrap_or_default();
    let parts = [denied.error, denied.error_description];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let message = hidden.shown(&parts.join(" "), 200);
    let message = if message.is_empty() {
        message
    } else {
        format!(": {message}")
    };
    match status {
        408 | 425 | 429 | 500..=599 => TokenError::Unavailable {
            status,
            message,
            retry_after: probe::retry_after(headers),
        },
        _ => TokenError::Refused { status, message },
    }
}
