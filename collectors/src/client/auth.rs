//! How requests prove who asks, without showing it.

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
    hidden: Vec<SecretString>,
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
    pub(super) fn new(auth: &Auth, http: &reqwest::Client, proxied: bool) -> Result<Self, String> {
        let (way, hidden) = match auth {
            Auth::None => (Way::Nothing, Vec::new()),
            Auth::Basic { user, password } => {
                let value = basic(user, password)?;
                (Way::Fixed(value), vec![password.clone()])
            }
            Auth::Bearer { token } => (Way::Fixed(bearer(token)?), vec![token.clone()]),
            Auth::Oauth {
                key,
                secret,
                token_url,
            } => {
                let login = basic(key, secret)?;
                let consumer = Consumer::new(http.clone(), token_url.clone(), login, proxied);
                (Way::Renewed(Box::new(consumer)), vec![secret.clone()])
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

    /// A body from outside without our secrets.
    pub(super) fn hide_secrets(&self, body: &[u8]) -> Vec<u8> {
        self.without_secrets(&String::from_utf8_lossy(body))
            .into_bytes()
    }

    /// A text from outside without our secrets, should it repeat them.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.hidden {
            let secret = secret.expose_secret();
            if !secret.is_empty() {
                shown = shown.replace(secret, "***");
            }
        }
        shown
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
