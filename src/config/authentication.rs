//! How a connection proves who it is.

use schemars::JsonSchema;
use url::Url;

use super::addresses;
use super::connection::ConnectionKind;
use super::problem::quoted;
use super::reader::{Field, TableReader, closest, listed};
use super::secret::SecretSource;

/// Where Bitbucket Cloud gives access tokens to OAuth consumers.
pub const DEFAULT_TOKEN_URL: &str = "https://bitbucket.org/site/oauth2/access_token";

/// How a connection proves who it is. Default: `{"kind":"none"}`.
///
/// Every value may be `env:NAME`, `file:PATH` (relative to this file's folder) or literal.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// An Atlassian API token with scopes, for Bitbucket Cloud.
    ApiToken {
        /// The e-mail address of the token's owner.
        email: SecretSource,
        /// The API token.
        token: SecretSource,
    },
    /// An access token of a repository, project, workspace or user, sent as a bearer token.
    AccessToken {
        /// The access token.
        token: SecretSource,
    },
    /// A consumer of OAuth with client credentials, for Bitbucket Cloud.
    Oauth {
        /// The consumer's key.
        key: SecretSource,
        /// The consumer's secret.
        secret: SecretSource,
        /// Where access tokens are asked for.
        /// Default: `"https://bitbucket.org/site/oauth2/access_token"`.
        #[schemars(
            with = "Option<String>",
            default,
            extend("default" = DEFAULT_TOKEN_URL)
        )]
        token_url: Option<Url>,
    },
    /// A user name and a password, for Data Center and git servers.
    Basic {
        /// The user name.
        user: SecretSource,
        /// The password, or a token in its place.
        password: SecretSource,
    },
    /// No credentials: public repositories only, 60 requests an hour on Bitbucket Cloud.
    None,
}

impl Auth {
    /// The word that the file uses.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiToken { .. } => "api-token",
            Self::AccessToken { .. } => "access-token",
            Self::Oauth { .. } => "oauth",
            Self::Basic { .. } => "basic",
            Self::None => "none",
        }
    }

    /// Whether requests go out without credentials.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Every value that may have to be read from outside the file.
    #[must_use]
    pub fn sources(&self) -> Vec<&SecretSource> {
        match self {
            Self::ApiToken { email, token } => vec![email, token],
            Self::AccessToken { token } => vec![token],
            Self::Oauth { key, secret, .. } => vec![key, secret],
            Self::Basic { user, password } => vec![user, password],
            Self::None => vec![],
        }
    }
}

const KINDS: [&str; 5] = ["api-token", "access-token", "oauth", "basic", "none"];

/// The keys each kind has beside `kind`.
fn keys_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "api-token" => &["email", "token"],
        "access-token" => &["token"],
        "oauth" => &["key", "secret", "token_url"],
        "basic" => &["user", "password"],
        _ => &[],
    }
}

/// Kinds that the servers of a connection understand.
fn kinds_for(connection: ConnectionKind) -> &'static [&'static str] {
    match connection {
        ConnectionKind::BitbucketCloud => &KINDS,
        ConnectionKind::BitbucketDataCenter | ConnectionKind::Git => {
            &["access-token", "basic", "none"]
        }
    }
}

/// Reads `auth` of a connection; a connection without it has no credentials.
pub(super) fn read(field: Option<&Field<'_>>, connection: Option<ConnectionKind>) -> Option<Auth> {
    let Some(field) = field else {
        return Some(Auth::None);
    };
    let mut table = field.table()?;
    let kind_field = table.required("kind", "\"api-token\"");
    let kind = kind_field
        .as_ref()
        .and_then(|field| read_kind(field, connection));
    // Without a kind it is unknown which keys are right, so none is reported.
    let kind = kind?;
    let auth = read_values(&mut table, kind);
    report_foreign_keys(&mut table, kind);
    table.finish_with(&[
        ("username", "user"),
        ("pass", "password"),
        ("mail", "email"),
        ("client_id", "key"),
        ("client_secret", "secret"),
    ]);
    auth
}

fn read_kind(field: &Field<'_>, connection: Option<ConnectionKind>) -> Option<&'static str> {
    let text = field.text()?;
    let Some(kind) = KINDS.into_iter().find(|kind| *kind == text) else {
        let meant = closest(text, &KINDS).unwrap_or("api-token");
        let meant = if text == "token" { "api-token" } else { meant };
        let message = format!("{} is not a kind of authentication", quoted(text));
        let problem = field
            .error(message)
            .expecting(format!("one of {}", listed(&KINDS)))
            .write(format!("auth.kind = \"{meant}\""));
        field.report(problem);
        return None;
    };
    if let Some(connection) = connection {
        check_fits(field, kind, connection);
    }
    Some(kind)
}

fn check_fits(field: &Field<'_>, kind: &str, connection: ConnectionKind) {
    let fitting = kinds_for(connection);
    if !fitting.contains(&kind) {
        let message = format!("\"{kind}\" does not work with {}", connection.as_str());
        let problem = field.error(message);
        field.report(problem.expecting(format!("one of {}", listed(fitting))));
    }
    if kind == "basic" && connection == ConnectionKind::BitbucketCloud {
        let problem = field
            .warning("Bitbucket Cloud removed app passwords on 2026-07-28")
            .expecting("\"api-token\" with auth.email and auth.token")
            .write("auth.kind = \"api-token\"");
        field.report(problem);
    }
}

fn read_values(table: &mut TableReader<'_>, kind: &str) -> Option<Auth> {
    let mut identity = |name| {
        let field = table.required(name, "\"…\"")?;
        if name == "email" {
            check_email(&field);
        }
        field.source()
    };
    let name = match kind {
        "api-token" => identity("email"),
        "oauth" => identity("key"),
        "basic" => identity("user"),
        _ => None,
    };
    let mut credential = |name| {
        let field = table.required(name, "\"env:NAME\"")?;
        field.secret()
    };
    match kind {
        "api-token" => {
            let token = credential("token");
            let (email, token) = (name?, token?);
            Some(Auth::ApiToken { email, token })
        }
        "access-token" => credential("token").map(|token| Auth::AccessToken { token }),
        "oauth" => {
            let secret = credential("secret");
            let field = table.field("token_url");
            let token_url = match &field {
                Some(field) => addresses::read_token_url(field),
                None => Url::parse(DEFAULT_TOKEN_URL).ok(),
            };
            let (key, secret) = (name?, secret?);
            Some(Auth::Oauth {
                key,
                secret,
                token_url,
            })
        }
        "basic" => {
            let password = credential("password");
            let (user, password) = (name?, password?);
            Some(Auth::Basic { user, password })
        }
        _ => Some(Auth::None),
    }
}

/// An address has an `@`, unless it comes from elsewhere.
fn check_email(field: &Field<'_>) {
    let Some(text) = field.plain_text() else {
        return;
    };
    let elsewhere = ["env:", "file:", "$", "%"];
    if text.trim().is_empty() || elsewhere.iter().any(|start| text.starts_with(start)) {
        return;
    }
    let is_address = |(name, host): (&str, &str)| !name.is_empty() && !host.is_empty();
    if !text.split_once('@').is_some_and(is_address) {
        let problem = field.error("is no e-mail address");
        field.report(
            problem.expecting("the address with which the token's owner logs in to Atlassian"),
        );
    }
}

/// A key of another kind is known, yet would be ignored: say which kind it belongs to.
fn report_foreign_keys(table: &mut TableReader<'_>, kind: &str) {
    for name in [
        "email",
        "token",
        "key",
        "secret",
        "token_url",
        "user",
        "password",
    ] {
        if keys_of(kind).contains(&name) || !table.has(name) {
            continue;
        }
        let Some(field) = table.field(name) else {
            continue;
        };
        let owners: Vec<&str> = KINDS
            .into_iter()
            .filter(|other| keys_of(other).contains(&name))
            .collect();
        let message = format!("does not belong to auth.kind = \"{kind}\"");
        let problem = field.error(message);
        field.report(problem.expecting(format!("it with {}", owners.join(" or "))));
    }
}
