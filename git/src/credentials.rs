//! How git proves who asks.

use base64::Engine as _;
use secrecy::{ExposeSecret as _, SecretString};

/// How git proves who asks, over https.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// It does not.
    #[default]
    None,
    /// An API token of Bitbucket Cloud: user `x-bitbucket-api-token-auth`.
    ApiToken {
        /// The token.
        token: SecretString,
    },
    /// An access token of Bitbucket Cloud, of a repository, project, workspace or OAuth consumer:
    /// user `x-token-auth`.
    AccessToken {
        /// The token.
        token: SecretString,
    },
    /// A token in a header of its own, as Data Center wants it.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
}

/// A header that proves who asks, and the texts that no message may hold.
pub(crate) struct Proof {
    pub(crate) header: SecretString,
    pub(crate) hidden: Vec<SecretString>,
}

impl Credentials {
    /// The header; none without credentials.
    ///
    /// # Errors
    /// When a header cannot carry them.
    pub(crate) fn proof(&self) -> Result<Option<Proof>, String> {
        match self {
            Self::None => Ok(None),
            Self::ApiToken { token } => basic("x-bitbucket-api-token-auth", token).map(Some),
            Self::AccessToken { token } => basic("x-token-auth", token).map(Some),
            Self::Basic { user, password } => basic(user, password).map(Some),
            Self::Bearer { token } => {
                let secret = printable(token)?;
                Ok(Some(Proof {
                    header: format!("Authorization: Bearer {secret}").into(),
                    hidden: vec![token.clone()],
                }))
            }
        }
    }
}

fn basic(user: &str, password: &SecretString) -> Result<Proof, String> {
    if user.contains(|c: char| c == ':' || c.is_control()) {
        return Err("a user name holds a colon or control characters".to_owned());
    }
    let pair = format!("{user}:{}", printable(password)?);
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    Ok(Proof {
        header: format!("Authorization: Basic {encoded}").into(),
        hidden: vec![password.clone(), encoded.into()],
    })
}

fn printable(secret: &SecretString) -> Result<&str, String> {
    let secret = secret.expose_secret();
    if secret.chars().any(char::is_control) {
        return Err("a token or password holds control characters".to_owned());
    }
    Ok(secret)
}
