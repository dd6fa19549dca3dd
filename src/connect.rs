//! Clients for the configured connections.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_collectors::{Auth, Client, Notes, RateLimiter, Refusal, Settings, together};
use headwater_git::Credentials;
use headwater_redaction::Secrets;
use headwater_store::StoreError;
use headwater_store::ledger::Ledger;
use headwater_store::symptoms::ServerNotes;
use ring::digest::{Context, SHA256};
use secrecy::SecretString;
use url::Url;

use crate::clock::Clock;
use crate::config::{self, Connection, ConnectionKind, RateLimit, SecretSource};
use crate::credential::{Credential, fingerprint};
use crate::exit::{Exit, Failure, chain};
use crate::git::{Proof, Way};
use crate::output;
use crate::resolve::connection_id;
use crate::sources::Sources;

/// Largest file of certificates that is read: a hundred times what systems have.
const LARGEST_CA_FILE: u64 = 16 << 20;

/// What refused credentials look like, for advice; nothing here is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clues {
    /// The kind of authentication: the word in the file.
    pub auth_kind: &'static str,
    /// Whether the user is an e-mail address, as API tokens want; true where there is no user.
    pub user_is_email: bool,
    /// What the credential is by its first letters.
    pub looks_like: LooksLike,
    /// Whether the proxy is `socks5://`, with which host names are looked up on this machine.
    pub resolves_before_proxy: bool,
}

/// What a credential is by its first letters, which Atlassian gives each kind of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksLike {
    /// An API token.
    ApiToken,
    /// An access token of a repository, project or workspace.
    AccessToken,
    /// An app password.
    AppPassword,
    /// It is unknown.
    Unknown,
}

impl Clues {
    fn of(connection: &Connection, auth: &Auth) -> Self {
        use secrecy::ExposeSecret as _;
        let (user, credential) = match auth {
            Auth::Basic { user, password } => (Some(user), Some(password)),
            Auth::Bearer { token } => (None, Some(token)),
            Auth::None | Auth::Oauth { .. } => (None, None),
        };
        let begins = |with| credential.is_some_and(|c| c.expose_secret().starts_with(with));
        let looks_like = if begins("ATATT") {
            LooksLike::ApiToken
        } else if begins("ATCTT") {
            LooksLike::AccessToken
        } else if begins("ATBB") {
            LooksLike::AppPassword
        } else {
            LooksLike::Unknown
        };
        Self {
            auth_kind: connection.auth.kind(),
            user_is_email: user.is_none_or(|user| user.contains('@')),
            looks_like,
            resolves_before_proxy: false,
        }
    }
}

/// Makes clients; connections with the same credential share one limiter. Clones share it, too.
#[derive(Clone)]
pub struct Connector(Arc<Shared>);

struct Shared {
    sources: Sources,
    folder: PathBuf,
    clock: Clock,
    rate_limiters: Mutex<HashMap<String, RateLimiter>>,
    /// Refused credentials, by where they are sent and all that they consist of.
    refusals: Mutex<HashMap<[u8; 32], Refusal>>,
    /// What answers said, by number of the connection.
    notes: Mutex<Vec<(i64, Notes)>>,
    /// Where requests are remembered; none without a database.
    ledger: Option<Ledger>,
}

impl Connector {
    /// Relative paths of secrets and certificates start at this folder.
    #[must_use]
    pub fn new(place: (&Path, &Clock), sources: &Sources) -> Self {
        Self::of(place, sources, None)
    }

    /// The same, and the requests of an hour are remembered in a database.
    #[must_use]
    pub fn recording(place: (&Path, &Clock), sources: &Sources, ledger: Ledger) -> Self {
        Self::of(place, sources, Some(ledger))
    }

    fn of((folder, clock): (&Path, &Clock), sources: &Sources, ledger: Option<Ledger>) -> Self {
        Self(Arc::new(Shared {
            sources: sources.clone(),
            folder: folder.to_owned(),
            clock: clock.clone(),
            rate_limiters: Mutex::default(),
            refusals: Mutex::default(),
            notes: Mutex::default(),
            ledger,
        }))
    }

    /// Gives back what was taken from the ledger and not sent.
    ///
    /// # Errors
    /// When the database fails; then an hour may go by before it can be used.
    pub async fn close(&self) -> Result<(), StoreError> {
        let rate_limiters: Vec<RateLimiter> = self.rate_limiters().values().cloned().collect();
        for rate_limiter in rate_limiters {
            rate_limiter.close().await?;
        }
        Ok(())
    }

    /// Requests of all connections that wait for a rate limit now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rate_limiters()
            .values()
            .map(RateLimiter::waiting)
            .sum()
    }

    fn rate_limiters(&self) -> MutexGuard<'_, HashMap<String, RateLimiter>> {
        self.0
            .rate_limiters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A client for a connection.
    ///
    /// # Errors
    /// When a secret cannot be read, or this version does not collect from such a connection.
    pub fn client(&self, connection: &Connection) -> Result<Client, Failure> {
        let client = connect(self.settings(connection)?)?;
        let mut notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push((connection_id(connection), client.notes().clone()));
        Ok(client)
    }

    /// What the answers to clients of this connector said beside their bodies, by number of the
    /// connection.
    #[must_use]
    pub fn server_notes(&self) -> BTreeMap<i64, ServerNotes> {
        let notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: BTreeMap<i64, Vec<ServerNotes>> = BTreeMap::new();
        for (id, notes) in &*notes {
            taken.entry(*id).or_default().push(notes.taken());
        }
        taken
            .into_iter()
            .map(|(id, notes)| (id, together(notes.into_iter())))
            .collect()
    }

    /// A client that gives up soon, for one try, whatever came of other tries, with what its credentials look like.
    ///
    /// # Errors
    /// The same.
    pub fn impatient_client(&self, connection: &Connection) -> Result<(Client, Clues), Failure> {
        let mut settings = self.settings(connection)?;
        settings.connect_timeout = settings.connect_timeout.min(Duration::from_secs(10));
        settings.read_timeout = settings.read_timeout.min(Duration::from_secs(20));
        settings.total_timeout = settings.total_timeout.min(Duration::from_secs(30));
        settings.refusal = Refusal::default();
        let mut clues = Clues::of(connection, &settings.auth);
        let scheme = settings.proxy.as_ref().map(Url::scheme);
        clues.resolves_before_proxy = scheme == Some("socks5");
        Ok((connect(settings)?, clues))
    }

    fn settings(&self, connection: &Connection) -> Result<Settings, Failure> {
        let kind = connection.kind;
        let api = self.0.sources.of_kind(kind).and_then(|source| source.api);
        let (Some(api), Some(endpoint)) = (api, connection.endpoint.clone()) else {
            return Err(later(connection, &format!("kind = \"{}\"", kind.as_str())));
        };
        let auth = self.auth(connection)?;
        conceal(&auth);
        let rate_limiter = self.rate_limiter(connection, &endpoint, &auth);
        let refusal = self.refusal(&endpoint, &auth);
        let timeouts = connection.timeout_seconds;
        Ok(Settings {
            connection: connection.name.clone(),
            endpoint,
            dialect: *api.dialect,
            auth,
            rate_limiter,
            refusal,
            concurrency: usize::try_from(connection.concurrency).unwrap_or(1),
            largest_answer: usize::try_from(connection.max_answer_mib).unwrap_or(1) << 20,
            connect_timeout: timeouts.connect(),
            read_timeout: timeouts.read(),
            total_timeout: timeouts.total(),
            proxy: self.proxy(connection)?,
            authorities: self.authorities(connection)?,
        })
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
            config::Auth::Oauth {
                key,
                secret: source,
                token_url,
            } => Auth::Oauth {
                key: secret(key)?,
                secret: hidden(secret(source)?),
                token_url: token_url.clone().ok_or_else(|| no_token_url(connection))?,
            },
        })
    }

    /// How git reaches a repository of a connection.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub fn git_way(
        &self,
        connection: &Connection,
        client: Option<&Client>,
        full_name: &str,
    ) -> Result<Way, Failure> {
        let proxy = self.proxy(connection)?;
        let ca_file = connection.ca_path(&self.0.folder);
        Ok(Way {
            proof: self.proof(connection, client, full_name)?,
            proxy: proxy.map(|url| SecretString::from(url.to_string())),
            // Git is started elsewhere, where a relative path leads nowhere.
            ca_file: ca_file.map(|path| std::path::absolute(&path).unwrap_or(path)),
        })
    }

    fn proof(
        &self,
        connection: &Connection,
        client: Option<&Client>,
        full_name: &str,
    ) -> Result<Proof, Failure> {
        let secret = |source: &SecretSource| self.secret(connection, source);
        let is_cloud = match connection.kind {
            ConnectionKind::BitbucketCloud => true,
            _ => is_bitbucket_org(connection, full_name),
        };
        let credentials = match &connection.auth {
            config::Auth::None => Credentials::None,
            config::Auth::ApiToken { token, .. } => Credentials::ApiToken {
                token: secret(token)?.into(),
            },
            config::Auth::AccessToken { token } if is_cloud => Credentials::AccessToken {
                token: secret(token)?.into(),
            },
            config::Auth::AccessToken { token } => Credentials::Bearer {
                token: secret(token)?.into(),
            },
            config::Auth::Basic { user, password } => Credentials::Basic {
                user: secret(user)?,
                password: secret(password)?.into(),
            },
            config::Auth::Oauth { .. } => {
                return Ok(client.map_or(Proof::Fixed(Credentials::None), |client| {
                    Proof::Consumer(client.clone())
                }));
            }
        };
        Ok(Proof::Fixed(credentials))
    }

    fn secret(&self, connection: &Connection, source: &SecretSource) -> Result<String, Failure> {
        let read = source.read(&self.0.folder);
        read.map(|secret| secret.expose().to_owned())
            .map_err(|error| {
                let message = format!("connection {}: {}", connection.name, chain(&error));
                Failure::new(Exit::Configuration, message)
            })
    }

    /// The rate limiter of a credential, found by where it is used and whose it is: the server counts the
    /// requests of a user, whichever of their tokens is used.
    fn rate_limiter(&self, connection: &Connection, endpoint: &Url, auth: &Auth) -> RateLimiter {
        use secrecy::ExposeSecret as _;
        let credential = match auth {
            Auth::Basic { user, .. } => Credential::User(user),
            Auth::Oauth { key, .. } => Credential::Consumer(key),
            Auth::Bearer { token } => Credential::Token(token.expose_secret()),
            Auth::None => Credential::Nobody,
        };
        let origin = endpoint.origin().ascii_serialization();
        let limit = connection.rate_limit();
        let mut rate_limiters = self.rate_limiters();
        if let Some(known) = rate_limiters.get(&credential.key(&origin)) {
            if let RateLimit::PerHour(requests) = limit {
                known.at_most(requests);
            }
            return known.clone();
        }
        let clock = self.0.clock.clone();
        let now = move || clock.now();
        let rate_limiter = match (limit, &self.0.ledger) {
            (RateLimit::PerHour(requests), Some(ledger)) => {
                let fingerprint = fingerprint(&origin, credential, ledger.salt());
                RateLimiter::recorded(requests, ledger.clone(), fingerprint, now)
            }
            (RateLimit::PerHour(requests), None) => RateLimiter::per_hour(requests, now),
            (RateLimit::PerSecond { requests, burst }, _) => {
                RateLimiter::per_second(requests, burst, now)
            }
            (RateLimit::Unlimited, _) => RateLimiter::per_second(u32::MAX, u32::MAX, now),
        };
        rate_limiters.insert(credential.key(&origin), rate_limiter.clone());
        rate_limiter
    }

    /// What is known of credentials at a server. A new secret of the same user is a new credential.
    fn refusal(&self, endpoint: &Url, auth: &Auth) -> Refusal {
        use secrecy::ExposeSecret as _;
        let (user, secret) = match auth {
            Auth::None => return Refusal::default(),
            Auth::Basic { user, password } => (user.as_str(), password),
            Auth::Bearer { token } => ("", token),
            Auth::Oauth { key, secret, .. } => (key.as_str(), secret),
        };
        let mut hash = Context::new(&SHA256);
        let origin = endpoint.origin().ascii_serialization();
        for part in [&origin, user, secret.expose_secret()] {
            hash.update(&part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(hash.finish().as_ref());
        let refusals = self.0.refusals.lock();
        let mut refusals = refusals.unwrap_or_else(PoisonError::into_inner);
        refusals.entry(key).or_default().clone()
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
            .read(&self.0.folder)
            .map_err(|error| refused(error.to_string()))?;
        let url = Url::parse(address.expose()).map_err(|error| refused(error.to_string()))?;
        if !config::PROXY_SCHEMES.contains(&url.scheme()) {
            // The scheme may be the beginning of anything, so it is not repeated.
            let schemes = config::PROXY_SCHEMES.join("://, ");
            return Err(refused(format!(
                "its address must begin with one of {schemes}://"
            )));
        }
        if let Some(password) = url.password() {
            output::conceal(&Secrets::new([password]));
        }
        Ok(Some(url))
    }

    fn authorities(&self, connection: &Connection) -> Result<Vec<u8>, Failure> {
        let Some(path) = connection.ca_path(&self.0.folder) else {
            return Ok(Vec::new());
        };
        config::read_regular(&path, LARGEST_CA_FILE).map_err(|error| {
            let message = format!(
                "connection {}: ca_file {}: {error}",
                connection.name,
                path.display()
            );
            Failure::new(Exit::Configuration, message)
        })
    }
}

fn connect(settings: Settings) -> Result<Client, Failure> {
    Client::new(settings).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))
}

/// Lets no line hold the secret from now on.
fn conceal(auth: &Auth) {
    use secrecy::ExposeSecret as _;
    let secret = match auth {
        Auth::None => return,
        Auth::Basic { password, .. } => password,
        Auth::Bearer { token } => token,
        Auth::Oauth { secret, .. } => secret,
    };
    output::conceal(&Secrets::new([secret.expose_secret()]));
}

/// Whether a repository is at Bitbucket Cloud, whose tokens have a user.
fn is_bitbucket_org(connection: &Connection, full_name: &str) -> bool {
    let url = connection.git.url_of(full_name);
    let url = url.and_then(|text| Url::parse(&text).ok());
    url.is_some_and(|url| url.host_str() == Some("bitbucket.org"))
}

fn no_token_url(connection: &Connection) -> Failure {
    let name = &connection.name;
    Failure::new(
        Exit::Configuration,
        format!("connection {name}: auth.token_url is no address"),
    )
}

fn later(connection: &Connection, what: &str) -> Failure {
    let name = &connection.name;
    Failure::new(
        Exit::Configuration,
        format!("connection {name}: {what} is understood, but this version cannot collect with it"),
    )
}
