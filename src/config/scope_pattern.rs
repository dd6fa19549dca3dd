//! Which scopes are wanted: full names, globs, and exclusions that start with `!`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Characters that make a name a glob.
const GLOB_CHARACTERS: [char; 6] = ['*', '?', '[', ']', '{', '}'];

/// One entry of a `scopes` list: a full name or a glob, possibly an exclusion.
///
/// Names match in any case of letters, as Bitbucket's do. A `*` stays within one part of a name.
#[derive(Clone)]
pub struct ScopePattern {
    pattern: String,
    exclusion: bool,
    matcher: Option<GlobMatcher>,
}

/// Why a text is no pattern; reads on after the text itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopePatternError {
    /// Nothing is left after `!`.
    #[error("is empty")]
    Empty,
    /// A part of the name is empty, or there is space around it.
    #[error("has an empty part or stray spaces")]
    Part,
    /// Somebody pasted the address of a repository.
    #[error("is an address, not the full name of a scope")]
    Address,
    /// The glob does not parse.
    #[error("is not a valid glob: {0}")]
    Glob(String),
}

impl ScopePattern {
    /// Parses one entry of a `scopes` list.
    pub fn parse(text: &str) -> Result<Self, ScopePatternError> {
        let (pattern, exclusion) = match text.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        if pattern.is_empty() {
            return Err(ScopePatternError::Empty);
        }
        if pattern.contains("://") {
            return Err(ScopePatternError::Address);
        }
        let parts_are_sound = pattern
            .split('/')
            .all(|part| !part.is_empty() && part.trim() == part);
        if !parts_are_sound {
            return Err(ScopePatternError::Part);
        }
        let matcher = if pattern.contains(GLOB_CHARACTERS) {
            Some(glob_of_names(pattern).map_err(ScopePatternError::Glob)?)
        } else {
            None
        };
        Ok(Self {
            pattern: pattern.to_owned(),
            exclusion,
            matcher,
        })
    }

    /// A pattern that is one full name, whatever characters it has.
    #[must_use]
    pub fn exact(full_name: impl Into<String>) -> Self {
        Self {
            pattern: full_name.into(),
            exclusion: false,
            matcher: None,
        }
    }

    /// The name or glob, without the `!` of an exclusion.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether it is one full name, which needs no network to resolve.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.matcher.is_none()
    }

    /// Whether it starts with `!`.
    #[must_use]
    pub fn is_exclusion(&self) -> bool {
        self.exclusion
    }

    /// Whether a full name is meant; the same for exclusions.
    #[must_use]
    pub fn matches(&self, full_name: &str) -> bool {
        match &self.matcher {
            Some(matcher) => matcher.is_match(full_name),
            None => self.pattern.eq_ignore_ascii_case(full_name),
        }
    }

    /// The first part of the pattern: a workspace, or the key of a Data Center project.
    #[must_use]
    pub fn workspace(&self) -> &str {
        self.pattern
            .split_once('/')
            .map_or(self.pattern.as_str(), |(workspace, _)| workspace)
    }

    /// Whether the workspace is written out, so that it can be asked for its repositories.
    pub(super) fn names_its_workspace(&self) -> bool {
        !self.workspace().contains(GLOB_CHARACTERS)
    }
}

/// Compiles a glob whose `*` does not cross a slash.
pub(super) fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    compiled(&mut GlobBuilder::new(pattern))
}

/// The same for names of scopes, which match in any case of letters.
fn glob_of_names(pattern: &str) -> Result<GlobMatcher, String> {
    compiled(GlobBuilder::new(pattern).case_insensitive(true))
}

fn compiled(glob: &mut GlobBuilder<'_>) -> Result<GlobMatcher, String> {
    glob.literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|reason| reason.kind().to_string())
}

impl PartialEq for ScopePattern {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for ScopePattern {}

impl fmt::Display for ScopePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.exclusion { "!" } else { "" };
        write!(formatter, "{mark}{}", self.pattern)
    }
}

impl fmt::Debug for ScopePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{self}\"")
    }
}

impl JsonSchema for ScopePattern {
    fn schema_name() -> Cow<'static, str> {
        "ScopePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "A full name or a glob; `!` before it excludes what it matches.",
            "examples": ["acme/payments-api", "acme/*", "!acme/sandbox", "KEY/repos/slug"]
        })
    }
}

/// Whether some pattern matches and no exclusion does.
pub(super) fn wanted(patterns: &[ScopePattern], full_name: &str) -> bool {
    let (excluding, including): (Vec<_>, Vec<_>) =
        patterns.iter().partition(|pattern| pattern.exclusion);
    let matches = |pattern: &&ScopePattern| pattern.matches(full_name);
    including.iter().any(matches) && !excluding.iter().any(matches)
}

/// The full names among the patterns that no exclusion takes back.
pub(super) fn exact_names(patterns: &[ScopePattern]) -> Vec<&str> {
    let exact = patterns
        .iter()
        .filter(|pattern| pattern.is_exact() && !pattern.exclusion);
    let names: BTreeSet<&str> = exact.map(ScopePattern::as_str).collect();
    names
        .into_iter()
        .filter(|name| wanted(patterns, name))
        .collect()
}

/// The workspaces that must be asked for their repositories, because a glob needs them.
pub(super) fn workspaces_to_list(patterns: &[ScopePattern]) -> BTreeSet<&str> {
    patterns
        .iter()
        .filter(|pattern| !pattern.is_exact() && !pattern.exclusion)
        .filter(|pattern| pattern.names_its_workspace())
        .map(ScopePattern::workspace)
        .collect()
}

/// The workspaces that patterns write out, exclusions left aside.
pub(super) fn workspaces(patterns: &[ScopePattern]) -> BTreeSet<&str> {
    patterns
        .iter()
        .filter(|pattern| !pattern.exclusion && pattern.names_its_workspace())
        .map(ScopePattern::workspace)
        .collect()
}

/// Whether the workspace is a glob, so that all of them must be listed.
pub(super) fn lists_every_workspace(patterns: &[ScopePattern]) -> bool {
    patterns
        .iter()
        .any(|pattern| !pattern.exclusion && !pattern.names_its_workspace())
}
