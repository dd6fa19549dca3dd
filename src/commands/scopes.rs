//! `scopes`: the workspaces and repositories that a connection can see.

use std::collections::BTreeSet;
use std::io;

use headwater_collectors::{
    FoundRepository, Repositories, RequestError, RequestErrorKind, Verdict,
};
use headwater_store::query::{Cell, Rows as _};
use tokio_util::sync::CancellationToken;

use super::connection::chosen;
use crate::cli::{Format, Shared};
use crate::config::{Auth, Connection, ConnectionKind};
use crate::connect::Connector;
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::exit::{Exit, Failure, chain};
use crate::output::{self, Printer, written};
use crate::resolve::is_included;

const COLUMNS: [&str; 7] = [
    "workspace",
    "repository",
    "private",
    "archived",
    "fork",
    "updated",
    "selected",
];

pub(super) async fn scopes(
    shared: &Shared,
    name: &str,
    search: Option<&str>,
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::Yes)?;
    let connections = chosen(&context, Some(name))?;
    let Some(connection) = connections.first() else {
        return Ok(Exit::Ok);
    };
    if connection.kind == ConnectionKind::Git {
        return list_names(connection, search, format);
    }
    let cancel = cancelled_by_signals();
    let store = context.open_if_there().await;
    let connector = match &store {
        Some(store) => context.connector(store).await?,
        None => Connector::new(context.place(), &context.sources),
    };
    let client = connector.client(connection)?;
    let source = context
        .sources
        .of_connection(&context.config, &connection.name);
    // A client is made only where there is an API.
    let Some(repositories) = source.repositories(&client) else {
        return Ok(Exit::Ok);
    };
    let listed = list(connection, &repositories, (search, format), &cancel).await;
    connector.close().await?;
    listed
}

/// The repositories of a connection without an API: those that the configuration names.
fn list_names(
    connection: &Connection,
    search: Option<&str>,
    format: Format,
) -> Result<Exit, Failure> {
    let search = search.map(str::to_lowercase);
    let mut printer = Printer::of_sentences(format, io::BufWriter::new(output::data()));
    let mut done = printer.columns(COLUMNS.map(str::to_owned).to_vec());
    for name in connection.git.urls.keys() {
        let is_meant = |search: &String| name.to_lowercase().contains(search);
        if done.is_err() || !search.as_ref().is_none_or(is_meant) {
            continue;
        }
        let mut row = vec![Cell::Null; COLUMNS.len()];
        let group = name.split('/').next().unwrap_or_default();
        row[0] = Cell::Text(group.to_owned());
        row[1] = Cell::Text(name.clone());
        let selected = if connection.wanted(name) { "yes" } else { "no" };
        row[6] = Cell::Text(selected.to_owned());
        done = printer.row(row);
    }
    written(done.and_then(|()| printer.finish()))
}

async fn list(
    connection: &Connection,
    repositories: &Repositories<'_>,
    (search, format): (Option<&str>, Format),
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let workspaces = visible_workspaces(connection, repositories, cancel).await?;
    let mut listing = Listing {
        connection,
        search: search.map(str::to_lowercase),
        printer: Printer::of_sentences(format, io::BufWriter::new(output::data())),
        failed: Vec::new(),
        listed: 0,
    };
    let columns = COLUMNS.map(str::to_owned).to_vec();
    let mut printed = listing.printer.columns(columns);
    for workspace in &workspaces {
        if printed.is_err() || listing.is_stopped() {
            break;
        }
        printed = listing.list(repositories, workspace, cancel).await;
    }
    let (listed, failed) = (listing.listed, std::mem::take(&mut listing.failed));
    written(printed.and_then(|()| listing.printer.finish()))?;
    if cancel.is_cancelled() {
        return Ok(Exit::Cancelled);
    }
    Ok(report(&connection.name, &failed, listed))
}

/// The user's workspaces and those that the configuration names. Credentials without a user are
/// asked for the latter only: a 401 to the first question would end the connection.
async fn visible_workspaces(
    connection: &Connection,
    repositories: &Repositories<'_>,
    cancel: &CancellationToken,
) -> Result<BTreeSet<String>, Failure> {
    let named = connection.workspaces().into_iter().map(str::to_owned);
    let mut workspaces: BTreeSet<String> = named.collect();
    let has_no_user = matches!(connection.auth, Auth::AccessToken { .. } | Auth::None);
    if has_no_user && !workspaces.is_empty() {
        return Ok(workspaces);
    }
    match repositories.groups(cancel).await {
        Ok(slugs) => workspaces.extend(slugs),
        Err(error) if names_are_needed(connection, &error) && !workspaces.is_empty() => {}
        Err(error) => {
            let hint = if names_are_needed(connection, &error) {
                "; these credentials cannot list workspaces, so name one in `scopes`; `headwater \
                 connection test` tells more"
            } else {
                ""
            };
            let message = format!("connection {}: {}{hint}", connection.name, chain(&error));
            return Err(Failure::new(exit_of(&error), message));
        }
    }
    Ok(workspaces)
}

/// Whether the credentials may be fine and only cannot be asked for their workspaces.
fn names_are_needed(connection: &Connection, error: &RequestError) -> bool {
    match error.kind {
        RequestErrorKind::Forbidden { .. }
        | RequestErrorKind::NotFound { .. }
        | RequestErrorKind::Gone { .. } => true,
        // This endpoint may not accept credentials without a user at all.
        RequestErrorKind::Unauthorized { .. } => {
            matches!(connection.auth, Auth::AccessToken { .. } | Auth::None)
        }
        _ => false,
    }
}

fn exit_of(error: &RequestError) -> Exit {
    match error.kind {
        RequestErrorKind::Unauthorized { .. }
        | RequestErrorKind::ConsumerRefused { .. }
        | RequestErrorKind::Forbidden { .. }
        | RequestErrorKind::NotFound { .. } => Exit::Credentials,
        RequestErrorKind::Cancelled => Exit::Cancelled,
        _ => Exit::Failed,
    }
}

/// What is printed, and what could not be listed.
struct Listing<'a, W: io::Write> {
    connection: &'a Connection,
    search: Option<String>,
    printer: Printer<W>,
    failed: Vec<(String, RequestError)>,
    listed: usize,
}

impl<W: io::Write> Listing<'_, W> {
    /// Prints a workspace page by page; fails only when the output does.
    async fn list(
        &mut self,
        repositories: &Repositories<'_>,
        workspace: &str,
        cancel: &CancellationToken,
    ) -> io::Result<()> {
        let mut printed = Ok(());
        let mut is_empty = true;
        let listed = repositories.each_of_group(workspace, cancel, |page| {
            is_empty &= page.is_empty();
            for repository in page {
                if printed.is_ok() && self.is_meant(&repository.full_name) {
                    printed = self.printer.row(self.row(workspace, &repository));
                }
            }
        });
        if let Err(error) = listed.await {
            self.failed.push((workspace.to_owned(), error));
            return printed;
        }
        self.listed += 1;
        if is_empty && printed.is_ok() && self.is_meant(workspace) {
            let mut row = vec![Cell::Null; COLUMNS.len()];
            row[0] = Cell::Text(workspace.to_owned());
            printed = self.printer.row(row);
        }
        printed
    }

    /// Whether no further request can succeed.
    fn is_stopped(&self) -> bool {
        let last = self.failed.last();
        last.is_some_and(|(_, error)| error.kind.verdict() == Verdict::Stop)
    }

    fn is_meant(&self, name: &str) -> bool {
        let search = self.search.as_ref();
        search.is_none_or(|search| name.to_lowercase().contains(search))
    }

    fn row(&self, workspace: &str, repository: &FoundRepository) -> Vec<Cell> {
        let traits = repository.traits();
        let flag = |flag: bool| Cell::Text(if flag { "yes" } else { "no" }.to_owned());
        let told = |told: Option<bool>| told.map_or(Cell::Null, flag);
        vec![
            Cell::Text(workspace.to_owned()),
            Cell::Text(repository.full_name.clone()),
            told(traits.private),
            told(traits.archived),
            flag(traits.fork),
            traits.updated_on.map_or(Cell::Null, Cell::Text),
            flag(is_included(self.connection, repository)),
        ]
    }
}

/// Tells what could not be listed; partial when something else could.
fn report(connection: &str, failed: &[(String, RequestError)], listed: usize) -> Exit {
    for (workspace, error) in failed {
        output::note(format_args!(
            "headwater: connection {connection}: workspace {workspace} could not be listed: {}",
            chain(error)
        ));
    }
    match failed.last() {
        None if listed == 0 => {
            output::note(format_args!(
                "headwater: connection {connection}: its user belongs to no workspace"
            ));
            Exit::Ok
        }
        None => Exit::Ok,
        Some((_, error)) if listed == 0 => exit_of(error),
        Some(_) => Exit::Partial,
    }
}
