//! `sync` and its parts.

mod budget;
mod git_jobs;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use git_jobs::GitSide;
use headwater_collectors::git::Mirrors;
use headwater_collectors::{Client, RequestError, RequestErrorKind};
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::ledger::Window;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::cli::{CollectArgs, ScopeArgs, Shared, StreamArgs};
use crate::config::{Config, Connection, ConnectionKind, DataAfter};
use crate::connect::Connector;
use crate::context::{Context, NeedsFile, cancelled_by_signals, reporter};
use crate::entities::require_wanted;
use crate::exit::{Exit, Failure, chain};
use crate::plan::{Depth, Plan, Stages, choose_streams};
use crate::renames;
use crate::report::{Event, Reporter, RunSummary};
use crate::resolve::{Resolved, Selection, Wanted, connection_id, registered, wanted};
use crate::run::{Job, Runner, Tally, now};
use crate::source::{REPOSITORIES, Source, StreamEntry};
use crate::sources::bitbucket::bitbucket;

pub(super) async fn sync(shared: &Shared, arguments: CollectArgs) -> Result<Exit, Failure> {
    online(shared, Wish::of("sync", Stages::ALL, arguments)).await
}

pub(super) async fn collect(shared: &Shared, arguments: CollectArgs) -> Result<Exit, Failure> {
    online(shared, Wish::of("collect", Stages::COLLECT, arguments)).await
}

/// What a command that collects was asked for.
pub(super) struct Wish {
    pub(super) command: &'static str,
    pub(super) stages: Stages,
    pub(super) scopes: ScopeArgs,
    pub(super) streams: StreamArgs,
    pub(super) depth: Depth,
    /// How far back, as it was written.
    pub(super) since: Option<String>,
}

impl Wish {
    fn of(command: &'static str, stages: Stages, arguments: CollectArgs) -> Self {
        Self {
            command,
            stages,
            scopes: arguments.scopes,
            streams: arguments.streams,
            depth: if arguments.full {
                Depth::Everything
            } else {
                Depth::Changes
            },
            since: arguments.since,
        }
    }
}

/// Collects, and runs what follows.
pub(super) async fn online(shared: &Shared, wish: Wish) -> Result<Exit, Failure> {
    let cancel = cancelled_by_signals();
    let context = Context::load(shared, NeedsFile::Yes)?;
    let connections = context.config.require_connections();
    connections.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
    let source = bitbucket();
    let plan = Plan {
        command: wish.command,
        stages: wish.stages,
        streams: choose_streams(&source, &wish.streams.only, &wish.streams.skip)?,
        depth: wish.depth,
    };
    require_wanted(&context.config, &source, &wish.streams.only)?;
    let selection = Selection::parse(&wish.scopes.scopes)?;
    let since = wish.since.as_deref().map(read_since).transpose()?;
    let (store, _lock) = context.open_unless_cancelled(wish.command, &cancel).await?;
    let collecting = Collecting {
        config: &context.config,
        folder: &context.folder,
        store: &store,
        source: &source,
        reporter: reporter(shared),
        cancel,
        selection,
        since,
    };
    let done = Box::pin(collect_and_transform(&collecting, &plan)).await;
    let (exit, _) = done.map_err(|failure| failure.naming(&context.database))?;
    store.close().await?;
    Ok(exit)
}

fn read_since(text: &str) -> Result<DateTime<Utc>, Failure> {
    let after: DataAfter = text.parse().map_err(|error| {
        Failure::usage(format!("--since {text}: {error}; write --since 2026-01-31"))
    })?;
    Ok(after.resolve(now()))
}

/// What collecting works with.
pub struct Collecting<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Folder that relative paths in it start at.
    pub folder: &'a Path,
    /// The database.
    pub store: &'a Store,
    /// The source's table of contents.
    pub source: &'a Source,
    /// Shows what happens.
    pub reporter: Arc<dyn Reporter>,
    /// Ends everything.
    pub cancel: CancellationToken,
    /// Which repositories.
    pub selection: Selection,
    /// How far back, if that is further than what is there (UTC).
    pub since: Option<DateTime<Utc>>,
}

/// Resolves the repositories, then runs the plan over them.
///
/// # Errors
/// When the configuration names what cannot be used, or the database fails.
pub async fn collect_and_transform(
    collecting: &Collecting<'_>,
    plan: &Plan,
) -> Result<(Exit, RunSummary), Failure> {
    let ledger = collecting.store.ledger(Window::HOUR).await?;
    let mut connector = Connector::recording(collecting.folder, ledger);
    let done = Box::pin(run_over(collecting, plan, &mut connector)).await;
    // However it ended: what was taken from the ledger and not sent is given back.
    let closed = connector.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

async fn run_over(
    collecting: &Collecting<'_>,
    plan: &Plan,
    connector: &mut Connector<'_>,
) -> Result<(Exit, RunSummary), Failure> {
    let mut tally = Tally::default();
    let prepared = resolve_jobs(collecting, connector, &plan.streams, &mut tally);
    let Prepared { jobs, _watched } = Box::pin(prepared).await?;
    tally.requests(budget::tell_estimates(collecting, plan, &jobs).await?);
    Box::pin(runner(collecting).run(plan, jobs, tally)).await
}

/// What runs plans for a collection.
pub(super) fn runner<'a>(collecting: &Collecting<'a>) -> Runner<'a> {
    Runner {
        store: collecting.store,
        source: collecting.source,
        reporter: Arc::clone(&collecting.reporter),
        cancel: collecting.cancel.clone(),
    }
}

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
    collecting: &Collecting<'_>,
    connector: &mut Connector<'_>,
    streams: &[&'static str],
    tally: &mut Tally,
) -> Result<Prepared, Failure> {
    let mut jobs = Vec::new();
    let mut names = Vec::new();
    let mut watched = Vec::new();
    let mut unusable = None;
    let mut found = git_jobs::Found::default();
    for connection in &collecting.config.connections {
        if !collecting.selection.may_include(&connection.name) {
            continue;
        }
        match way_to(collecting, connector, connection, (&mut found, streams)).await {
            Ok((Some(client), mirrors)) => {
                let reporter = Arc::clone(&collecting.reporter);
                watched.push(budget::watch_limit(&connection.name, &client, reporter));
                let config = collecting.config;
                let side = GitSide::of(config, connector, (connection, Some(&client)), mirrors);
                let place = (connection, &client, streams);
                let found = Box::pin(jobs_of(collecting, place, side.as_ref(), &mut names, tally));
                jobs.extend(found.await?);
                tally.requests(client.requests());
            }
            Ok((None, mirrors)) => {
                let config = collecting.config;
                let side = GitSide::of(config, connector, (connection, None), mirrors);
                jobs.extend(git_jobs::git_jobs(collecting, connection, side.as_ref()).await?);
            }
            Err(failure) => {
                let message = failure.to_string();
                collecting.reporter.event(&Event::Notice { message });
                tally.connection_failed();
                unusable.get_or_insert(failure);
            }
        }
    }
    if let (true, Some(failure)) = (jobs.is_empty(), unusable) {
        return Err(failure);
    }
    if jobs.is_empty() && !tally.has_failed() {
        collecting.reporter.event(&Event::Notice {
            message: "no repository to collect: `scopes` in the configuration matches none"
                .to_owned(),
        });
    }
    if !tally.has_failed() {
        let repositories = jobs.iter().filter(|job| !job.scope.is_workspace());
        let found = repositories.map(|job| (job.connection.clone(), job.scope.full_name.clone()));
        names.extend(found);
        collecting.selection.require_found(&names)?;
    }
    Ok(Prepared {
        jobs,
        _watched: watched,
    })
}

/// The way to a connection's API, where it has one, and the mirrors, where git is read.
async fn way_to(
    collecting: &Collecting<'_>,
    connector: &mut Connector<'_>,
    connection: &Connection,
    (found, streams): (&mut git_jobs::Found, &[&'static str]),
) -> Result<(Option<Client>, Option<Mirrors>), Failure> {
    let mirrors = found.of(collecting, connection, streams).await?;
    let client = match connection.kind {
        ConnectionKind::Git => None,
        _ => Some(connector.client(connection)?),
    };
    // Secrets that cannot be read are told now, and once.
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
    collecting: &Collecting<'_>,
    (connection, client, streams): (&Connection, &Client, &[&'static str]),
    side: Option<&GitSide<'_>>,
    names: &mut Vec<(String, String)>,
    tally: &mut Tally,
) -> Result<Vec<Job>, Failure> {
    let cancel = collecting.cancel.child_token();
    let found = wanted(client, connection, &collecting.selection, &cancel).await;
    let mut found = match found {
        Ok(found) => found,
        Err(error) => {
            note_unlisted(collecting, connection, &error, tally);
            return Ok(Vec::new());
        }
    };
    if streams.contains(&REPOSITORIES) {
        let leads = renames::ask_for_names(collecting, client, &cancel, &mut found).await?;
        let asked = leads.into_iter().map(|(name, _)| name);
        names.extend(asked.map(|name| (connection.name.clone(), name)));
    }
    let place = (connection.name.as_str(), connection_id(connection));
    if renames::follow(collecting, place, client, &cancel, &mut found).await? {
        tally.leased();
    }
    mark_vanished(collecting, connection, &found).await?;
    let mut jobs = Vec::with_capacity(found.wanted.len());
    let rules = collecting.config.rules_of(&connection.name);
    let wanted_streams = collecting
        .config
        .streams_of(collecting.source, &connection.name);
    let wanted_streams = Arc::new(wanted_streams);
    let chosen = |stream: &str| streams.contains(&stream) && wanted_streams.contains(stream);
    let workspaces = workspaces_of(collecting, (client, &chosen), &found);
    for repository in found.wanted.into_iter().chain(workspaces) {
        let store = collecting.store;
        store.register(&repository.scope, now()).await?;
        let data_after = store
            .widen(&repository.scope, range(collecting, connection))
            .await?;
        let git = side.map(|side| side.scope(&repository.scope)).transpose()?;
        jobs.push(Job {
            git: git.flatten(),
            scope: repository.scope,
            connection: connection.name.clone(),
            client: Some(client.clone()),
            prefetched: repository.prefetched,
            rules: Arc::clone(&rules),
            streams: Arc::clone(&wanted_streams),
            data_after,
            cancel: cancel.clone(),
        });
    }
    debug_assert!(
        jobs.iter()
            .all(|job| job.scope.connection_id == connection_id(connection))
    );
    Ok(jobs)
}

/// The workspaces of the repositories, unless only some repositories are meant. Nobody without
/// credentials is told of them, and of sixty requests an hour none is to spare.
fn workspaces_of(
    collecting: &Collecting<'_>,
    (client, chosen): (&Client, &dyn Fn(&str) -> bool),
    found: &Resolved,
) -> Vec<Wanted> {
    let wanted =
        |entry: &StreamEntry| entry.collection.of_workspace && chosen(entry.collection.stream);
    let any = collecting.source.streams.iter().any(wanted);
    if !any || client.is_anonymous() || !collecting.selection.is_everything() {
        return Vec::new();
    }
    let repositories = found.wanted.iter();
    let scopes: BTreeSet<Scope> = repositories.map(|it| it.scope.workspace()).collect();
    let wanted = scopes.into_iter().map(|scope| Wanted {
        scope,
        prefetched: None,
    });
    wanted.collect()
}

/// Marks repositories that a workspace no longer lists; their rows stay.
async fn mark_vanished(
    collecting: &Collecting<'_>,
    connection: &Connection,
    found: &Resolved,
) -> Result<(), Failure> {
    let id = connection_id(connection);
    for known in collecting.store.scopes().await? {
        let scope = &known.scope;
        let name = scope.full_name.as_str();
        let expected = scope.connection_id == id
            && connection.wanted(name)
            && collecting.selection.includes(&connection.name, name);
        let is_there = found.left_aside.contains(name)
            || found.wanted.iter().any(|wanted| wanted.scope == *scope);
        if expected && !is_there {
            collecting.store.set_source_gone(scope, Some(now())).await?;
            let message = format!(
                "{}:{name} is no longer listed; its rows stay, marked as gone at the source",
                connection.name
            );
            collecting.reporter.event(&Event::Notice { message });
        }
    }
    Ok(())
}

fn range(collecting: &Collecting<'_>, connection: &Connection) -> Option<DateTime<Utc>> {
    let configured = connection
        .data_after
        .as_ref()
        .map(|after| after.resolve(now()));
    collecting.since.or(configured)
}

fn note_unlisted(
    collecting: &Collecting<'_>,
    connection: &Connection,
    error: &RequestError,
    tally: &mut Tally,
) {
    tally.connection_failed();
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
    collecting.reporter.event(&Event::Notice {
        message: format!(
            "connection {name}: its repositories could not be listed: {}",
            chain(error)
        ),
    });
}

pub(super) async fn extract(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
) -> Result<Exit, Failure> {
    offline(shared, scopes, streams, ("extract", Stages::EXTRACT)).await
}

pub(super) async fn convert(shared: &Shared, scopes: ScopeArgs) -> Result<Exit, Failure> {
    let all = StreamArgs {
        only: Vec::new(),
        skip: Vec::new(),
    };
    offline(shared, scopes, all, ("convert", Stages::CONVERT)).await
}

pub(super) async fn transform(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
) -> Result<Exit, Failure> {
    offline(shared, scopes, streams, ("transform", Stages::OFFLINE)).await
}

async fn offline(
    shared: &Shared,
    scopes: ScopeArgs,
    streams: StreamArgs,
    (command, stages): (&'static str, Stages),
) -> Result<Exit, Failure> {
    let cancel = cancelled_by_signals();
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let source = bitbucket();
    let plan = Plan {
        command,
        stages,
        streams: choose_streams(&source, &streams.only, &streams.skip)?,
        depth: Depth::Changes,
    };
    let selection = Selection::parse(&scopes.scopes)?;
    let (store, _lock) = context.open_unless_cancelled(command, &cancel).await?;
    let known = registered(&store, &context.config, &selection).await?;
    let reads_git =
        plan.stages.extract && known.iter().any(|(_, name)| context.config.reads_git(name));
    let mirrors = if reads_git {
        Some(crate::git::mirrors(&context.config, &context.folder).await?)
    } else {
        None
    };
    let jobs = known.into_iter().map(|(scope, connection)| Job {
        git: context
            .config
            .offline_git(mirrors.as_ref(), &scope, &connection)
            .map(Arc::new),
        scope,
        rules: context.config.rules_of(&connection),
        streams: Arc::new(context.config.streams_of(&source, &connection)),
        connection,
        client: None,
        prefetched: None,
        data_after: None,
        cancel: cancel.clone(),
    });
    let jobs = jobs.collect();
    let runner = Runner {
        store: &store,
        source: &source,
        reporter: reporter(shared),
        cancel: cancel.clone(),
    };
    let done = runner.run(&plan, jobs, Tally::default()).await;
    let (exit, _) = done.map_err(|failure| failure.naming(&context.database))?;
    store.close().await?;
    Ok(exit)
}
