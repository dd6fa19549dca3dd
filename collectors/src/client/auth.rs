//! How requests prove who asks, without showing it.

use std::sync::{Arc, PoisonError, RwLock};

use headwater_redaction::Secrets;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::oauth::{Consumer, TokenError};

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
    /// An OAuth consumer, which is given access tokens that live for an hour or so.
    Oauth {
        /// The consumer's key.
        key: String,
        /// The consumer's secret.
        secret: SecretString,
        /// Where access tokens are asked for.
        token_url: Url,
    },
}

/// The credentials of a connection at work.
pub(super) struct Credentials {
    way: Way,
    /// Texts that no message may hold.
    hidden: Hidden,
}

enum Way {
    Nothing,
    Fixed(HeaderValue),
    Renewed(Box<Consumer>),
}

impl Credentials {
    /// Credentials whose tokens, where they need any, are asked for over `http`.
    ///
    /// # Errors
    /// When they cannot be a header.
    pub(super) fn new(
        auth: &Auth,
        http: &reqwest::Client,
        (proxied, passwords): (bool, Vec<SecretString>),
    ) -> Result<Self, String> {
        let hidden = Hidden::default();
        for password in &passwords {
            hidden.add(password);
        }
        let way = match auth {
            Auth::None => Way::Nothing,
            Auth::Basic { user, password } => {
                hidden.add(password);
                Way::Fixed(basic(user, password)?)
            }
            Auth::Bearer { token } => {
                hidden.add(token);
                Way::Fixed(bearer(token)?)
            }
            Auth::Oauth {
                key,
                secret,
                token_url,
            } => {
                hidden.add(secret);
                let login = basic(key, secret)?;
                let way = (http.clone(), proxied);
                let consumer = Consumer::new(way, token_url.clone(), login, hidden.clone());
                Way::Renewed(Box::new(consumer))
            }
        };
        Ok(Self { way, hidden })
    }

    /// The header to send now; none without credentials. A token that runs out soon is renewed
    /// first, once for all requests that wait for it.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, TokenError> {
        match &self.way {
            Way::Nothing => Ok(None),
            Way::Fixed(value) => Ok(Some(value.clone())),
            Way::Renewed(consumer) => consumer.header().await.map(Some),
        }
    }

    /// The token that a consumer holds now; none where the credentials are no consumer's.
    pub(super) async fn access_token(&self) -> Result<Option<SecretString>, TokenError> {
        let Way::Renewed(consumer) = &self.way else {
            return Ok(None);
        };
        let header = consumer.header().await?;
        let token = header
            .to_str()
            .ok()
            .and_then(|it| it.strip_prefix("Bearer "));
        Ok(token.map(SecretString::from))
    }

    /// Notes that the server refused this header, so that the next request asks for a new token.
    pub(super) async fn refused(&self, header: Option<&HeaderValue>) {
        if let (Way::Renewed(consumer), Some(header)) = (&self.way, header) {
            consumer.forget(header).await;
        }
    }

    /// Whether refused credentials are renewed, so that another try may succeed.
    pub(super) fn are_renewed(&self) -> bool {
        matches!(self.way, Way::Renewed(_))
    }

    /// What no message may hold.
    pub(super) fn hidden(&self) -> Secrets {
        self.hidden.secrets()
    }
}

/// The secrets of a connection, those that it is given while it works among them. Clones share
/// them.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden(Arc<RwLock<Secrets>>);

impl Hidden {
    pub(super) fn add(&self, secret: &SecretString) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *known = known.and([secret.expose_secret()]);
    }

    pub(super) fn secrets(&self) -> Secrets {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

/// User and password as a header that is never printed.
fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, String> {
    use base64::Engine as _;
    let pair = format!("{user}:{}", password.expose_secret());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    sensitive(&format!("Basic {encoded}"))
}

/// A token as a header that is never printed.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {}", token.expose_secret()))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the token holds characters that a header cannot carry".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
