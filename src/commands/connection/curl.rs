//! The same questions as commands, for a person to ask by hand: without secrets.

use headwater_collectors::Collection;
use serde_json::json;
use url::Url;

use super::endpoints::Lists;
use crate::cli::Shared;
use crate::config::{Auth, Connection, SecretSource};
use crate::context::Context;
use crate::output;

/// What stands for the key of a parent, and for a repository that only a glob names.
const ID: &str = "ID";
const REPOSITORY: &str = "REPOSITORY";

/// Prints a command for each list that the configuration wants. Secrets are variables of the shell
/// where the file names variables, else words in capitals.
pub(super) fn print(shared: &Shared, context: &Context, connection: &Connection) {
    let anonymous = connection.auth.is_none();
    let lists = Lists::of(context, connection, anonymous);
    for (stream, command) in commands(connection, lists.iter()) {
        if shared.json {
            let line = json!({
                "connection": connection.name, "stream": stream, "command": command,
            });
            output::json_line(&line.to_string());
        } else {
            output::line(format_args!("# {}: {stream}\n{command}", connection.name));
        }
    }
}

fn commands<'a>(
    connection: &Connection,
    lists: impl Iterator<Item = &'a Collection>,
) -> Vec<(String, String)> {
    let repository = repository_of(connection);
    let Some(endpoint) = &connection.endpoint else {
        let address = connection.git.url_of(&repository).unwrap_or_default();
        let command = format!("git ls-remote '{}'", quoted(&address));
        return vec![("git".to_owned(), command)];
    };
    let (before, with) = credentials(&connection.auth);
    let mut commands: Vec<(String, String)> = before
        .into_iter()
        .map(|command| ("an access token".to_owned(), command))
        .collect();
    let curl = |url: &Url| format!("curl -sS {with}'{}'", quoted(url.as_str()));
    if let Ok(url) = endpoint.join(&format!("repositories/{repository}")) {
        commands.push(("repositories".to_owned(), curl(&url)));
    }
    for collection in lists {
        let parent = if collection.parent.is_some() { ID } else { "" };
        let place = (endpoint, connection);
        if let Some(url) = Lists::address(collection, place, &repository, parent) {
            commands.push((collection.stream.to_owned(), curl(&url)));
        }
    }
    commands
}

/// A repository that the configuration names, or a place for one.
fn repository_of(connection: &Connection) -> String {
    if let Some(name) = connection.exact_names().first() {
        return (*name).to_owned();
    }
    let workspaces = connection.workspaces();
    let workspace = workspaces.iter().next().map_or("WORKSPACE", |it| it);
    format!("{workspace}/{REPOSITORY}")
}

/// A command that must go first, and what curl needs to prove who asks.
fn credentials(auth: &Auth) -> (Option<String>, String) {
    match auth {
        Auth::ApiToken { email, token } => (
            None,
            format!(
                "-u \"{}:{}\" ",
                word(email, "EMAIL"),
                word(token, "API_TOKEN")
            ),
        ),
        Auth::Basic { user, password } => (
            None,
            format!(
                "-u \"{}:{}\" ",
                word(user, "USER"),
                word(password, "PASSWORD")
            ),
        ),
        Auth::AccessToken { token } => {
            let token = word(token, "ACCESS_TOKEN");
            (None, format!("-H \"Authorization: Bearer {token}\" "))
        }
        Auth::Oauth {
            key,
            secret,
            token_url,
        } => {
            let url = token_url
                .as_ref()
                .map_or(crate::config::DEFAULT_TOKEN_URL, Url::as_str);
            let (key, secret) = (word(key, "KEY"), word(secret, "SECRET"));
            let first = format!(
                "curl -sS -u \"{key}:{secret}\" -d grant_type=client_credentials '{}'",
                quoted(url)
            );
            let with = "-H \"Authorization: Bearer ACCESS_TOKEN\" ".to_owned();
            (Some(first), with)
        }
        Auth::None => (None, String::new()),
    }
}

/// How a shell has a value; a literal one is a word in capitals.
fn word(source: &SecretSource, placeholder: &str) -> String {
    let shown = source.to_string();
    match shown.split_once(':') {
        Some(("env", name)) => format!("${name}"),
        Some(("file", path)) if !path.contains(['"', '\'', '`', '$', '\\']) => {
            format!("$(cat '{path}')")
        }
        _ => placeholder.to_owned(),
    }
}

/// A text between single quotes of a shell.
fn quoted(text: &str) -> String {
    text.replace('\'', "%27")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::sources::Sources;

    #[test]
    fn commands_to_try_by_hand_hold_no_secret() {
        let auths = [
            "kind = \"api-token\", email = \"ada@acme.example\", token = \"env:BITBUCKET_TOKEN\"",
            "kind = \"access-token\", token = \"hunter2secret\"",
            "kind = \"oauth\", key = \"file:key.txt\", secret = \"hunter2secret\"",
        ];
        let sources = Sources::all();
        let mut shown: Vec<String> = Vec::new();
        for auth in auths {
            let text = format!(
                "[[connection]]\nid = 1\nname = \"a\"\nkind = \"bitbucket-cloud\"\n\
                 scopes = [\"acme/*\"]\nauth = {{ {auth} }}\n"
            );
            let (config, problems) = parse(&text, "headwater.toml");
            let connection = config
                .unwrap_or_else(|| panic!("{problems:?}"))
                .connections
                .remove(0);
            let streams = sources.streams().map(|(_, entry)| &entry.collection);
            let few = [
                "pull_requests",
                "pull_request_comments",
                "workspace_members",
            ];
            let streams = streams.filter(|it| few.contains(&it.stream));
            for (stream, command) in commands(&connection, streams) {
                shown.push(format!("# {stream}\n{command}"));
            }
        }
        let shown = shown.join("\n");
        assert!(!shown.contains("hunter2secret"), "{shown}");
        insta::assert_snapshot!(shown);
    }
}
