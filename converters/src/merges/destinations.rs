//! What branches hold that pull requests were merged into.

use std::collections::HashMap;

use headwater_domain::code::git_ref::Model as Ref;
use headwater_domain::graph::{Commit, Graph, Reach};

/// What each branch reaches, found when it is asked for.
pub(super) struct Destinations<'g> {
    graph: &'g Graph,
    branches: HashMap<String, Commit>,
    default: Option<String>,
    /// What was asked for last: most pull requests go into one branch.
    last: Option<(Commit, Reach)>,
}

impl<'g> Destinations<'g> {
    pub(super) fn of(graph: &'g Graph, refs: &[Ref]) -> Self {
        let branches = refs.iter().filter(|it| it.ref_type != "TAG");
        let mut known = HashMap::new();
        let mut default = None;
        for branch in branches {
            let name = branch.name.clone();
            let commit = branch.commit_sha.parse().ok();
            let Some(commit) = commit.and_then(|hash| graph.find(hash)) else {
                continue;
            };
            if branch.is_default {
                default = Some(name.clone());
            }
            known.insert(name, commit);
        }
        Self {
            graph,
            branches: known,
            default,
            last: None,
        }
    }

    /// The branch of this name, else the default branch: its commit.
    pub(super) fn tip(&self, name: &str) -> Option<Commit> {
        let default = || self.default.as_ref().and_then(|it| self.branches.get(it));
        self.branches.get(name).or_else(default).copied()
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
