//! The version in the name of a tag.

use std::cmp::Ordering;
use std::fmt;

use semver::Version;

/// A semantic version. Compared by precedence: what stands behind a `+` has no weight.
#[derive(Clone, Debug)]
pub struct TagVersion(Version);

/// Why a name is no semantic version. What follows is the part of the name that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// There is no number where the version should begin.
    #[error("{0:?} does not begin with a number (`tag_prefixes` names what may stand before it)")]
    NoNumber(String),
    /// Not three numbers.
    #[error("{text:?} has {count}, and a version has three, such as 1.2.0", count = numbers(*.count))]
    Numbers {
        /// The version part of the name.
        text: String,
        /// How many there are.
        count: usize,
    },
    /// Something else that the rules of semantic versioning forbid.
    #[error("{text:?}: {reason}")]
    Malformed {
        /// The version part of the name.
        text: String,
        /// Which rule.
        reason: String,
    },
}

fn numbers(count: usize) -> String {
    match count {
        1 => "one number".to_owned(),
        2 => "two numbers".to_owned(),
        4 => "four numbers".to_owned(),
        _ => format!("{count} numbers"),
    }
}

impl TagVersion {
    /// Reads the version in a tag's name: an optional prefix, the longest that fits, an optional
    /// `v`, and three numbers with what semantic versioning allows behind them.
    ///
    /// # Errors
    /// When the name is no version, with the reason.
    pub fn of_tag(name: &str, prefixes: &[String]) -> Result<Self, NoVersion> {
        let fitting = prefixes
            .iter()
            .filter_map(|prefix| name.strip_prefix(prefix.as_str()));
        let rest = fitting.min_by_key(|rest| rest.len()).unwrap_or(name);
        let text = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(NoVersion::NoNumber(rest.to_owned()));
        }
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut parts = text[..end].split('.');
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let count = text[..end].split('.').count();
        if count != 3 && parts.all(|part| !part.is_empty() && is_number(part)) {
            let text = text.to_owned();
            return Err(NoVersion::Numbers { text, count });
        }
        Version::parse(text)
            .map(Self)
            .map_err(|error| NoVersion::Malformed {
                text: text.to_owned(),
                reason: error.to_string(),
            })
    }

    /// Whether it comes before its release, as `1.0.0-rc.1` does.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl fmt::Display for TagVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

impl Ord for TagVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl PartialOrd for TagVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TagVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TagVersion {}
