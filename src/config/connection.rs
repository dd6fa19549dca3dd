//! `[[connection]]`: an endpoint, its credentials, and which of its scopes are wanted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use schemars::JsonSchema;
use url::Url;

use super::authentication::Auth;
use super::git::Git;
use super::period::{DataAfter, Period, PeriodUnit};
use super::scope_pattern::{self, ScopePattern};
use super::secret::{Secret, SecretError, SecretSource};

/// The API of Bitbucket Cloud.
pub const DEFAULT_CLOUD_ENDPOINT: &str = "https://api.bitbucket.org/2.0/";
/// What Bitbucket Cloud allows an authenticated user per hour.
pub const DEFAULT_REQUESTS_PER_HOUR: u32 = 1000;
/// What Bitbucket Cloud allows an address without credentials per hour.
pub const ANONYMOUS_REQUESTS_PER_HOUR: u32 = 60;
/// The pace Data Center's own limiter refills at, out of the box.
pub const DEFAULT_REQUESTS_PER_SECOND: u32 = 5;
/// How many requests Data Center's own limiter saves up, out of the box.
pub const DEFAULT_BURST: u32 = 60;
/// Requests of one connection that run at the same time.
pub const DEFAULT_CONCURRENCY: u32 = 8;
/// Largest answer that is read, in MiB.
pub const DEFAULT_MAX_ANSWER_MIB: u32 = 64;
/// The scope config of a connection that names none.
pub const DEFAULT_SCOPE_CONFIG: &str = "default";
/// How often everything is walked again, to find what the changes did not reveal.
pub const DEFAULT_RECONCILE_EVERY: Period = Period::new(7, PeriodUnit::Days);

/// What a connection talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum ConnectionKind {
    /// bitbucket.org.
    BitbucketCloud,
    /// A Bitbucket Data Center server of one's own.
    BitbucketDataCenter,
    /// Git repositories without an API.
    Git,
}

impl ConnectionKind {
    pub(super) const ALL: [Self; 3] = [Self::BitbucketCloud, Self::BitbucketDataCenter, Self::Git];

    /// The word that the file uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BitbucketCloud => "bitbucket-cloud",
            Self::BitbucketDataCenter => "bitbucket-data-center",
            Self::Git => "git",
        }
    }
}

/// How fast a connection may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// So many requests in any rolling hour.
    PerHour(u32),
    /// A bucket that holds `burst` requests and refills by so many a second.
    PerSecond {
        /// Requests per second.
        requests: u32,
        /// Requests that may go out at once after a pause.
        burst: u32,
    },
    /// No API, no limit.
    Unlimited,
}

/// Seconds after which a request is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutSeconds {
    /// To establish the connection. Default: `10`.
    #[schemars(default, range(min = 1, max = 3600), extend("default" = Self::DEFAULT.connect))]
    pub connect: u32,
    /// Between two pieces of the answer. Default: `60`.
    #[schemars(default, range(min = 1, max = 3600), extend("default" = Self::DEFAULT.read))]
    pub read: u32,
    /// For the whole exchange. Default: `120`.
    #[schemars(default, range(min = 1, max = 3600), extend("default" = Self::DEFAULT.total))]
    pub total: u32,
}

impl TimeoutSeconds {
    /// What holds unless the file says otherwise.
    pub const DEFAULT: Self = Self {
        connect: 10,
        read: 60,
        total: 120,
    };

    /// Time to establish the connection.
    #[must_use]
    pub fn connect(self) -> Duration {
        Duration::from_secs(u64::from(self.connect))
    }

    /// Time between two pieces of the answer.
    #[must_use]
    pub fn read(self) -> Duration {
        Duration::from_secs(u64::from(self.read))
    }

    /// Time for the whole exchange.
    #[must_use]
    pub fn total(self) -> Duration {
        Duration::from_secs(u64::from(self.total))
    }
}

impl Default for TimeoutSeconds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An endpoint, its credentials, and which of its scopes are wanted.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Connection {
    /// A positive number of one's own choice that never changes: it is part of domain ids.
    #[schemars(range(min = 1))]
    pub id: u64,
    /// A name of one's own choice: letters, digits, `-`, `_` and `.`.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub name: String,
    /// What the connection talks to.
    pub kind: ConnectionKind,
    /// Where the API is. Bitbucket Cloud needs none. For Data Center the address of the server
    /// with its context path and without `/rest`. Not for git.
    /// Default: `"https://api.bitbucket.org/2.0/"`, for Bitbucket Cloud only.
    #[schemars(with = "Option<String>", extend("default" = DEFAULT_CLOUD_ENDPOINT))]
    pub endpoint: Option<Url>,
    /// How the connection proves who it is. Default: `{"kind":"none"}`, no credentials.
    #[schemars(
        default = "without_credentials",
        extend("default" = serde_json::json!({"kind": "none"}))
    )]
    pub auth: Auth,
    /// Requests in any rolling hour, for Bitbucket Cloud.
    /// Default: `1000`, and 60 without credentials.
    #[schemars(
        default,
        range(min = 1, max = 1_000_000_000),
        extend("default" = DEFAULT_REQUESTS_PER_HOUR)
    )]
    pub requests_per_hour: u32,
    /// Requests per second, for Data Center. Default: `5`.
    #[schemars(
        default,
        range(min = 1, max = 10_000),
        extend("default" = DEFAULT_REQUESTS_PER_SECOND)
    )]
    pub requests_per_second: u32,
    /// Requests that may go out at once after a pause, for Data Center. Default: `60`.
    #[schemars(default, range(min = 1, max = 100_000), extend("default" = DEFAULT_BURST))]
    pub burst: u32,
    /// Requests that run at the same time. Default: `8`.
    #[schemars(default, range(min = 1, max = 256), extend("default" = DEFAULT_CONCURRENCY))]
    pub concurrency: u32,
    /// Largest answer of the API that is read, in MiB, unpacked. What is larger is refused. With
    /// `concurrency` it bounds the memory that answers take. Default: `64`.
    #[schemars(default, range(min = 1, max = 4096), extend("default" = DEFAULT_MAX_ANSWER_MIB))]
    pub max_answer_mib: u32,
    /// A proxy for this connection: `http://`, `https://` or `socks5://`. One with a password
    /// belongs into a variable: `env:NAME`. No default: the environment's proxy is used.
    #[schemars(with = "Option<String>")]
    pub proxy: Option<Proxy>,
    /// A PEM file with certificates to trust beside the usual ones, relative to this file's
    /// folder. No default.
    #[schemars(with = "Option<String>")]
    pub ca_file: Option<PathBuf>,
    /// Seconds after which a request is given up.
    /// Default: `{"connect":10,"read":60,"total":120}`.
    #[schemars(
        default,
        extend("default" = serde_json::json!({
            "connect": TimeoutSeconds::DEFAULT.connect,
            "read": TimeoutSeconds::DEFAULT.read,
            "total": TimeoutSeconds::DEFAULT.total
        }))
    )]
    pub timeout_seconds: TimeoutSeconds,
    /// Which scopes are wanted: full names and globs, resolved on every run; `!` excludes.
    /// `workspace/slug` on Bitbucket Cloud, `KEY/repos/slug` on Data Center.
    /// Default: `[]`, nothing; with git, every name in `git.urls`.
    #[schemars(default, extend("default" = Vec::<String>::new()))]
    pub scopes: Vec<ScopePattern>,
    /// Whether archived repositories are among those that a glob matches. One that is named
    /// in full is wanted in any case. Default: `true`.
    #[schemars(default = "included", extend("default" = true))]
    pub include_archived: bool,
    /// Whether forks are among the repositories that a glob matches. One that is named in
    /// full is wanted in any case. Default: `true`.
    #[schemars(default = "included", extend("default" = true))]
    pub include_forks: bool,
    /// The `[scope_config.NAME]` that holds the rules for these scopes.
    /// Default: `"default"`, which exists even when the file does not mention it.
    #[schemars(default, extend("default" = DEFAULT_SCOPE_CONFIG))]
    pub scope_config: String,
    /// How far back to collect: a period, a date or a time. It is resolved once, stored, and
    /// only ever widens. No default: everything.
    pub data_after: Option<DataAfter>,
    /// How often everything is walked again, to find what was removed.
    /// Default: `"7 days"`.
    #[schemars(
        default = "default_reconcile_every",
        extend("default" = DEFAULT_RECONCILE_EVERY.to_string())
    )]
    pub reconcile_every: Period,
    /// When its token expires, a date: `doctor` tells of it a month before. No default.
    #[schemars(with = "Option<String>", extend("examples" = ["2027-01-31"]))]
    pub token_expires: Option<NaiveDate>,
    /// Where git serves the repositories. Default: `{}`.
    #[schemars(default, extend("default" = serde_json::json!({})))]
    pub git: Git,
}

fn without_credentials() -> Auth {
    Auth::None
}

fn included() -> bool {
    true
}

fn default_reconcile_every() -> Period {
    DEFAULT_RECONCILE_EVERY
}

impl Connection {
    /// Whether a scope is wanted: some pattern matches its full name and no exclusion does.
    #[must_use]
    pub fn wanted(&self, full_name: &str) -> bool {
        scope_pattern::wanted(&self.scopes, full_name)
    }

    /// Whether a repository of a list is wanted: by its name, and by what it is.
    #[must_use]
    pub fn wanted_from_list(&self, full_name: &str, archived: bool, fork: bool) -> bool {
        let kind_fits = (self.include_archived || !archived) && (self.include_forks || !fork);
        let is_named = |name: &&str| name.eq_ignore_ascii_case(full_name);
        self.wanted(full_name) && (kind_fits || self.exact_names().iter().any(is_named))
    }

    /// The workspaces that the patterns name, whether they must be listed or not.
    #[must_use]
    pub fn workspaces(&self) -> BTreeSet<&str> {
        scope_pattern::workspaces(&self.scopes)
    }

    /// The scopes wanted by their full names, which need no network to resolve.
    #[must_use]
    pub fn exact_names(&self) -> Vec<&str> {
        scope_pattern::exact_names(&self.scopes)
    }

    /// The workspaces (Data Center: project keys) that must be asked for their repositories.
    #[must_use]
    pub fn workspaces_to_list(&self) -> BTreeSet<&str> {
        scope_pattern::workspaces_to_list(&self.scopes)
    }

    /// Whether the workspace is a glob, so that all of them must be listed.
    ///
    /// Never for Bitbucket Cloud, which has no list across workspaces any more.
    #[must_use]
    pub fn lists_every_workspace(&self) -> bool {
        scope_pattern::lists_every_workspace(&self.scopes)
    }

    /// How fast this connection may ask.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        match self.kind {
            ConnectionKind::BitbucketCloud => RateLimit::PerHour(self.requests_per_hour),
            ConnectionKind::BitbucketDataCenter => RateLimit::PerSecond {
                requests: self.requests_per_second,
                burst: self.burst,
            },
            ConnectionKind::Git => RateLimit::Unlimited,
        }
    }

    /// The certificate file, seen from the configuration file's folder.
    #[must_use]
    pub fn ca_path(&self, folder: &Path) -> Option<PathBuf> {
        self.ca_file.as_ref().map(|path| folder.join(path))
    }
}

/// A proxy: an address without userinfo, or the place that holds one.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// An address that is written in the file.
    Address(Url),
    /// An address that is read from outside, possibly with a password.
    Source(SecretSource),
}

impl Proxy {
    /// The address, which may hold a password when it was read from outside.
    pub fn read(&self, folder: &Path) -> Result<Secret, SecretError> {
        match self {
            Self::Address(url) => Ok(Secret::new(url.as_str())),
            Self::Source(source) => source.read(folder),
        }
    }
}
