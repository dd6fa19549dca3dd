//! What branches hold that pull requests were merged into.

use std::collections::HashMap;
use std::fmt::Write as _;

use headwater_domain::code::git_ref::Model as Ref;
use headwater_domain::graph::{Commit, Graph, Reach};
use xxhash_rust::xxh3::xxh3_128;

/// The branches whose newest commit the repository has.
pub(super) struct Branches<T> {
    known: HashMap<String, T>,
    default: Option<String>,
}

impl<T> Branches<T> {
    /// Those of these refs whose commit is known.
    pub(super) fn of(refs: &[Ref], known: impl Fn(&str) -> Option<T>) -> Self {
        let mut branches = Self {
            known: HashMap::new(),
            default: None,
        };
        for branch in refs.iter().filter(|it| it.ref_type != "TAG") {
            if let Some(commit) = known(&branch.commit_sha) {
                if branch.is_default {
                    branches.default = Some(branch.name.clone());
                }
                branches.known.insert(branch.name.clone(), commit);
            }
        }
        branches
    }

    /// The branch of this name, else the default branch.
    fn serving(&self, name: &str) -> Option<(&String, &T)> {
        let default = || self.known.get_key_value(self.default.as_ref()?);
        self.known.get_key_value(name).or_else(default)
    }

    /// Says for each of these names which branch serves as destination, and whether the repository
    /// has any commit, in few words: as long as these stay the same, only what moves on the
    /// branches matters.
    pub(super) fn described<'n>(
        &self,
        names: impl IntoIterator<Item = &'n String>,
        has_commits: bool,
    ) -> String {
        let mut text = format!("commits={has_commits}");
        for name in names {
            let serving = self.serving(name).map(|(serving, _)| serving);
            // Writing into a text never fails.
            let _ = write!(text, " {name:?}={serving:?}");
        }
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }
}

/// What each branch reaches, found when it is asked for.
pub(super) struct Destinations<'g> {
    graph: &'g Graph,
    pub(super) branches: Branches<Commit>,
    /// What was asked for last: most pull requests go into one branch.
    last: Option<(Commit, Reach)>,
}

impl<'g> Destinations<'g> {
    pub(super) fn of(graph: &'g Graph, refs: &[Ref]) -> Self {
        Self {
            graph,
            branches: Branches::of(refs, |sha| graph.find(sha.parse().ok()?)),
            last: None,
        }
    }

    /// The branch of this name, else the default branch: its commit.
    pub(super) fn tip(&self, name: &str) -> Option<Commit> {
        self.branches.serving(name).map(|(_, tip)| *tip)
    }

    /// What that branch holds.
    pub(super) fn reach(&mut self, name: &str) -> Option<&Reach> {
        let tip = self.tip(name)?;
        if self.last.as_ref().is_none_or(|(last, _)| *last != tip) {
            self.last = Some((tip, Reach::from(self.graph, tip)));
        }
        self.last.as_ref().map(|(_, reach)| reach)
    }
}
