//! Which repositories a command means: names and globs, looked up on every run.

use std::collections::{BTreeMap, BTreeSet};

use headwater_collectors::{FoundRepository, RawItem, Repositories, RequestError, Traits};
use headwater_domain::Scope;
use headwater_store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Connection, Project, ScopePattern};
use crate::exit::Failure;
use crate::sources::Sources;

/// Repositories named on the command line: `workspace/slug`, globs, each also as
/// `connection:workspace/slug`. None named means all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    named: Vec<Named>,
    /// What a project excludes.
    excluded: Vec<Named>,
    /// Each name has to mean something: a person typed it.
    typed: bool,
}

#[derive(Clone, Debug)]
struct Named {
    text: String,
    connection: Option<String>,
    pattern: ScopePattern,
}

impl Selection {
    /// Reads the names.
    ///
    /// # Errors
    /// Exit 2 for what is neither a name nor a glob.
    pub fn parse(names: &[String]) -> Result<Self, Failure> {
        let selected = names.iter().map(|text| {
            let (connection, name) = match text.split_once(':') {
                Some((connection, name)) => (Some(connection.to_owned()), name),
                None => (None, text.as_str()),
            };
            let pattern = ScopePattern::parse(name).map_err(|error| {
                Failure::usage(format!(
                    "{text}: {error}; name a repository as workspace/slug or \
                     connection:workspace/slug"
                ))
            })?;
            Ok(Named {
                text: text.clone(),
                connection,
                pattern,
            })
        });
        Ok(Self {
            named: selected.collect::<Result<_, Failure>>()?,
            excluded: Vec::new(),
            typed: true,
        })
    }

    /// The repositories of a project. Those that are not there yet may still come.
    #[must_use]
    pub fn of_project(project: &Project) -> Self {
        let named = project.scopes.iter().map(|scope| Named {
            text: scope.to_string(),
            connection: Some(scope.connection.clone()),
            pattern: scope.pattern.clone(),
        });
        let (excluded, named) = named.partition(|named| named.pattern.is_exclusion());
        Self {
            named,
            excluded,
            typed: false,
        }
    }

    /// True when this repository of this connection is meant.
    #[must_use]
    pub fn includes(&self, connection: &str, full_name: &str) -> bool {
        let meant = |names: &[Named]| names.iter().any(|it| it.means(connection, full_name));
        self.named.is_empty() || (meant(&self.named) && !meant(&self.excluded))
    }

    /// True when nothing is named.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.named.is_empty()
    }

    /// False when every name is of another connection.
    #[must_use]
    pub fn may_include(&self, connection: &str) -> bool {
        let here = |named: &Named| named.connection.as_deref().is_none_or(|c| c == connection);
        self.named.is_empty() || self.named.iter().any(here)
    }

    /// Refuses names that mean nothing among these repositories.
    ///
    /// # Errors
    /// Exit 2, with all such names.
    pub fn require_found(&self, found: &[(String, String)]) -> Result<(), Failure> {
        if !self.typed {
            return Ok(());
        }
        let missing: Vec<&str> = self
            .named
            .iter()
            .filter(|named| !found.iter().any(|(c, name)| named.means(c, name)))
            .map(|named| named.text.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "no such repository here: {}; `headwater status` lists the known ones, and `scopes` \
             in the configuration says which are collected",
            missing.join(", ")
        )))
    }

    /// Whether this repository is named in full.
    fn names(&self, connection: &str, full_name: &str) -> bool {
        let mut named = self.named.iter();
        named.any(|named| named.pattern.is_exact() && named.means(connection, full_name))
    }

    /// Exact names meant for this connection, when every name on the command line is exact.
    fn exact(&self, connection: &str) -> Option<Vec<&str>> {
        if self.named.is_empty() || self.named.iter().any(|named| !named.pattern.is_exact()) {
            return None;
        }
        let here = self
            .named
            .iter()
            .filter(|n| n.connection.as_deref().is_none_or(|c| c == connection));
        Some(here.map(|named| named.pattern.as_str()).collect())
    }
}

impl Named {
    fn means(&self, connection: &str, full_name: &str) -> bool {
        self.connection
            .as_deref()
            .is_none_or(|name| name == connection)
            && self.pattern.matches(full_name)
    }
}

/// A repository to collect.
#[derive(Clone, Debug)]
pub struct WantedScope {
    /// Connection and repository.
    pub scope: Scope,
    /// Its payload, when a list contained it already.
    pub prefetched: Option<RawItem>,
}

/// What a connection is to collect, and what its globs leave out.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The repositories to collect, in name order.
    pub wanted: Vec<WantedScope>,
    /// Listed repositories whose names fit, but which are archived or forks that the
    /// configuration does not include. They are not gone.
    pub left_aside: BTreeSet<String>,
    /// UUID and name of every repository that was listed, wanted or not: renames are found by them.
    pub listed: Vec<(String, String)>,
    /// Workspaces that were listed and show no repository at all.
    pub empty: BTreeSet<String>,
    /// Globs of the configuration for which nothing was listed, of workspaces in which no glob
    /// found anything.
    pub unmatched: Vec<String>,
}

/// The repositories of a connection that are configured and selected.
///
/// Exact names need no network; a workspace is listed only when a glob asks for it.
///
/// # Errors
/// When a list cannot be had.
pub async fn wanted(
    repositories: &Repositories<'_>,
    connection: &Connection,
    selection: &Selection,
    cancel: &CancellationToken,
) -> Result<Resolved, RequestError> {
    let id = connection_id(connection);
    let mut left_aside = BTreeSet::new();
    let mut listed = Vec::new();
    let mut empty = BTreeSet::new();
    let mut globs: Vec<&ScopePattern> = Vec::new();
    let is_glob = |pattern: &&ScopePattern| !pattern.is_exact() && !pattern.is_exclusion();
    let mut found: BTreeMap<String, Option<RawItem>> = BTreeMap::new();
    if let Some(names) = selection.exact(&connection.name) {
        let names = names.into_iter().filter(|name| connection.wanted(name));
        found.extend(names.map(|name| (name.to_owned(), None)));
    } else {
        let exact = connection.exact_names().into_iter();
        found.extend(exact.map(|name| (name.to_owned(), None)));
        if selection.is_everything() {
            globs.extend(connection.scopes.iter().filter(is_glob));
        }
        for name in connection.workspaces_to_list() {
            let in_group = repositories.of_group(name, cancel).await?;
            if in_group.is_empty() {
                empty.insert(name.to_owned());
            }
            for repository in in_group {
                let full_name = &repository.full_name;
                globs.retain(|glob| !glob.matches(full_name));
                listed.extend(
                    repository
                        .lasting_id()
                        .map(|uuid| (uuid, full_name.clone())),
                );
                if !connection.wanted(full_name) {
                    continue;
                }
                if is_included(connection, &repository)
                    || selection.names(&connection.name, full_name)
                {
                    found.insert(repository.full_name, Some(repository.item));
                } else {
                    left_aside.insert(repository.full_name);
                }
            }
        }
    }
    // A glob beside one that fits may stand for what is still to come.
    let fits = |glob: &ScopePattern| {
        let mut others = connection.scopes.iter();
        others.any(|other| {
            other.workspace() == glob.workspace()
                && is_glob(&other)
                && !globs.iter().any(|glob| glob.as_str() == other.as_str())
        })
    };
    let unmatched: Vec<String> = globs
        .iter()
        .filter(|glob| !fits(glob))
        .map(|glob| glob.as_str().to_owned())
        .collect();
    let wanted = found
        .into_iter()
        .filter(|(name, _)| connection.wanted(name) && selection.includes(&connection.name, name));
    let wanted = wanted.map(|(name, prefetched)| WantedScope {
        scope: Scope::new(id, name),
        prefetched,
    });
    Ok(Resolved {
        wanted: wanted.collect(),
        left_aside,
        listed,
        empty,
        unmatched,
    })
}

/// Whether the configuration wants a listed repository, by its name and by what it is.
#[must_use]
pub fn is_included(connection: &Connection, repository: &FoundRepository) -> bool {
    if connection.include_archived && connection.include_forks {
        // Most configurations: no need to look into the payload.
        return connection.wanted(&repository.full_name);
    }
    let Traits { archived, fork, .. } = repository.traits();
    connection.wanted_from_list(&repository.full_name, archived == Some(true), fork)
}

/// The connection's id as rows hold it.
#[must_use]
pub fn connection_id(connection: &Connection) -> i64 {
    i64::try_from(connection.id).unwrap_or(i64::MAX)
}

/// Name of the connection with this id; the id itself where it is not configured.
#[must_use]
pub fn connection_name(config: &Config, id: i64) -> String {
    let known = config.connections.iter().find(|c| connection_id(c) == id);
    known.map_or_else(|| id.to_string(), |connection| connection.name.clone())
}

/// Domain id of a repository of a connection; of one that is not configured, the first source's.
#[must_use]
pub fn repository_id(sources: &Sources, config: &Config, scope: &Scope) -> String {
    let mut connections = config.connections.iter();
    let own = connections.find(|connection| connection_id(connection) == scope.connection_id);
    let name = own.map_or("", |connection| connection.name.as_str());
    sources.of_connection(config, name).ids.repository(scope)
}

/// The one registered repository of this name, with the name of its connection. No network.
///
/// # Errors
/// Exit 2 when there is none, or several; and when the database fails.
pub async fn one_registered(
    store: &Store,
    config: &Config,
    name: &str,
) -> Result<(Scope, String), Failure> {
    let selection = Selection::parse(&[name.to_owned()])?;
    let mut found = registered(store, config, &selection).await?;
    found.retain(|(scope, _)| !scope.is_workspace());
    if found.len() > 1 {
        let names = found.iter();
        let names = names.map(|(scope, connection)| format!("{connection}:{}", scope.full_name));
        return Err(Failure::usage(format!(
            "{name} means several repositories; name one of them: {}",
            names.collect::<Vec<_>>().join(", ")
        )));
    }
    found
        .pop()
        .ok_or_else(|| Failure::usage(format!("{name} is no repository; name one as group/name")))
}

/// Registered repositories that are selected, with the name of their connection. No network.
///
/// # Errors
/// When the database fails, or a name means nothing.
pub async fn registered(
    store: &Store,
    config: &Config,
    selection: &Selection,
) -> Result<Vec<(Scope, String)>, Failure> {
    let known = store.scopes().await?;
    let named = known.into_iter().map(|known| {
        let connection = connection_name(config, known.scope.connection_id);
        (known.scope, connection)
    });
    let named: Vec<(Scope, String)> = named.collect();
    let pairs: Vec<(String, String)> = named
        .iter()
        .map(|(scope, c)| (c.clone(), scope.full_name.clone()))
        .collect();
    selection.require_found(&pairs)?;
    let selected = named
        .into_iter()
        .filter(|(scope, c)| selection.includes(c, &scope.full_name));
    Ok(selected.collect())
}
