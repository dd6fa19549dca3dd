//! `OLD..NEW`: names of tags or branches, or hashes.

use headwater_converters::diffs::find_ref;
use headwater_domain::code::git_ref::Model as Ref;
use headwater_domain::graph::{Commit, Graph};

use crate::exit::{Exit, Failure};

/// Digits of a hash that are too few to mean one commit.
const SHORTEST: usize = 4;

/// How many commits an ambiguous hash is shown with.
const TOLD: usize = 4;

/// The two ends as they were typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) old: String,
    pub(super) new: String,
}

impl Range {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let ends = text.split_once("..").filter(|(old, new)| {
            // `...` is another question to git.
            !old.is_empty() && !new.is_empty() && !new.starts_with('.')
        });
        let Some((old, new)) = ends else {
            return Err(Failure::usage(format!(
                "{text} is no range; write OLD..NEW, such as v1.0.0..v2.0.0"
            )));
        };
        Ok(Self {
            old: old.to_owned(),
            new: new.to_owned(),
        })
    }
}

/// The commit that a name or a hash means.
pub(super) fn find(
    scope: &str,
    refs: &[Ref],
    graph: &Graph,
    name: &str,
) -> Result<Commit, Failure> {
    if let Some(found) = find_ref(refs, name) {
        let commit = found.commit_sha.parse().ok();
        return commit.and_then(|hash| graph.find(hash)).ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                format!(
                    "{name} points to the commit {}, which is not among the commits of {scope} \
                     here; `headwater sync` collects it, where the API lists it or git is enabled",
                    found.commit_sha
                ),
            )
        });
    }
    let is_hash = name.len() >= SHORTEST && name.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut found = Vec::new();
    if is_hash {
        found.extend(graph.beginning_with(name).take(TOLD + 1));
    }
    found.sort_unstable();
    match found[..] {
        [hash] => graph.find(hash).ok_or_else(|| unknown(scope, name)),
        [] => Err(unknown(scope, name)),
        _ => {
            let told: Vec<String> = found.iter().take(TOLD).map(ToString::to_string).collect();
            let more = if found.len() > TOLD { ", ..." } else { "" };
            Err(Failure::usage(format!(
                "{name} is ambiguous in {scope}: {}{more}; write more digits",
                told.join(", ")
            )))
        }
    }
}

fn unknown(scope: &str, name: &str) -> Failure {
    Failure::usage(format!(
        "{scope} has no tag, branch or commit {name} here; `headwater tags {scope}` lists tags"
    ))
}

#[cfg(test)]
mod tests {
    use headwater_domain::graph::GraphBuilder;

    use super::*;

    #[test]
    fn a_hash_is_as_long_as_it_takes_to_mean_one_commit() {
        let texts = ["abcd1", "abcd2", "1234"].map(|text| format!("{text:0<40}"));
        let mut builder = GraphBuilder::default();
        for text in &texts {
            builder.add(text.parse().unwrap(), &[]).unwrap();
        }
        let graph = builder.finish();
        let commit = |name: &str| find("acme/rocket", &[], &graph, name);
        for (name, expected) in [("ABCD1", 0), ("abcd20", 1), ("1234", 2), (&texts[1], 1)] {
            let found = graph.hash(commit(name).unwrap());
            assert_eq!(found.to_string(), texts[expected], "{name}");
        }
        let ambiguous = commit("abcd").unwrap_err();
        assert_eq!(ambiguous.exit, Exit::Usage);
        let message = ambiguous.chain();
        assert!(message.contains("abcd is ambiguous"), "{message}");
        assert!(message.contains(&texts[0]) && message.contains(&texts[1]));
        for name in ["abc", "abcd3", "main", "", "xyzw"] {
            assert_eq!(commit(name).unwrap_err().exit, Exit::Usage, "{name}");
        }
    }

    #[test]
    fn a_range_has_two_ends() {
        let range = Range::parse("v1.0.0..release/2").unwrap();
        assert_eq!(
            (range.old.as_str(), range.new.as_str()),
            ("v1.0.0", "release/2")
        );
        for text in ["", "v1", "..", "v1..", "..v1", "v1...v2"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
