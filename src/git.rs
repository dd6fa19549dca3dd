//! What a run needs to read git: the mirrors, and the way to each repository.

use std::path::{Path, PathBuf};

use headwater_collectors::git::Mirrors;
use headwater_collectors::{Client, RequestError};
use headwater_domain::Scope;
use headwater_git::{Credentials, Git, Paths, Remote, RemoteUrl};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Connection, ConnectionKind};
use crate::exit::{Exit, Failure};
use crate::resolve::connection_id;
use crate::source::Source;

/// One repository as git has it.
#[derive(Clone)]
pub struct GitScope {
    /// The mirrors of all repositories.
    pub mirrors: Mirrors,
    /// Domain id of the repository.
    pub repo_id: String,
    /// Where it is; else why it cannot be anywhere.
    pub url: Result<RemoteUrl, String>,
    /// How to reach it; none for offline stages.
    pub way: Option<Way>,
    /// Whether lines are counted and files listed.
    pub line_counts: bool,
    /// True when there is no API beside git, so that the repository itself is git's to tell.
    pub is_plain: bool,
}

/// How a connection's repositories are reached.
#[derive(Clone)]
pub struct Way {
    /// Who asks.
    pub proof: Proof,
    /// The connection's proxy, which may hold a password.
    pub proxy: Option<SecretString>,
    /// Further certificates to trust.
    pub ca_file: Option<PathBuf>,
}

/// Who asks.
#[derive(Clone)]
pub enum Proof {
    /// Always the same.
    Fixed(Credentials),
    /// An OAuth consumer, whose tokens end.
    Consumer(Client),
}

impl GitScope {
    /// A repository of a connection.
    #[must_use]
    pub fn new(
        mirrors: &Mirrors,
        (config, connection): (&Config, &Connection),
        (source, scope): (&Source, &Scope),
        way: Option<Way>,
    ) -> Self {
        let rules = config.scope_config_of(connection);
        Self {
            mirrors: mirrors.clone(),
            repo_id: source.ids.repository(scope),
            url: address(connection, &scope.full_name),
            way,
            line_counts: rules.is_some_and(|rules| rules.line_counts),
            is_plain: source.api.is_none(),
        }
    }
}

/// Where a repository is.
///
/// # Errors
/// Says why it is nowhere.
pub fn address(connection: &Connection, full_name: &str) -> Result<RemoteUrl, String> {
    let Some(text) = connection.git.url_of(full_name) else {
        return Err("the configuration does not say where git serves it".to_owned());
    };
    // A path is one that was written down for this repository; names come from elsewhere.
    let paths = match connection.kind {
        ConnectionKind::Git => Paths::Allowed,
        _ => Paths::Refused,
    };
    RemoteUrl::parse(&text, paths).map_err(|error| error.to_string())
}

impl Way {
    /// The repository at an address, with the credentials of this moment.
    ///
    /// # Errors
    /// When an OAuth consumer is given no token.
    pub async fn to(
        &self,
        url: &RemoteUrl,
        cancel: &CancellationToken,
    ) -> Result<Remote, RequestError> {
        let credentials = match &self.proof {
            Proof::Fixed(credentials) => credentials.clone(),
            Proof::Consumer(client) => match client.access_token(cancel).await? {
                Some(token) => Credentials::AccessToken { token },
                None => Credentials::None,
            },
        };
        Ok(Remote {
            url: url.clone(),
            credentials,
            proxy: self.proxy.clone(),
            ca_file: self.ca_file.clone(),
        })
    }
}

/// Finds git and the folder of mirrors.
///
/// # Errors
/// Exit 3 when there is no git that can be used.
pub async fn mirrors(config: &Config, folder: &Path) -> Result<Mirrors, Failure> {
    let program = Path::new(&config.git.program);
    let git = Git::find(Some(program)).await;
    let git = git.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
    let place = config.git.folder_below(folder);
    Ok(Mirrors::new(git, place, config.git.quota.bytes()))
}

impl Config {
    /// Whether the repositories of the connection with this name are read from git.
    #[must_use]
    pub fn reads_git(&self, connection: &str) -> bool {
        let named = self.connection(connection);
        named.is_some_and(|own| own.kind == ConnectionKind::Git || own.git.enabled)
    }

    /// The repository of a scope as git has it, for stages that reach no server; none where the
    /// connection does not read git.
    #[must_use]
    pub fn offline_git(
        &self,
        mirrors: Option<&Mirrors>,
        (source, scope): (&Source, &Scope),
        connection: &str,
    ) -> Option<GitScope> {
        let connection = self.connection(connection)?;
        let is_here = connection_id(connection) == scope.connection_id && !scope.is_workspace();
        if !is_here || !self.reads_git(&connection.name) {
            return None;
        }
        Some(GitScope::new(
            mirrors?,
            (self, connection),
            (source, scope),
            None,
        ))
    }
}
