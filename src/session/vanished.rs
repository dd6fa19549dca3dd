//! Repositories that are stored and that a workspace lists no longer.
//!
//! A list answers with what the credentials may see. So one that is empty, or lacks a repository,
//! says nothing of what there is: each repository is asked for by its own address before it is
//! taken for gone. When a workspace shows nothing at all, the credentials are in doubt, and not
//! the repositories.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use headwater_collectors::{Collection, Paging, Repositories, RequestErrorKind};
use headwater_domain::Scope;
use headwater_store::scopes::KnownScope;
use tokio_util::sync::CancellationToken;

use super::{Session, SyncRequest};
use crate::config::Connection;
use crate::exit::Failure;
use crate::report::{Event, counted};
use crate::resolve::{Resolved, WantedScope, connection_id};
use crate::run::Tally;
use crate::source::Source;

/// A connection, its source and the way to its repositories.
type Place<'a> = (
    &'a Connection,
    &'a Source,
    &'a Repositories<'a>,
    &'a CancellationToken,
);

/// Finds out what became of repositories and workspaces that are stored and were not found. Those
/// that are gone are marked, and their rows stay; those that are there all the same are collected.
///
/// # Errors
/// When the database fails.
pub(super) async fn look(
    session: &Session,
    request: &SyncRequest,
    (connection, source, repositories, cancel): Place<'_>,
    found: &mut Resolved,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let missing = missing(session, request, connection, found).await?;
    let (doubtful, missing): (Vec<KnownScope>, Vec<KnownScope>) = missing
        .into_iter()
        .partition(|known| found.empty.contains(workspace_name(&known.scope)));
    doubt(session, connection, (found, &doubtful), tally);
    let (marked, missing): (Vec<KnownScope>, Vec<KnownScope>) = missing
        .into_iter()
        .partition(|known| known.source_gone_at.is_some());
    for known in &marked {
        tell_gone(session, connection, &known.scope);
    }
    let asked = stream::iter(missing).map(|known| async move {
        let answer = repositories.named(&known.scope, cancel).await;
        (known.scope, answer)
    });
    let answers: Vec<_> = asked
        .buffered(repositories.client().concurrency())
        .collect()
        .await;
    for (scope, answer) in answers {
        let name = format!("{}:{}", connection.name, scope.full_name);
        match answer {
            Ok(Some(there)) if there.full_name == scope.full_name => {
                found.wanted.push(WantedScope {
                    scope,
                    prefetched: Some(there.item),
                });
            }
            Ok(_) => {
                tally.left_undone();
                let message = format!(
                    "{name} is not listed, and something else answers under its name; it is not \
                     collected this time"
                );
                session.reporter.event(&Event::Notice { message });
            }
            Err(error) => match error.kind {
                RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { .. } => {
                    let now = session.clock.now();
                    session.store.set_source_gone(&scope, Some(now)).await?;
                    tell_gone(session, connection, &scope);
                }
                RequestErrorKind::Cancelled => return Ok(()),
                _ => {
                    tally.refused();
                    let message = format!("{name} is no longer listed, and is not shown: {error}");
                    session.reporter.event(&Event::Notice { message });
                }
            },
        }
    }
    tell_unmatched(session, connection, found, tally);
    let place = (connection, source, repositories, cancel);
    workspaces(session, request, place, found).await
}

/// Repositories that are wanted and stored and were not found.
async fn missing(
    session: &Session,
    request: &SyncRequest,
    connection: &Connection,
    found: &Resolved,
) -> Result<Vec<KnownScope>, Failure> {
    let id = connection_id(connection);
    let there: BTreeSet<&Scope> = found.wanted.iter().map(|wanted| &wanted.scope).collect();
    let mut known = session.store.scopes().await?;
    known.retain(|known| {
        let scope = &known.scope;
        let name = scope.full_name.as_str();
        scope.connection_id == id
            && connection.wanted(name)
            && request.selection.includes(&connection.name, name)
            && !found.left_aside.contains(name)
            && !there.contains(scope)
    });
    Ok(known)
}

fn workspace_name(scope: &Scope) -> &str {
    scope.full_name.split('/').next().unwrap_or_default()
}

/// A workspace that shows nothing of what is stored of it: that is a matter of the credentials.
fn doubt(
    session: &Session,
    connection: &Connection,
    (found, doubtful): (&Resolved, &[KnownScope]),
    tally: &mut Tally,
) {
    for workspace in &found.empty {
        let of_it = doubtful
            .iter()
            .filter(|known| workspace_name(&known.scope) == workspace);
        let stored = of_it.count() as u64;
        if stored == 0 {
            continue;
        }
        tally.refused();
        let message = format!(
            "connection {}: the workspace {workspace} lists no repository any more, and {} stored \
             of it; the credentials have probably lost their access: check them, their permissions \
             and the workspace's name. Nothing is taken for gone. `headwater connection test` says \
             what they can see",
            connection.name,
            counted(stored, "is", "are"),
        );
        session.reporter.event(&Event::Notice { message });
    }
}

/// Globs that fit nothing: mistyped, or the credentials do not see what they are meant for.
fn tell_unmatched(session: &Session, connection: &Connection, found: &Resolved, tally: &mut Tally) {
    for glob in &found.unmatched {
        tally.refused();
        let message = format!(
            "connection {}: no repository is listed that `{glob}` in `scopes` stands for; check its \
             spelling, and that the credentials can see the repositories",
            connection.name
        );
        session.reporter.event(&Event::Notice { message });
    }
}

fn tell_gone(session: &Session, connection: &Connection, scope: &Scope) {
    let message = format!(
        "{}:{} is no longer listed; its rows stay, marked as gone at the source",
        connection.name, scope.full_name
    );
    session.reporter.event(&Event::Notice { message });
}

/// Marks stored workspaces that are gone, as under another name they are.
async fn workspaces(
    session: &Session,
    request: &SyncRequest,
    (connection, source, repositories, cancel): Place<'_>,
    found: &Resolved,
) -> Result<(), Failure> {
    if !request.selection.is_everything() || repositories.client().is_anonymous() {
        return Ok(());
    }
    let is_group = |list: &&Collection| list.of_workspace && list.endpoint.paging == Paging::Single;
    let mut lists = source.streams.iter().map(|entry| &entry.collection);
    let Some(single) = lists.find(is_group) else {
        return Ok(());
    };
    let id = connection_id(connection);
    let there: BTreeSet<Scope> = found
        .wanted
        .iter()
        .map(|wanted| wanted.scope.workspace())
        .collect();
    for known in session.store.scopes().await? {
        let scope = known.scope;
        let is_missing = scope.is_workspace()
            && scope.connection_id == id
            && known.source_gone_at.is_none()
            && !there.contains(&scope)
            && !found.empty.contains(&scope.full_name);
        if is_missing && !repositories.group_is_there(single, &scope, cancel).await {
            let now = session.clock.now();
            session.store.set_source_gone(&scope, Some(now)).await?;
            let message = format!(
                "{}: the workspace {} is gone; its rows stay, marked as gone at the source",
                connection.name, scope.full_name
            );
            session.reporter.event(&Event::Notice { message });
        }
    }
    Ok(())
}
