//! From what is configured and selected to repositories that are ready to be collected.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_collectors::git::Mirrors;
use headwater_collectors::{Client, RequestError, RequestErrorKind};
use headwater_domain::Scope;
use tokio_util::task::AbortOnDropHandle;

use super::git_jobs::{self, GitSide};
use super::{Session, SyncRequest, budget, renames, vanished};
use crate::config::{Connection, ConnectionKind};
use crate::exit::{Failure, chain};
use crate::report::Event;
use crate::resolve::{Resolved, WantedScope, connection_id, wanted};
use crate::run::{Job, Tally};
use crate::source::{REPOSITORIES, Source, StreamEntry};

/// Repositories that are ready to be collected.
pub(super) struct Prepared {
    pub(super) jobs: Vec<Job>,
    /// Tell of long waits for as long as they are kept.
    pub(super) _watched: Vec<AbortOnDropHandle<()>>,
}

/// The repositories that are configured and selected, registered, with the way to their API. Rows
/// of renamed ones follow first. Nothing is asked for that none of the streams needs.
///
/// # Errors
/// When no connection can be used, a name means nothing, or the database fails.
pub(super) async fn resolve_jobs(
    session: &Session,
    request: &SyncRequest,
    tally: &mut Tally,
) -> Result<Prepared, Failure> {
    let mut jobs = Vec::new();
    let mut names = Vec::new();
    let mut watched = Vec::new();
    let mut unusable = None;
    let mut found = git_jobs::MirrorsInUse::default();
    let streams = request.plan.streams.as_slice();
    for connection in &session.config.connections {
        if !request.selection.may_include(&connection.name) {
            continue;
        }
        match way_to(session, connection, (&mut found, streams)).await {
            Ok((Some(client), mirrors)) => {
                watched.push(budget::watch_limit(session, &connection.name, &client));
                let side = GitSide::of(session, (connection, Some(&client)), mirrors);
                let place = (connection, &client, side.as_ref());
                let found = jobs_of(session, request, place, &mut names, tally);
                jobs.extend(Box::pin(found).await?);
                tally.requests(client.requests());
            }
            Ok((None, mirrors)) => {
                let side = GitSide::of(session, (connection, None), mirrors);
                let found = git_jobs::git_jobs(session, request, connection, side.as_ref());
                jobs.extend(found.await?);
            }
            Err(failure) => {
                let message = failure.to_string();
                session.reporter.event(&Event::Notice { message });
                tally.connection_failed();
                unusable.get_or_insert(failure);
            }
        }
    }
    if let (true, Some(failure)) = (jobs.is_empty(), unusable) {
        return Err(failure);
    }
    if jobs.is_empty() && !tally.has_failed() {
        session.reporter.event(&Event::Notice {
            message: "no repository to collect: `scopes` in the configuration matches none"
                .to_owned(),
        });
        if request.selection.is_everything() {
            tally.refused();
        }
    }
    if !tally.has_failed() {
        let repositories = jobs.iter().filter(|job| !job.scope.is_workspace());
        let found = repositories.map(|job| (job.connection.clone(), job.scope.full_name.clone()));
        names.extend(found);
        request.selection.require_found(&names)?;
    }
    Ok(Prepared {
        jobs,
        _watched: watched,
    })
}

/// The way to a connection's API, where it has one, and the mirrors, where git is read.
async fn way_to(
    session: &Session,
    connection: &Connection,
    (found, streams): (&mut git_jobs::MirrorsInUse, &[&'static str]),
) -> Result<(Option<Client>, Option<Mirrors>), Failure> {
    let connector = &session.connector;
    let mirrors = found.of(session, connection, streams).await?;
    let client = match connection.kind {
        ConnectionKind::Git => None,
        _ => Some(connector.client(connection)?),
    };
    // Secrets that cannot be read are reported now, and once.
    if mirrors.is_some()
        && let Some(name) = connection.exact_names().first()
    {
        connector.git_way(connection, client.as_ref(), name)?;
    }
    Ok((client, mirrors))
}

/// One connection's repositories, registered; nothing when they cannot be listed. Adds names that
/// lead to one of another name.
async fn jobs_of(
    session: &Session,
    request: &SyncRequest,
    (connection, client, side): (&Connection, &Client, Option<&GitSide<'_>>),
    names: &mut Vec<(String, String)>,
    tally: &mut Tally,
) -> Result<Vec<Job>, Failure> {
    let streams = request.plan.streams.as_slice();
    let cancel = session.cancel.child_token();
    let source = session
        .sources
        .of_connection(&session.config, &connection.name);
    // A client is made only where there is an API.
    let Some(repositories) = source.repositories(client) else {
        return Ok(Vec::new());
    };
    let found = wanted(&repositories, connection, &request.selection, &cancel).await;
    let mut found = match found {
        Ok(found) => found,
        Err(error) => {
            note_unlisted(session, connection, &error, tally);
            return Ok(Vec::new());
        }
    };
    let known = registered_names(session, connection_id(connection)).await?;
    spell_as_registered(&known, &mut found);
    let asks_all = streams.contains(&REPOSITORIES);
    // One that is not known is asked for in any case: only the server knows how it is spelt.
    let is_asked = |name: &str| asks_all || !known.contains(name);
    if found.wanted.iter().any(|it| is_asked(&it.scope.full_name)) {
        let asked = (&repositories, &is_asked as &(dyn Fn(&str) -> bool + Sync));
        let leads = renames::ask_for_names(session, asked, &cancel, &mut found).await?;
        let asked = leads.into_iter().map(|(name, _)| name);
        names.extend(asked.map(|name| (connection.name.clone(), name)));
    }
    let place = (connection.name.as_str(), connection_id(connection));
    let of_source = (&**source, &repositories);
    if renames::follow(session, place, of_source, &cancel, &mut found).await? {
        tally.leased();
    }
    let place = (connection, &**source, &repositories, &cancel);
    vanished::look(session, request, place, &mut found, tally).await?;
    let mut jobs = Vec::with_capacity(found.wanted.len());
    let rules = session.config.rules_of(&connection.name);
    let wanted_streams = session
        .config
        .streams_of(&session.sources, &connection.name);
    let wanted_streams = Arc::new(wanted_streams);
    let chosen = |stream: &str| streams.contains(&stream) && wanted_streams.contains(stream);
    let workspaces = workspaces_of((source, client), request, &chosen, &found);
    for repository in found.wanted.into_iter().chain(workspaces) {
        let store = &session.store;
        store
            .register(&repository.scope, session.clock.now())
            .await?;
        if repository.scope.is_workspace() {
            store.set_source_gone(&repository.scope, None).await?;
        }
        let range = range(session, request, connection);
        let data_after = store.widen(&repository.scope, range).await?;
        let git = side.map(|side| side.scope(&repository.scope)).transpose()?;
        jobs.push(Job {
            git: git.flatten(),
            scope: repository.scope,
            connection: connection.name.clone(),
            source: Arc::clone(source),
            client: Some(client.clone()),
            prefetched: repository.prefetched,
            rules: Arc::clone(&rules),
            streams: Arc::clone(&wanted_streams),
            data_after,
            windows: Arc::default(),
            cancel: cancel.clone(),
        });
    }
    debug_assert!(
        jobs.iter()
            .all(|job| job.scope.connection_id == connection_id(connection))
    );
    Ok(jobs)
}

/// Names of the scopes of a connection that are registered.
async fn registered_names(
    session: &Session,
    connection_id: i64,
) -> Result<BTreeSet<String>, Failure> {
    let known = session.store.scopes().await?.into_iter();
    let here = known.filter(|known| known.scope.connection_id == connection_id);
    Ok(here.map(|known| known.scope.full_name).collect())
}

/// Names match in any case of letters: one that is registered keeps its spelling, so that no
/// repository is there twice.
fn spell_as_registered(known: &BTreeSet<String>, found: &mut Resolved) {
    for wanted in &mut found.wanted {
        let name = &wanted.scope.full_name;
        if known.contains(name) {
            continue;
        }
        let mut known = known.iter();
        if let Some(spelt) = known.find(|known| known.eq_ignore_ascii_case(name)) {
            wanted.scope = Scope::new(wanted.scope.connection_id, spelt.clone());
        }
    }
}

/// The workspaces of the repositories, unless only some repositories are meant. A run without
/// credentials is shown them, and of sixty requests an hour none is to spare.
fn workspaces_of(
    (source, client): (&Source, &Client),
    request: &SyncRequest,
    chosen: &dyn Fn(&str) -> bool,
    found: &Resolved,
) -> Vec<WantedScope> {
    let wanted =
        |entry: &StreamEntry| entry.collection.of_workspace && chosen(entry.collection.stream);
    let any = source.streams.iter().any(wanted);
    if !any || client.is_anonymous() || !request.selection.is_everything() {
        return Vec::new();
    }
    let repositories = found.wanted.iter();
    let scopes: BTreeSet<Scope> = repositories.map(|it| it.scope.workspace()).collect();
    let wanted = scopes.into_iter().map(|scope| WantedScope {
        scope,
        prefetched: None,
    });
    wanted.collect()
}

fn range(
    session: &Session,
    request: &SyncRequest,
    connection: &Connection,
) -> Option<DateTime<Utc>> {
    let configured = connection
        .data_after
        .as_ref()
        .map(|after| after.resolve(session.clock.now()));
    request.since.or(configured)
}

fn note_unlisted(
    session: &Session,
    connection: &Connection,
    error: &RequestError,
    tally: &mut Tally,
) {
    tally.connection_failed();
    if matches!(error.kind, RequestErrorKind::LedgerInUse(_)) {
        tally.leased();
    }
    if matches!(
        error.kind,
        RequestErrorKind::Unauthorized { .. }
            | RequestErrorKind::ConsumerRefused { .. }
            | RequestErrorKind::Forbidden { .. }
            | RequestErrorKind::NotFound { .. }
    ) {
        tally.refused();
    }
    let name = &connection.name;
    session.reporter.event(&Event::Notice {
        message: format!(
            "connection {name}: its repositories could not be listed: {}{}",
            chain(error),
            match error.kind {
                RequestErrorKind::NotFound { .. } => {
                    "; if the workspace has another name now, write that into `scopes`: the rows \
                     of its repositories follow"
                }
                _ => "",
            }
        ),
    });
}
