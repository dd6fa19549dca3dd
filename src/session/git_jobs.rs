//! Repositories of connections that read git: their jobs, and the way git takes to them.

use std::sync::Arc;

use headwater_collectors::Client;
use headwater_collectors::git::Mirrors;
use headwater_domain::Scope;

use super::{Session, SyncRequest};
use crate::config::Connection;
use crate::exit::Failure;
use crate::git::{GitScope, mirrors};
use crate::resolve::connection_id;
use crate::run::Job;
use crate::source::GIT;

/// Git and its mirrors, found when the first connection needs them.
#[derive(Default)]
pub(super) struct MirrorsInUse(Option<Mirrors>);

impl MirrorsInUse {
    /// The mirrors, where the connection reads git and that is among the streams.
    ///
    /// # Errors
    /// Exit 3 when there is no git that can be used.
    pub(super) async fn of(
        &mut self,
        session: &Session,
        connection: &Connection,
        streams: &[&'static str],
    ) -> Result<Option<Mirrors>, Failure> {
        let config = &session.config;
        let wanted = config.streams_of(&session.sources, &connection.name);
        if !streams.contains(&GIT) || !wanted.contains(GIT) {
            return Ok(None);
        }
        if self.0.is_none() {
            self.0 = Some(mirrors(config, &session.folder).await?);
        }
        Ok(self.0.clone())
    }
}

/// The git side of a connection, for its jobs.
pub(super) struct GitSide<'a> {
    session: &'a Session,
    connection: &'a Connection,
    mirrors: Mirrors,
    client: Option<Client>,
}

impl<'a> GitSide<'a> {
    /// The git side of a connection; none where it does not read git.
    pub(super) fn of(
        session: &'a Session,
        (connection, client): (&'a Connection, Option<&Client>),
        mirrors: Option<Mirrors>,
    ) -> Option<Self> {
        Some(Self {
            session,
            connection,
            mirrors: mirrors?,
            client: client.cloned(),
        })
    }

    /// One repository; none for a workspace.
    ///
    /// # Errors
    /// When credentials cannot be read.
    pub(super) fn scope(&self, scope: &Scope) -> Result<Option<Arc<GitScope>>, Failure> {
        if scope.is_workspace() {
            return Ok(None);
        }
        let name = &scope.full_name;
        let connector = &self.session.connector;
        let way = connector.git_way(self.connection, self.client.as_ref(), name)?;
        let place = (&*self.session.config, self.connection);
        let sources = &self.session.sources;
        let source = sources.of_connection(&self.session.config, &self.connection.name);
        let git = GitScope::new(&self.mirrors, place, (source, scope), Some(way));
        Ok(Some(Arc::new(git)))
    }
}

/// The repositories of a connection of kind `git`, registered. No network.
///
/// # Errors
/// When credentials cannot be read, or the database fails.
pub(super) async fn git_jobs(
    session: &Session,
    request: &SyncRequest,
    connection: &Connection,
    side: Option<&GitSide<'_>>,
) -> Result<Vec<Job>, Failure> {
    let Some(side) = side else {
        return Ok(Vec::new());
    };
    let config = &session.config;
    let rules = config.rules_of(&connection.name);
    let streams = Arc::new(config.streams_of(&session.sources, &connection.name));
    let cancel = session.cancel.child_token();
    let mut jobs = Vec::new();
    for name in connection.exact_names() {
        if !request.selection.includes(&connection.name, name) {
            continue;
        }
        let scope = Scope::new(connection_id(connection), name);
        let git = side.scope(&scope)?;
        session.store.register(&scope, session.clock.now()).await?;
        jobs.push(Job {
            scope,
            connection: connection.name.clone(),
            source: Arc::clone(session.sources.of_connection(config, &connection.name)),
            client: None,
            git,
            prefetched: None,
            rules: Arc::clone(&rules),
            streams: Arc::clone(&streams),
            data_after: None,
            windows: Arc::default(),
            cancel: cancel.clone(),
        });
    }
    Ok(jobs)
}
