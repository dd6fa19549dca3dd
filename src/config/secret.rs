//! Credentials: where they come from, and a type that cannot print them.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

use super::reader::Field;
use super::regular_file::read_regular;
use super::walk::Place;

/// What is printed in place of a secret, whatever its length.
const REDACTED: &str = "***";

/// Larger files are certainly not what was meant.
const LARGEST_SECRET_FILE: u64 = 64 * 1024;

/// A credential. It prints as `***` everywhere and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a credential.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The credential itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Where a value of the file comes from: `env:NAME`, `file:PATH` or the file itself.
///
/// Nothing is read until [`SecretSource::read`] is called, so a file can be checked on a
/// machine that does not have the credentials.
#[derive(Clone)]
pub struct SecretSource {
    origin: Origin,
    place: Option<Place>,
}

#[derive(Clone)]
enum Origin {
    Environment(String),
    File(PathBuf),
    Literal(Secret),
}

/// Why a secret could not be read. It names the variable or the path, never the value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable does not exist.
    #[error("environment variable {0} is not set")]
    VariableUnset(String),
    /// The variable exists but holds nothing.
    #[error("environment variable {0} is empty")]
    VariableEmpty(String),
    /// The variable holds bytes that are not UTF-8.
    #[error("environment variable {0} is not valid UTF-8")]
    VariableNotText(String),
    /// The file cannot be opened or read, or is not text.
    #[error("cannot read the file {}", path.display())]
    FileUnreadable {
        /// The file, with the folder it was looked for in.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file holds nothing.
    #[error("the file {} is empty", .0.display())]
    FileEmpty(PathBuf),
    /// The file is far larger than a credential.
    #[error("the file {} is larger than 64 KiB, which is no credential", .0.display())]
    FileTooLarge(PathBuf),
}

impl SecretSource {
    /// A value that is known already; for tests and for programs that build a configuration.
    #[must_use]
    pub fn literal(value: impl Into<String>) -> Self {
        Self {
            origin: Origin::Literal(Secret::new(value)),
            place: None,
        }
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn environment(name: impl Into<String>) -> Self {
        Self {
            origin: Origin::Environment(name.into()),
            place: None,
        }
    }

    /// The contents of a file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            origin: Origin::File(path.into()),
            place: None,
        }
    }

    /// Whether the value is in the configuration file itself.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.origin, Origin::Literal(_))
    }

    /// Reads the value; a relative path starts at `folder`, the configuration file's.
    pub fn read(&self, folder: &Path) -> Result<Secret, SecretError> {
        match &self.origin {
            Origin::Environment(name) => read_variable(name),
            Origin::File(path) => read_file(&folder.join(path)),
            Origin::Literal(secret) => Ok(secret.clone()),
        }
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Parses `env:NAME` and `file:PATH`; `None` when the text is neither.
    fn reference(text: &str) -> Option<Result<Origin, &'static str>> {
        if let Some(name) = text.strip_prefix("env:") {
            let origin = Origin::Environment(name.to_owned());
            return Some(if is_variable_name(name) {
                Ok(origin)
            } else {
                Err("env: is not followed by the name of an environment variable")
            });
        }
        let path = text.strip_prefix("file:")?;
        Some(if path.trim().is_empty() {
            Err("file: is not followed by a path")
        } else {
            Ok(Origin::File(PathBuf::from(path)))
        })
    }
}

fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The variable of `$NAME`, `${NAME}` or `%NAME%`. A credential can look like that too, but its
/// name is shown only where it is one by its letters: capitals, digits and `_`.
fn shell_variable(text: &str) -> Option<&str> {
    let text = text.trim();
    let braced = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let percent = text
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'));
    let name = braced.or(percent).or_else(|| text.strip_prefix('$'))?;
    let capitals = !name.contains(|letter: char| letter.is_ascii_lowercase());
    (capitals && is_variable_name(name)).then_some(name)
}

fn read_variable(name: &str) -> Result<Secret, SecretError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Err(SecretError::VariableEmpty(name.to_owned())),
        Ok(value) => Ok(Secret::new(value)),
        Err(std::env::VarError::NotPresent) => Err(SecretError::VariableUnset(name.to_owned())),
        // The error itself holds the value: it must not become the source of ours.
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(SecretError::VariableNotText(name.to_owned()))
        }
    }
}

fn read_file(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |source| SecretError::FileUnreadable {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_SECRET_FILE {
        return Err(SecretError::FileTooLarge(path.to_owned()));
    }
    let bytes = read_regular(path, LARGEST_SECRET_FILE).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        unreadable(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "stream did not contain valid UTF-8",
        ))
    })?;
    // Editors end files with a newline, which is no part of the credential.
    let value = text.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(SecretError::FileEmpty(path.to_owned()));
    }
    Ok(Secret::new(value))
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Environment(name) => write!(formatter, "env:{name}"),
            Origin::File(path) => write!(formatter, "file:{}", path.display()),
            Origin::Literal(secret) => write!(formatter, "{secret}"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "`env:NAME` reads an environment variable, `file:PATH` a file (relative to this file's folder); anything else is the value itself.",
            "examples": ["env:BITBUCKET_TOKEN", "file:bitbucket-token.txt"]
        })
    }
}

impl Field<'_> {
    /// A credential; a literal one is accepted with a warning.
    pub(super) fn secret(&self) -> Option<SecretSource> {
        let source = self.source()?;
        if source.is_literal() && !self.is_of_environment() {
            let problem = self
                .warning("a credential is in the file in plain text")
                .expecting("`env:NAME` or `file:PATH`")
                .write(format!("{} = \"env:NAME\"", self.name()));
            self.report(problem);
        }
        Some(source)
    }

    /// A value that may come from outside the file but is no credential, such as a user name.
    pub(super) fn source(&self) -> Option<SecretSource> {
        let text = self.text()?;
        let refuse = |message: &str| {
            self.report(self.error(message).expecting("`env:NAME` or `file:PATH`"));
            None
        };
        if text.trim().is_empty() {
            return refuse("is empty");
        }
        if let Some(name) = shell_variable(text) {
            let problem = self.error("a variable is not written as shells write it");
            let problem = problem.expecting("`env:NAME` or `file:PATH`");
            self.report(problem.write(format!("{} = \"env:{name}\"", self.name())));
            return None;
        }
        if text.starts_with("${") && text.ends_with('}') {
            return refuse("environment variables are not written with ${} here");
        }
        let origin = match SecretSource::reference(text) {
            Some(Ok(origin)) => origin,
            Some(Err(reason)) => return refuse(reason),
            None => Origin::Literal(Secret::new(text)),
        };
        Some(SecretSource {
            origin,
            place: Some(self.place()),
        })
    }
}
