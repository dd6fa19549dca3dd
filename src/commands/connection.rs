//! `connection test`: whether a connection works, and what to do if it does not.

mod curl;
mod endpoints;
mod git;

use headwater_collectors::{Client, Probed};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use endpoints::Lists;
use git::GitTest;

use crate::cli::{ConnectionCommand, Shared};
use crate::config::{Connection, ConnectionKind};
use crate::connect::{Clues, Connector};
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::diagnosis::{Code, Diagnosis, of_answer, of_list};
use crate::exit::{Exit, Failure};
use crate::output;

pub(super) async fn connection(
    shared: &Shared,
    command: ConnectionCommand,
) -> Result<Exit, Failure> {
    let ConnectionCommand::Test { name, curl } = command;
    if curl {
        by_hand(shared, name.as_deref())
    } else {
        test(shared, name.as_deref()).await
    }
}

/// Prints the questions as commands; nothing is asked.
fn by_hand(shared: &Shared, name: Option<&str>) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::Yes)?;
    for connection in chosen(&context, name)? {
        curl::print(shared, &context, connection);
    }
    Ok(Exit::Ok)
}

async fn test(shared: &Shared, name: Option<&str>) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::Yes)?;
    let connections = chosen(&context, name)?;
    let connector = Connector::new(context.place(), &context.sources);
    let cancel = cancelled_by_signals();
    let mut exit = Exit::Ok;
    for connection in connections {
        let tested = test_one(&context, &connector, connection, &cancel).await;
        let diagnosis = match tested {
            Ok(diagnosis) => diagnosis,
            Err(failure) if name.is_some() => return Err(failure),
            Err(failure) => {
                // One that cannot be tested does not keep the others from being tested.
                output::note(format_args!("headwater: {}", failure.chain()));
                exit = worse(exit, failure.exit);
                continue;
            }
        };
        print(shared, &connection.name, &diagnosis);
        exit = worse(exit, diagnosis.code.exit());
        if cancel.is_cancelled() {
            return Ok(Exit::Cancelled);
        }
    }
    Ok(exit)
}

/// One connection: its API, and git where that is read.
async fn test_one(
    context: &Context,
    connector: &Connector,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Result<Diagnosis, Failure> {
    if connection.kind == ConnectionKind::Git {
        let side = (connection, None);
        return match GitTest::of(context, connector, side, cancel).await? {
            Some(git) => git.of_all().await,
            None => Ok(Diagnosis::ok(String::new())),
        };
    }
    let (client, clues) = connector.impatient_client(connection)?;
    let tested = Tested {
        connection,
        client: &client,
        clues,
        cancel,
        lists: Lists::of(context, connection, client.is_anonymous()),
    };
    let (diagnosis, readable) = tested.diagnose().await;
    let (Code::Ok, Some(name)) = (diagnosis.code, readable) else {
        return Ok(diagnosis);
    };
    let side = (connection, Some(&client));
    let Some(git) = GitTest::of(context, connector, side, cancel).await? else {
        return Ok(diagnosis);
    };
    let wrong = git.of_one(&name).await?;
    Ok(wrong.unwrap_or(Diagnosis {
        detail: format!("{}; git can read {name}", diagnosis.detail),
        ..diagnosis
    }))
}

/// The connections that are meant: one, or all.
pub(super) fn chosen<'a>(
    context: &'a Context,
    name: Option<&str>,
) -> Result<Vec<&'a Connection>, Failure> {
    let connections = context.config.require_connections();
    connections.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
    let all = &context.config.connections;
    let Some(name) = name else {
        return Ok(all.iter().collect());
    };
    let found: Vec<&Connection> = all.iter().filter(|c| c.name == name).collect();
    if found.is_empty() {
        let known: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!(
            "there is no connection {name}; the configuration has {known}"
        )));
    }
    Ok(found)
}

/// Of several endings the one that needs looking at first: configuration, failure, credentials.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Ok => 0,
        Exit::Credentials => 1,
        Exit::Failed => 2,
        _ => 3,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

/// A connection under test.
struct Tested<'a> {
    connection: &'a Connection,
    client: &'a Client,
    clues: Clues,
    cancel: &'a CancellationToken,
    /// The lists that the configuration wants.
    lists: Lists,
}

impl Tested<'_> {
    /// Asks once for everything that a sync asks for, and stops at the first thing that is wrong.
    /// Tells a repository that can be read, too.
    async fn diagnose(&self) -> (Diagnosis, Option<String>) {
        let workspaces = self.connection.workspaces();
        if workspaces.is_empty() {
            return (self.workspaces_of_user().await, None);
        }
        let mut read: Option<String> = None;
        for workspace in &workspaces {
            let repository = match self.repository_of(workspace).await {
                Ok(repository) => repository,
                Err(diagnosis) => return (diagnosis, None),
            };
            if let (Some(repository), None) = (repository, &read) {
                let place = (self.client, self.connection);
                let how = (&self.clues, self.cancel);
                if let Err(wrong) = self.lists.ask(place, how, &repository).await {
                    return (wrong, None);
                }
                read = Some(repository);
            }
        }
        let names: Vec<&str> = workspaces.into_iter().collect();
        let detail = format!("repositories of {} can be read", names.join(", "));
        (Diagnosis::ok(detail), read)
    }

    /// Full name of a repository that can be read, where the list names one.
    ///
    /// A token of one repository may not list its workspace, so a repository that the
    /// configuration names is asked for where the list has none.
    async fn repository_of(&self, workspace: &str) -> Result<Option<String>, Diagnosis> {
        let list = self.get(&["repositories", workspace], true).await;
        let Some(wrong) = of_list(&list, &self.clues) else {
            let reply = list.outcome.ok().and_then(|reply| reply.json);
            let first = reply.and_then(|json| {
                let name = json["values"][0]["full_name"].as_str();
                name.map(str::to_owned)
            });
            return Ok(first);
        };
        let may_be_hidden = matches!(wrong.code, Code::NoResources | Code::InvalidPermissions);
        let named = self.connection.exact_names().into_iter();
        let mut named = named.filter(|name| name.split('/').next() == Some(workspace));
        let (true, Some(name)) = (may_be_hidden, named.next()) else {
            return Err(wrong);
        };
        let path: Vec<&str> = ["repositories"]
            .into_iter()
            .chain(name.split('/'))
            .collect();
        let single = self.get(&path, false).await;
        match of_answer(&single, &self.clues) {
            None => Ok(Some(name.to_owned())),
            Some(_) => Err(wrong),
        }
    }

    /// Without a workspace in the configuration only the user's own can be asked for.
    async fn workspaces_of_user(&self) -> Diagnosis {
        let probed = self.get(&["user", "workspaces"], true).await;
        let status = probed.outcome.as_ref().map_or(0, |reply| reply.status);
        let has_no_user = status == 403 && self.clues.auth_kind == "access-token"
            || status == 401 && self.clues.auth_kind != "api-token";
        match of_list(&probed, &self.clues) {
            Some(_) if has_no_user => Diagnosis::of(
                Code::NoResources,
                format!(
                    "{} answered {status}: there is no user behind this",
                    probed.url
                ),
                "Name a workspace in `scopes`, because what these credentials can see cannot be \
                 asked for otherwise.",
            ),
            Some(wrong) => wrong,
            None => Diagnosis::ok(
                "the credentials are accepted; `scopes` names nothing to collect yet".to_owned(),
            ),
        }
    }

    async fn get(&self, path: &[&str], is_list: bool) -> Probed {
        self.client
            .probe(&below(self.client.endpoint(), path, is_list), self.cancel)
            .await
    }
}

/// An address below the endpoint; of a list the first item is enough.
fn below(endpoint: &Url, path: &[&str], is_list: bool) -> Url {
    let mut url = endpoint.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if is_list {
        url.query_pairs_mut().append_pair("pagelen", "1");
    }
    url
}

fn print(shared: &Shared, name: &str, diagnosis: &Diagnosis) {
    let code = diagnosis.code.as_str();
    if shared.json {
        return output::json_line(&as_json(name, diagnosis).to_string());
    }
    if diagnosis.code == Code::Ok {
        if !shared.quiet {
            output::line(format_args!("{name}: {code} ({})", diagnosis.detail));
        }
        return;
    }
    let cause = match diagnosis.cause {
        "" => String::new(),
        cause => format!(" ({cause})"),
    };
    output::line(format_args!("{name}: {code}{cause}"));
    output::line(format_args!("  {}", diagnosis.detail));
    output::line(format_args!("  Next: {}", diagnosis.next));
}

fn as_json(name: &str, diagnosis: &Diagnosis) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "connection": name,
        "code": diagnosis.code.as_str(),
        "cause": text(diagnosis.cause),
        "detail": diagnosis.detail,
        "next": text(&diagnosis.next),
        "required": diagnosis.required,
        "granted": diagnosis.granted,
        "change": diagnosis.change,
        "exit": diagnosis.code.exit().code(),
    })
}
