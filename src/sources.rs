//! One file per source: its table of contents. [`Sources`] holds them all.

pub mod bitbucket;
pub mod git;

use std::sync::Arc;

use headwater_store::Store;
use headwater_store::compare::Tables;
use headwater_store::derivations::Derivation;

use crate::config::{Config, ConnectionKind};
use crate::source::{Source, StreamEntry};
use crate::{boards, projects};

/// The sources that connections may be of. Clones share them.
#[derive(Clone)]
pub struct Sources(Arc<[Arc<Source>]>);

impl Sources {
    /// All sources of this version.
    #[must_use]
    pub fn all() -> Self {
        Self::of(vec![bitbucket::bitbucket(), git::git()])
    }

    /// These sources, of which there must be one.
    #[must_use]
    pub fn of(sources: Vec<Source>) -> Self {
        Self(sources.into_iter().map(Arc::new).collect())
    }

    /// Each source.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.0.iter()
    }

    /// The source that connections of a kind are of; none for a kind that this version does not
    /// read.
    #[must_use]
    pub fn of_kind(&self, kind: ConnectionKind) -> Option<&Arc<Source>> {
        self.iter().find(|source| source.kind == kind)
    }

    /// The source of the connection with this name. For one that is not configured, whose rows were
    /// imported, it is the first one; so it is for one of a kind that cannot be read, whose use is
    /// refused elsewhere.
    #[must_use]
    pub fn of_connection(&self, config: &Config, name: &str) -> &Arc<Source> {
        let connection = config.connection(name);
        let own = connection.and_then(|connection| self.of_kind(connection.kind));
        own.unwrap_or(&self.0[0])
    }

    /// Every stream with its source.
    pub fn streams(&self) -> impl Iterator<Item = (&Source, &StreamEntry)> {
        self.iter()
            .flat_map(|source| source.streams.iter().map(|entry| (&**source, entry)))
    }

    /// Names of the streams of all sources, each once.
    #[must_use]
    pub fn stream_names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for name in self.iter().flat_map(|source| source.stream_names()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // Rows from mirrors come after rows from an API.
        names.sort_by_key(|name| *name == crate::source::GIT);
        names
    }

    /// The same store, whose transactions note what their changes make stale of what is derived in
    /// any of the sources.
    #[must_use]
    pub fn followed_by(&self, store: &Store) -> Store {
        let mut declared: Vec<Derivation> = Vec::new();
        for derivation in self.iter().flat_map(|source| source.declared()) {
            if !declared.iter().any(|known| known.name == derivation.name) {
                declared.push(derivation);
            }
        }
        store.following(declared)
    }

    /// Every raw, tool and domain table, for comparing databases.
    #[must_use]
    pub fn tables(&self) -> Tables {
        let of_no_source = Tables {
            raw: Vec::new(),
            rows: [projects::tables(), boards::tables()].concat(),
        };
        let of_sources = self.iter().map(|source| source.tables());
        union(of_sources.chain(std::iter::once(of_no_source)))
    }
}

/// Tables of several sources, each once.
#[must_use]
pub fn union(sources: impl Iterator<Item = Tables>) -> Tables {
    let mut all = Tables::default();
    for tables in sources {
        all.raw.extend(tables.raw);
        all.rows.extend(tables.rows);
    }
    all.rows.sort_by_key(|table| table.name);
    all.rows.dedup_by_key(|table| table.name);
    all
}
