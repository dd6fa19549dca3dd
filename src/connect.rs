//! Clients for the configured connections.

use std::collections::HashMap;
use std::path::Path;

use headwater_collectors::{Auth, Client, Pace, Settings};
use secrecy::SecretString;
use url::Url;

use crate::config::{self, Connection, ConnectionKind, RateLimit, SecretSource};
use crate::exit::{Exit, Failure};

/// Makes clients; connections with the same credential share one limiter.
pub struct Connector<'a> {
    folder: &'a Path,
    paces: HashMap<String, Pace>,
}

impl<'a> Connector<'a> {
    /// Relative paths of secrets and certificates start at this folder.
    #[must_use]
    pub fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            paces: HashMap::new(),
        }
    }

    /// A client for a connection.
    ///
    /// # Errors
    /// When a secret cannot be read, or this version does not collect from such a connection.
    pub fn client(&mut self, connection: &Connection) -> Result<Client, Failure> {
        let endpoint = match (&connection.kind, &connection.endpoint) {
            (ConnectionKind::BitbucketCloud, Some(endpoint)) => endpoint.clone(),
            (kind, _) => return Err(later(connection, &format!("kind = \"{}\"", kind.as_str()))),
        };
        let auth = self.auth(connection)?;
        let pace = self.pace(connection, &endpoint, &auth);
        let timeouts = connection.timeout_seconds;
        let settings = Settings {
            connection: connection.name.clone(),
            endpoint,
            auth,
            pace,
            concurrency: usize::try_from(connection.concurrency).unwrap_or(1),
            connect_timeout: timeouts.connect(),
            read_timeout: timeouts.read(),
            total_timeout: timeouts.total(),
            proxy: self.proxy(connection)?,
            authorities: self.authorities(connection)?,
        };
        Client::new(settings).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))
    }

    fn auth(&self, connection: &Connection) -> Result<Auth, Failure> {
        let secret = |source: &SecretSource| self.secret(connection, source);
        let hidden = |text: String| SecretString::from(text);
        Ok(match &connection.auth {
            config::Auth::None => Auth::None,
            config::Auth::ApiToken { email, token } => Auth::Basic {
                user: secret(email)?,
                password: hidden(secret(token)?),
            },
            config::Auth::Basic { user, password } => Auth::Basic {
                user: secret(user)?,
                password: hidden(secret(password)?),
            },
            config::Auth::AccessToken { token } => Auth::Bearer {
                token: hidden(secret(token)?),
            },
            config::Auth::Oauth { .. } => {
                return Err(later(connection, "auth.kind = \"oauth\""));
            }
        })
    }

    fn secret(&self, connection: &Connection, source: &SecretSource) -> Result<String, Failure> {
        let read = source.read(self.folder);
        read.map(|secret| secret.expose().to_owned())
            .map_err(|error| {
                let message = format!("connection {}: {error}", connection.name);
                Failure::new(Exit::Configuration, message)
            })
    }

    /// The limiter of a credential, found by where it is used and what it is.
    fn pace(&mut self, connection: &Connection, endpoint: &Url, auth: &Auth) -> Pace {
        use secrecy::ExposeSecret as _;
        let requests = match connection.rate_limit() {
            RateLimit::PerHour(requests) => requests,
            RateLimit::PerSecond { requests, .. } => requests.saturating_mul(3600),
            RateLimit::Unlimited => u32::MAX,
        };
        let credential = match auth {
            Auth::None => String::new(),
            Auth::Basic { user, password } => format!("{user}:{}", password.expose_secret()),
            Auth::Bearer { token } => token.expose_secret().to_owned(),
        };
        let key = format!("{} {credential}", endpoint.origin().ascii_serialization());
        let pace = self
            .paces
            .entry(key)
            .or_insert_with(|| Pace::per_hour(requests));
        pace.clone()
    }

    fn proxy(&self, connection: &Connection) -> Result<Option<Url>, Failure> {
        let Some(proxy) = &connection.proxy else {
            return Ok(None);
        };
        let refused = |what: String| {
            let message = format!("connection {}: proxy: {what}", connection.name);
            Failure::new(Exit::Configuration, message)
        };
        let address = proxy
            .read(self.folder)
            .map_err(|error| refused(error.to_string()))?;
        let url = Url::parse(address.expose());
        url.map(Some).map_err(|error| refused(error.to_string()))
    }

    fn authorities(&self, connection: &Connection) -> Result<Vec<u8>, Failure> {
        let Some(path) = connection.ca_path(self.folder) else {
            return Ok(Vec::new());
        };
        std::fs::read(&path).map_err(|error| {
            let message = format!(
                "connection {}: ca_file {}: {error}",
                connection.name,
                path.display()
            );
            Failure::new(Exit::Configuration, message)
        })
    }
}

fn later(connection: &Connection, what: &str) -> Failure {
    let name = &connection.name;
    Failure::new(
        Exit::Configuration,
        format!("connection {name}: {what} is understood, but this version cannot collect with it"),
    )
}
