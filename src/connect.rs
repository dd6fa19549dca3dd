//! Clients for the configured connections.

use std::collections::HashMap;
use std::path::Path;

use headwater_collectors::{Auth, Client, Pace, Settings};
use headwater_store::StoreError;
use headwater_store::ledger::Ledger;
use secrecy::SecretString;
use url::Url;

use crate::config::{self, Connection, ConnectionKind, RateLimit, SecretSource};
use crate::credential::{Credential, fingerprint};
use crate::exit::{Exit, Failure};
use crate::run::now;

/// Makes clients; connections with the same credential share one limiter.
pub struct Connector<'a> {
    folder: &'a Path,
    paces: HashMap<String, Pace>,
    /// Where requests are remembered; none without a database.
    ledger: Option<Ledger>,
}

impl<'a> Connector<'a> {
    /// Relative paths of secrets and certificates start at this folder.
    #[must_use]
    pub fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            paces: HashMap::new(),
            ledger: None,
        }
    }

    /// The same, and the requests of an hour are remembered in a database.
    #[must_use]
    pub fn recording(folder: &'a Path, ledger: Ledger) -> Self {
        Self {
            ledger: Some(ledger),
            ..Self::new(folder)
        }
    }

    /// Gives back what was taken from the ledger and not sent.
    ///
    /// # Errors
    /// When the database fails; then an hour may go by before it can be used.
    pub async fn close(&self) -> Result<(), StoreError> {
        for pace in self.paces.values() {
            pace.close().await?;
        }
        Ok(())
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

    /// The pace of a credential, found by where it is used and whose it is: the server counts the
    /// requests of a user, whichever of their tokens is used.
    fn pace(&mut self, connection: &Connection, endpoint: &Url, auth: &Auth) -> Pace {
        use secrecy::ExposeSecret as _;
        let key;
        let credential = match (auth, &connection.auth) {
            (Auth::Basic { user, .. }, _) => Credential::User(user),
            (Auth::Bearer { token }, _) => Credential::Token(token.expose_secret()),
            (_, config::Auth::Oauth { key: source, .. }) => {
                // What cannot be read was refused when the credentials were.
                key = self.secret(connection, source).unwrap_or_default();
                Credential::Consumer(&key)
            }
            _ => Credential::Nobody,
        };
        let origin = endpoint.origin().ascii_serialization();
        let limit = connection.rate_limit();
        if let Some(known) = self.paces.get(&credential.key(&origin)) {
            if let RateLimit::PerHour(requests) = limit {
                known.at_most(requests);
            }
            return known.clone();
        }
        let pace = match (limit, &self.ledger) {
            (RateLimit::PerHour(requests), Some(ledger)) => {
                let fingerprint = fingerprint(&origin, credential, ledger.salt());
                Pace::recorded(requests, ledger.clone(), fingerprint, now)
            }
            (RateLimit::PerHour(requests), None) => Pace::per_hour(requests),
            (RateLimit::PerSecond { requests, burst }, _) => Pace::per_second(requests, burst),
            (RateLimit::Unlimited, _) => Pace::per_second(u32::MAX, u32::MAX),
        };
        self.paces.insert(credential.key(&origin), pace.clone());
        pace
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
