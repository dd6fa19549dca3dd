//! What a command runs: which stages, which streams, how far back.

use crate::exit::Failure;
use crate::sources::Sources;

/// Stages a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// API pages to raw rows.
    pub collect: bool,
    /// Raw rows to tool rows.
    pub extract: bool,
    /// Tool rows to domain rows.
    pub convert: bool,
}

impl Stages {
    /// No network: everything that follows from the raw tables.
    pub const OFFLINE: Self = Self {
        collect: false,
        extract: true,
        convert: true,
    };
    /// All of them.
    pub const ALL: Self = Self {
        collect: true,
        ..Self::OFFLINE
    };
    /// API pages to raw rows only.
    pub const COLLECT: Self = Self {
        collect: true,
        extract: false,
        convert: false,
    };
    /// Raw rows to tool rows only.
    pub const EXTRACT: Self = Self {
        convert: false,
        ..Self::OFFLINE
    };
    /// Tool rows to domain rows only.
    pub const CONVERT: Self = Self {
        extract: false,
        ..Self::OFFLINE
    };
}

/// How much the source is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What changed since the last time.
    #[default]
    Changes,
    /// Every list as a whole, and the records of the items that changed.
    Lists,
    /// Every list as a whole, and the records of every item.
    Everything,
}

/// What a command runs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The command's name, for the run log.
    pub command: &'static str,
    /// Its stages.
    pub stages: Stages,
    /// Streams that are collected and extracted.
    pub streams: Vec<&'static str>,
    /// How much the source is asked for.
    pub depth: Depth,
}

/// Chooses streams by name: all, only some, or all but some.
///
/// # Errors
/// Exit 2 for a name that is no stream, with the nearest one.
pub fn choose_streams(
    sources: &Sources,
    only: &[String],
    skip: &[String],
) -> Result<Vec<&'static str>, Failure> {
    let names = sources.stream_names();
    for name in only.iter().chain(skip) {
        if !names.contains(&name.as_str()) {
            return Err(Failure::usage(unknown_stream(name, &names)));
        }
    }
    let chosen = names.into_iter().filter(|name| {
        let is_in = |list: &[String]| list.iter().any(|n| n == name);
        (only.is_empty() || is_in(only)) && !is_in(skip)
    });
    Ok(chosen.collect())
}

/// What is said of a name that is no stream, with the nearest one.
#[must_use]
pub fn unknown_stream(name: &str, known: &[&'static str]) -> String {
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    let nearest = nearest
        .map(|n| format!("did you mean {n}? "))
        .unwrap_or_default();
    format!(
        "{name} is no stream; {nearest}The streams are: {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        choose_streams(&Sources::all(), &owned(only), &owned(skip)).map_err(|e| e.message)
    }

    #[test]
    fn streams_are_chosen_in_their_own_order() {
        let only = chosen(&["pull_request_comments", "pull_requests"], &[]);
        assert_eq!(only, Ok(vec!["pull_requests", "pull_request_comments"]));
        let skip = chosen(&[], &["pull_request_activities", "pull_request_commits"]);
        let mut rest = Sources::all().stream_names();
        rest.retain(|name| !["pull_request_activities", "pull_request_commits"].contains(name));
        assert_eq!(skip, Ok(rest));
    }

    #[test]
    fn a_misspelt_stream_is_refused_with_the_nearest_name() {
        let message = chosen(&["pull_request_coments"], &[]).unwrap_err();
        assert!(
            message.contains("did you mean pull_request_comments?"),
            "{message}"
        );
    }
}
