//! What to do next: one sentence for each thing that can be wrong.

use std::time::Duration;

use crate::connect::{Clues, LooksLike};

/// The change that ended app passwords.
pub(super) const APP_PASSWORD_CHANGE: &str = "CHANGE-3222";

pub(super) const NOT_THE_API: &str = "Check that `endpoint` is the address of the API and that no \
     proxy or login page answers in its place.";
pub(super) const SERVER: &str = "Try again in some minutes, because the server itself has a \
     problem, and look at the status page of Bitbucket if it lasts.";
pub(super) const REFUSED: &str =
    "Check host and port of `endpoint`, and whether a firewall or a missing `proxy` is in the way.";
pub(super) const PROXY: &str = "Check the address of `proxy` and the user and password in it, and \
     whether the proxy lets requests through to this server.";
pub(super) const PROXY_LOGIN: &str = "Put the proxy's address with user and password into a \
     variable and write proxy = \"env:NAME\", because the proxy asks for a login.";
pub(super) const TLS: &str = "Name the certificate of your own authority in `ca_file`, or check \
     that `endpoint` is the host the certificate was made for.";
pub(super) const TIMEOUT: &str = "Check that this machine may reach the server directly or set \
     `proxy`, and raise `timeout_seconds` if the network is slow.";
pub(super) const BROKEN: &str =
    "Try again, and check proxy and firewall if the connection breaks every time.";
pub(super) const TOKEN_URL: &str =
    "Check `auth.token_url`; without it access tokens are asked for at bitbucket.org.";
pub(super) const CONSUMER: &str = "Check auth.key and auth.secret against the OAuth consumer in \
     the workspace's settings, and that \"This is a private consumer\" is ticked there.";

const APP_PASSWORD: &str = "Create an API token with scopes at id.atlassian.com and set auth.kind \
     = \"api-token\" with auth.email and auth.token, because app passwords no longer work since \
     2026-07-28 (CHANGE-3222).";

/// After a 401.
pub(super) fn refused(message: &str, clues: &Clues) -> String {
    let lower = message.to_lowercase();
    let app_password = clues.auth_kind == "basic"
        || clues.looks_like == LooksLike::AppPassword
        || lower.contains("app password")
        || message.contains(APP_PASSWORD_CHANGE);
    if app_password {
        return APP_PASSWORD.to_owned();
    }
    let expired = lower.contains("expired") && !lower.contains("invalid, expired");
    match (clues.auth_kind, clues.looks_like) {
        ("none", _) => "Set `auth`, because this server answers nobody without credentials, and \
             name a public workspace in `scopes` if you have none."
            .to_owned(),
        ("api-token", LooksLike::AccessToken) => "Set auth.kind = \"access-token\" and leave out \
             auth.email, because this token is an access token."
            .to_owned(),
        ("api-token", _) if !clues.user_is_email => "Put the e-mail address of the Atlassian \
             account into auth.email and an API token from id.atlassian.com into auth.token, \
             because user names and app passwords no longer work (CHANGE-3222)."
            .to_owned(),
        ("access-token", LooksLike::ApiToken) => "Set auth.kind = \"api-token\" and auth.email, \
             because this token is the API token of a person."
            .to_owned(),
        ("oauth", _) => "Check that the OAuth consumer still exists and that its owner still \
             belongs to the workspace."
            .to_owned(),
        ("api-token", _) if expired => "Create a new API token at id.atlassian.com, because this \
             one has expired."
            .to_owned(),
        ("access-token", _) if expired => {
            "Create a new access token, because this one has expired.".to_owned()
        }
        ("access-token", _) => "Check that the access token was copied whole and still exists, \
             or set auth.kind = \"api-token\" with auth.email if it is the token of a person."
            .to_owned(),
        _ => "Check auth.email, and that the API token was made with scopes for Bitbucket, was \
             copied whole and has not expired."
            .to_owned(),
    }
}

/// After a 403.
pub(super) fn forbidden(required: &[String], granted: &[String], clues: &Clues) -> String {
    let missing: Vec<&str> = required
        .iter()
        .filter(|scope| !granted.contains(scope))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return "Ask an administrator of the workspace for read access for these credentials, or \
             to let this machine's address through where access is limited to some."
            .to_owned();
    }
    let scopes = missing.join(" ");
    match clues.auth_kind {
        "oauth" => {
            format!("Give the OAuth consumer the permission {scopes} in the workspace's settings.")
        }
        "access-token" => format!("Create a new access token that has {scopes} too."),
        "none" => format!("Set `auth` with credentials that have {scopes}."),
        _ => format!(
            "Create a new API token that has {scopes} too, because one scope does not include \
             another."
        ),
    }
}

/// After a 404.
pub(super) fn not_found(clues: &Clues) -> String {
    if clues.auth_kind == "none" {
        return "Check the name in `scopes`, or set `auth`, because what is private looks as if \
             it did not exist."
            .to_owned();
    }
    "Check the name in `scopes` against the address in the browser, and that these credentials \
     may see it, because what is hidden looks as if it did not exist."
        .to_owned()
}

/// After an empty list.
pub(super) fn nothing_listed(clues: &Clues) -> String {
    if clues.auth_kind == "none" {
        return "Set `auth`, because without credentials only public repositories are listed."
            .to_owned();
    }
    "Give these credentials access to a repository of the workspace, or check that its name in \
     `scopes` is the right one."
        .to_owned()
}

/// After a 410.
pub(super) fn removed(change: Option<&str>) -> String {
    match change {
        Some("CHANGE-2770") => "Name the workspace in `scopes`, because lists across workspaces \
             were replaced by `/user/workspaces` and `/repositories/{workspace}` (CHANGE-3022)."
            .to_owned(),
        Some(change) => format!(
            "Install a newer headwater, because this one knows no replacement for what {change} \
             removed."
        ),
        None => "Check that the workspace still exists and is not blocked, and install a newer \
             headwater if it is fine, because this one knows no replacement."
            .to_owned(),
    }
}

/// After a 429.
pub(super) fn rate_limited(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(pause) => format!(
            "Wait {} seconds as the server asks, and lower `requests_per_hour` if other programs \
             use these credentials too.",
            pause.as_secs()
        ),
        None => "Wait up to an hour, and lower `requests_per_hour` if other programs use these \
             credentials too."
            .to_owned(),
    }
}

/// When a host name is not known.
pub(super) fn name(clues: &Clues) -> String {
    if clues.resolves_before_proxy {
        return "Check the host names in `endpoint` and `proxy`, or write socks5h:// in `proxy` \
             so that the proxy looks the server's name up."
            .to_owned();
    }
    "Check the host names in `endpoint` and `proxy`, and whether this machine needs a `proxy` to \
     reach the server."
        .to_owned()
}
