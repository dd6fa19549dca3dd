//! Reads `[git]` and the git side of connections, and refuses what git could misunderstand.

use headwater_git::{Paths, RemoteUrl};
use url::Url;

use super::addresses::{USERINFO, has_userinfo};
use super::connection::{ConnectionKind, DEFAULT_CLOUD_ENDPOINT};
use super::git::{DEFAULT_CLOUD_GIT_URL, Git, GitStore, SCOPE_PLACEHOLDER};
use super::problem::quoted;
use super::reader::{Field, TableReader, refusal};

/// Longest name of a scope: it is part of ids, which have 255 characters.
const LONGEST_NAME: usize = 200;

/// Reads `[git]`.
pub(super) fn read_store(table: Option<TableReader<'_>>) -> GitStore {
    let mut store = GitStore::default();
    let Some(mut table) = table else {
        return store;
    };
    let folder = table.field("folder");
    if let Some(folder) = folder.and_then(|field| field.path()) {
        store.folder = folder;
    }
    if let Some(quota) = table.field("quota").and_then(|field| field.parsed()) {
        store.quota = quota;
    }
    if let Some(field) = table.field("program")
        && let Some(text) = field.text()
    {
        if text.trim().is_empty() || text.starts_with('-') || text.contains(char::is_control) {
            let problem = field.error(format!("{} is not a program", quoted(text)));
            field.report(problem.expecting("the name of a program, or a path to it"));
        } else {
            text.clone_into(&mut store.program);
        }
    }
    table.finish();
    store
}

/// What the git side of a connection depends on.
pub(super) struct Around<'a> {
    pub(super) kind: Option<ConnectionKind>,
    pub(super) endpoint: Option<&'a Url>,
}

/// Reads `git` of a connection.
pub(super) fn read(table: &mut TableReader<'_>, around: &Around<'_>) -> Git {
    let is_git = around.kind == Some(ConnectionKind::Git);
    let Some(field) = table.field("git") else {
        if is_git {
            let problem = table.warning("has no git.urls: nothing is collected");
            table.report(problem.write("git.urls = { \"team/service\" = \"/srv/service.git\" }"));
        }
        return Git::default();
    };
    let Some(mut inner) = field.table() else {
        return Git::default();
    };
    let mut git = Git::default();
    let (urls, enabled, url) = (
        inner.field("urls"),
        inner.field("enabled"),
        inner.field("url"),
    );
    inner.finish_with(&[("repositories", "urls"), ("enable", "enabled")]);
    match around.kind {
        Some(ConnectionKind::Git) => {
            for field in [enabled, url].into_iter().flatten() {
                let problem = field.error("has no effect with kind \"git\"");
                field.report(problem.expecting("the repositories under `git.urls`"));
            }
            let urls = urls.and_then(|field| field.table());
            for (name, address) in urls.iter().flat_map(TableReader::entries) {
                read_entry(&mut git, name, &address);
            }
        }
        Some(ConnectionKind::BitbucketCloud) => {
            refuse(urls, "has no effect with this kind of connection");
            git.enabled = enabled.and_then(|field| field.boolean()).unwrap_or(false);
            git.url = read_template(&field, url, git.enabled, around);
        }
        Some(ConnectionKind::BitbucketDataCenter) => {
            for field in [urls, enabled, url] {
                refuse(field, "has no effect with this kind of connection");
            }
        }
        None => {}
    }
    git
}

fn refuse(field: Option<Field<'_>>, message: &str) {
    if let Some(field) = field {
        field.report(
            field
                .error(message)
                .expecting("it only with kind \"git\"; see docs/connections.md"),
        );
    }
}

/// One line of `git.urls`.
fn read_entry(git: &mut Git, name: &str, address: &Field<'_>) {
    if let Err(reason) = check_name(name) {
        let problem = address.error(refusal(name, &reason));
        address.report(problem.expecting("a name such as \"group/name\""));
        return;
    }
    if let Some(text) = read_address(address) {
        git.urls.insert(name.to_owned(), text);
    }
}

/// Why a text is no name of a scope; reads on after the text itself.
///
/// A name becomes a part of ids and of command lines: what could be taken for something else there
/// is refused.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > LONGEST_NAME {
        return Err("is too long for a name");
    }
    if !name.contains('/') {
        return Err("is not a name of a group and a repository");
    }
    for part in name.split('/') {
        if part.is_empty() || part == "." || part == ".." {
            return Err("has an empty part, `.` or `..`");
        }
        if part.starts_with('-') {
            return Err("has a part that starts with a dash, as options do");
        }
        let odd = |character: char| {
            character.is_control()
                || character.is_whitespace()
                || ":\\!*?[]{}\"'".contains(character)
        };
        if part.contains(odd) {
            return Err("has a character that names of repositories do not have");
        }
    }
    Ok(())
}

/// A path, or an address of https or ssh.
fn read_address(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    if carries_password(text) {
        field.report(field.error(USERINFO).expecting("credentials under `auth`"));
        return None;
    }
    if let Err(reason) = RemoteUrl::parse(text, Paths::Allowed) {
        let problem = field.error(format!("{}: {}", quoted(text), reason.why));
        field.report(problem.expecting("a path, or an address of https or ssh"));
        return None;
    }
    Some(text.to_owned())
}

/// `git.url`, or what holds without it.
fn read_template(
    git: &Field<'_>,
    field: Option<Field<'_>>,
    enabled: bool,
    around: &Around<'_>,
) -> Option<String> {
    let Some(field) = field else {
        let is_usual = around
            .endpoint
            .is_some_and(|endpoint| endpoint.as_str() == DEFAULT_CLOUD_ENDPOINT);
        if enabled && !is_usual {
            let problem = git
                .error(
                    "is enabled without `url`, and the endpoint does not tell where git is served",
                )
                .write("git.url = \"https://git.example/{scope}.git\"");
            git.report(problem);
        }
        return is_usual.then(|| DEFAULT_CLOUD_GIT_URL.to_owned());
    };
    let text = field.text()?;
    if carries_password(text) {
        field.report(field.error(USERINFO).expecting("credentials under `auth`"));
        return None;
    }
    let expected = "an address such as \"https://bitbucket.org/{scope}.git\"";
    let parts: Vec<&str> = text.split(SCOPE_PLACEHOLDER).collect();
    if parts.len() != 2 || parts.concat().contains(['{', '}']) {
        let problem = field.error(format!(
            "{} does not have {SCOPE_PLACEHOLDER} exactly once",
            quoted(text)
        ));
        field.report(problem.expecting(expected));
        return None;
    }
    // Credentials go to the host: it must not depend on the name of a repository.
    let filled = text.replace(SCOPE_PLACEHOLDER, "group/name");
    let other = text.replace(SCOPE_PLACEHOLDER, "other/name");
    let address = |text: &str| {
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "https" | "http" | "ssh").then_some(url)
    };
    let same_host = match (address(&filled), address(&other)) {
        (Some(one), Some(two)) => {
            (one.host_str(), one.port()) == (two.host_str(), two.port())
                && one.username() == two.username()
        }
        _ => false,
    };
    if !same_host {
        let message = format!("{} is not an address of one host", quoted(text));
        field.report(field.error(message).expecting(expected));
        return None;
    }
    if let Err(reason) = RemoteUrl::parse(&filled, Paths::Refused) {
        let message = format!("{}: {}", quoted(text), reason.why);
        field.report(field.error(message).expecting(expected));
        return None;
    }
    Some(text.to_owned())
}

/// The user of ssh is public (`git`); a user of https may be a token.
fn carries_password(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let user_is_public = url.scheme() == "ssh" && url.password().is_none();
        has_userinfo(&url) && !user_is_public
    })
}
