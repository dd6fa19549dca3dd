//! Where the tables live.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use url::Url;

use super::reader::{Field, TableReader};
use super::secret::{Secret, SecretError, SecretSource};

/// Where the tables live unless the file says otherwise.
pub const DEFAULT_DATABASE_URL: &str = "sqlite:headwater.db";

const FORMS: &str = "`sqlite:PATH`, `postgres://USER@HOST/DATABASE`, \
     `mysql://USER@HOST/DATABASE` or `env:NAME`";

/// Where the tables live.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` (relative to the current folder), `postgres://USER@HOST/DATABASE` or
    /// `mysql://USER@HOST/DATABASE`. An address with a password belongs into a variable:
    /// `env:DATABASE_URL`. Default: `"sqlite:headwater.db"`.
    #[schemars(default, extend("default" = DEFAULT_DATABASE_URL))]
    pub url: DatabaseUrl,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: DatabaseUrl(SecretSource::literal(DEFAULT_DATABASE_URL)),
        }
    }
}

/// The address of the database, or the place that holds it.
#[derive(Clone)]
pub struct DatabaseUrl(SecretSource);

impl DatabaseUrl {
    /// Reads and checks the address; a relative `file:` path starts at `folder`.
    pub fn read(&self, folder: &Path) -> Result<DatabaseAddress, DatabaseUrlError> {
        let text = self.0.read(folder).map_err(DatabaseUrlError::Unreadable)?;
        DatabaseAddress::parse(text.expose())
    }

    pub(super) fn source(&self) -> &SecretSource {
        &self.0
    }
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Database::default().url
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_literal() {
            return write!(formatter, "{}", self.0);
        }
        // A literal needs no folder to be read.
        match self.read(Path::new("")) {
            Ok(address) => write!(formatter, "{address}"),
            Err(_) => formatter.write_str("***"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl JsonSchema for DatabaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(sqlite:|postgres://|postgresql://|mysql://|mariadb://|env:|file:)",
            "examples": ["sqlite:headwater.db", "postgres://headwater@localhost/headwater", "env:DATABASE_URL"]
        })
    }
}

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file on this machine.
    Sqlite,
    /// A `PostgreSQL` server.
    Postgres,
    /// A `MySQL` or `MariaDB` server.
    Mysql,
}

/// A checked address. It prints without userinfo and without options.
#[derive(Clone)]
pub struct DatabaseAddress {
    kind: DatabaseKind,
    url: Secret,
    shown: String,
}

impl DatabaseAddress {
    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The whole address with its password, for the one place that connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// What of the address no message may hold: its passwords, as they are written and as they are
    /// meant. One that is also the name of the user, the host or the database is no secret.
    #[must_use]
    pub fn passwords(&self) -> Vec<String> {
        let Ok(url) = Url::parse(self.expose()) else {
            return Vec::new();
        };
        let mut found: Vec<String> = Vec::new();
        if let Some(written) = url.password() {
            let escaped = written.replace('+', "%2B");
            let meant = url::form_urlencoded::parse(escaped.as_bytes());
            found.extend(meant.map(|(text, _)| text.into_owned()));
            found.push(written.to_owned());
        }
        let named = url.query_pairs().filter(|(name, _)| name == "password");
        found.extend(named.map(|(_, text)| text.into_owned()));
        let is_shown = |text: &String| self.shown.contains(text) || url.username() == text;
        found.retain(|text| !text.is_empty() && !is_shown(text));
        found
    }

    /// The database file, when it is `SQLite`.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let path = self.url.expose().strip_prefix("sqlite:")?;
        Some(PathBuf::from(path))
    }

    /// The address of a database file, whatever characters its path has.
    #[must_use]
    pub fn of_file(path: &Path) -> Self {
        let url = format!("sqlite:{}", path.display());
        Self {
            kind: DatabaseKind::Sqlite,
            url: Secret::new(url.clone()),
            shown: url,
        }
    }

    /// Checks an address; the errors do not repeat any part of it.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return Self::sqlite(rest);
        }
        let url = Url::parse(text).map_err(|_| DatabaseUrlError::Form)?;
        let (kind, scheme) = match url.scheme() {
            "postgres" | "postgresql" => (DatabaseKind::Postgres, "postgres"),
            "mysql" | "mariadb" => (DatabaseKind::Mysql, "mysql"),
            _ => return Err(DatabaseUrlError::Form),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(DatabaseUrlError::Host)?;
        let name = url.path().trim_matches('/');
        if name.is_empty() {
            return Err(DatabaseUrlError::Name);
        }
        let port = url.port().map(|port| format!(":{port}"));
        let shown = format!("{scheme}://{host}{}/{name}", port.unwrap_or_default());
        let (_, after_scheme) = text.split_once("://").ok_or(DatabaseUrlError::Form)?;
        Ok(Self {
            kind,
            url: Secret::new(format!("{scheme}://{after_scheme}")),
            shown,
        })
    }

    fn sqlite(rest: &str) -> Result<Self, DatabaseUrlError> {
        if rest.contains(":memory:") || rest.contains("mode=memory") {
            return Err(DatabaseUrlError::Memory);
        }
        if rest.contains('?') {
            return Err(DatabaseUrlError::SqliteOptions);
        }
        // `sqlite://name.db` is what other programs write.
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.trim().is_empty() || path.ends_with('/') {
            return Err(DatabaseUrlError::SqlitePath);
        }
        let url = format!("sqlite:{path}");
        Ok(Self {
            kind: DatabaseKind::Sqlite,
            url: Secret::new(url.clone()),
            shown: url,
        })
    }

    fn has_password(&self) -> bool {
        Url::parse(self.expose()).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Why an address cannot be used. No message repeats any part of the address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// The variable or file that holds the address cannot be read.
    #[error("the address of the database cannot be read")]
    Unreadable(#[source] SecretError),
    /// It has another form or names another database.
    #[error("is not the address of a database that can be used (not shown)")]
    Form,
    /// No host is given.
    #[error("has no host")]
    Host,
    /// No database is given.
    #[error("has no name of a database after the host")]
    Name,
    /// A database in memory.
    #[error(
        "is a database in memory: it would be lost at the end of each command, and each \
         connection to it would see its own"
    )]
    Memory,
    /// No file is given.
    #[error("has no path of a file after `sqlite:`")]
    SqlitePath,
    /// Options follow the path.
    #[error("has options after `?`, which are not read: the right ones are set already")]
    SqliteOptions,
}

/// Reads `[database]`.
pub(super) fn read(table: Option<TableReader<'_>>) -> Database {
    let Some(mut table) = table else {
        return Database::default();
    };
    let url = table.field("url").and_then(|field| read_url(&field));
    table.finish_with(&[("path", "url"), ("dsn", "url")]);
    Database {
        url: url.unwrap_or_default(),
    }
}

fn read_url(field: &Field<'_>) -> Option<DatabaseUrl> {
    let source = field.source()?;
    if !source.is_literal() {
        return Some(DatabaseUrl(source));
    }
    let example = format!("url = \"{DEFAULT_DATABASE_URL}\"");
    match DatabaseAddress::parse(field.text()?) {
        Ok(address) if address.has_password() => {
            let problem = field
                .warning("a password is in the file in plain text")
                .expecting("the address in an environment variable")
                .write("url = \"env:DATABASE_URL\"");
            field.report(problem);
        }
        Ok(_) => {}
        Err(reason) => {
            let problem = field.error(reason.to_string());
            field.report(problem.expecting(FORMS).write(example));
            return None;
        }
    }
    Some(DatabaseUrl(source))
}
