//! The configuration file `headwater.toml`: what it may say, and what is wrong with it.
//!
//! The file is read by an own walk over its syntax tree, not by serde, because serde stops at
//! the first mistake and its messages repeat lines that may hold a credential. The structs are
//! the documentation: [`schema()`] is derived from them.

mod addresses;
mod authentication;
#[cfg(test)]
mod broken_files;
mod connection;
mod connection_reader;
mod database;
mod environment;
mod excerpt;
mod file;
mod git;
mod git_reader;
mod measuring;
#[cfg(test)]
mod override_tests;
mod period;
mod placeholders;
mod problem;
mod project;
mod reader;
mod regular_file;
mod rules;
mod schedule;
mod schema;
mod scope_config;
mod scope_config_reader;
mod scope_pattern;
mod scopes;
mod secret;
mod shown;
mod template;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

use schemars::JsonSchema;

pub use addresses::PROXY_SCHEMES;
pub use authentication::{Auth, DEFAULT_TOKEN_URL};
pub use connection::{
    ANONYMOUS_REQUESTS_PER_HOUR, Connection, ConnectionKind, DEFAULT_BURST, DEFAULT_CLOUD_ENDPOINT,
    DEFAULT_CONCURRENCY, DEFAULT_MAX_ANSWER_MIB, DEFAULT_RECONCILE_EVERY,
    DEFAULT_REQUESTS_PER_HOUR, DEFAULT_REQUESTS_PER_SECOND, DEFAULT_SCOPE_CONFIG, Proxy, RateLimit,
    TimeoutSeconds,
};
pub use database::{
    DEFAULT_DATABASE_URL, Database, DatabaseAddress, DatabaseKind, DatabaseUrl, DatabaseUrlError,
};
pub use environment::Overrides;
pub use file::{Loaded, load, parse, parse_with, without_file};
pub use git::{
    DEFAULT_CLOUD_GIT_URL, DEFAULT_GIT_FOLDER, DEFAULT_GIT_PROGRAM, DiskQuota, DiskQuotaError, Git,
    GitStore,
};
pub use period::{DataAfter, DataAfterError, Period, PeriodError, PeriodUnit};
pub use problem::{ConfigProblems, Problem, Severity, summary};
pub use project::{IncidentSource, Project, ProjectScope};
pub(crate) use reader::{closest, listed};
pub use regular_file::read_regular;
pub use schedule::{Schedule, ScheduleError};
pub use schema::schema;
pub use scope_config::{
    DEFAULT_TAGS_LIMIT, Entity, EnvironmentRule, EnvironmentType, Environments, IssueStatus,
    IssueStatusName, IssueType, Pattern, ScopeConfig, TagsOrder,
};
pub use scope_pattern::{ScopePattern, ScopePatternError};
pub use secret::{Secret, SecretError, SecretSource};
pub use template::{Given, filled_template, template};

/// Everything that `headwater.toml` says, with defaults for what it does not say.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "headwater.toml")]
pub struct Config {
    /// Where the tables live.
    #[schemars(default = "Database::default")]
    pub database: Database,
    /// Where mirrors of git repositories live. Only needed where git is used.
    #[schemars(default = "GitStore::default")]
    pub git: GitStore,
    /// Servers to collect from.
    #[schemars(rename = "connection", default = "Vec::<Connection>::new")]
    pub connections: Vec<Connection>,
    /// Rules for scopes, by name; `default` is always there.
    #[schemars(
        rename = "scope_config",
        default = "BTreeMap::<String, ScopeConfig>::new"
    )]
    pub scope_configs: BTreeMap<String, ScopeConfig>,
    /// Scopes that are measured together.
    #[schemars(rename = "project", default = "Vec::<Project>::new")]
    pub projects: Vec<Project>,
}

impl Default for Config {
    fn default() -> Self {
        let rules = ScopeConfig::default();
        Self {
            database: Database::default(),
            git: GitStore::default(),
            connections: Vec::new(),
            scope_configs: BTreeMap::from([(DEFAULT_SCOPE_CONFIG.to_owned(), rules)]),
            projects: Vec::new(),
        }
    }
}

impl Config {
    /// The connection of a name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections
            .iter()
            .find(|connection| connection.name == name)
    }

    /// The project of a name.
    #[must_use]
    pub fn project(&self, name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.name == name)
    }

    /// The rules for the scopes of a connection.
    #[must_use]
    pub fn scope_config_of(&self, connection: &Connection) -> Option<&ScopeConfig> {
        self.scope_configs.get(&connection.scope_config)
    }

    /// The connections, for commands that cannot do anything without one.
    pub fn require_connections(&self) -> Result<&[Connection], NoConnections> {
        if self.connections.is_empty() {
            return Err(NoConnections);
        }
        Ok(&self.connections)
    }
}

/// A command needs a connection and the file has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has no [[connection]]; `headwater init` writes an example")]
pub struct NoConnections;
