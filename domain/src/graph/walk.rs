//! What one commit has that another has not.

use std::collections::BinaryHeap;

use super::{Commit, Graph};

/// Reached from the new end.
const NEW: u8 = 1;
/// Reached from the old end.
const OLD: u8 = 2;
/// Its parents have been reached.
const PASSED: u8 = 4;
/// Put into the result.
const LISTED: u8 = 8;

/// Commits that can be reached from one commit and not from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'w> {
    /// Known commits in the order in which a depth-first walk from the new end meets them, first
    /// parents before others; the new end itself is the first.
    pub commits: &'w [Commit],
    /// False when the history of an end is cut off, so that there may be more or fewer.
    pub is_complete: bool,
}

/// Compares commits of one graph, as many pairs as are wanted: memory that a pair needed is used
/// by the next one.
///
/// A pair costs what is new, and of what is old only the commits above the lowest new one. Both
/// ends go down together by generation, so that when a commit's turn comes, all that is built on
/// it has been passed, and it is certain whether the old end reaches it. It ends when nothing that
/// waits is new.
pub struct RangeWalk<'g> {
    graph: &'g Graph,
    marks: Vec<u8>,
    touched: Vec<Commit>,
    /// Commits that wait, the highest generation first.
    waiting: BinaryHeap<(u32, Commit)>,
    /// How many of those that wait are reached by the new end only.
    fresh: usize,
    path: Vec<Commit>,
    listed: Vec<Commit>,
}

impl<'g> RangeWalk<'g> {
    /// A walk over this graph.
    #[must_use]
    pub fn over(graph: &'g Graph) -> Self {
        Self {
            graph,
            marks: vec![0; graph.spans.len()],
            touched: Vec::new(),
            waiting: BinaryHeap::new(),
            fresh: 0,
            path: Vec::new(),
            listed: Vec::new(),
        }
    }

    /// The commits that can be reached from `new` and not from `old`.
    pub fn difference(&mut self, new: Commit, old: Commit) -> Difference<'_> {
        self.clear();
        self.reach(new, NEW);
        self.reach(old, OLD);
        while self.fresh > 0
            && let Some((_, commit)) = self.waiting.pop()
        {
            let mark = &mut self.marks[commit.place()];
            *mark |= PASSED;
            let side = if *mark & OLD == 0 { NEW } else { OLD };
            if side == NEW {
                self.fresh -= 1;
            }
            let graph = self.graph;
            for parent in graph.parents(commit) {
                self.reach(*parent, side);
            }
        }
        self.list_from(new);
        let is_complete =
            self.listed.is_empty() || (self.graph.is_whole(new) && self.graph.is_whole(old));
        Difference {
            commits: &self.listed,
            is_complete,
        }
    }

    /// How many commits the last pair looked at.
    #[cfg(test)]
    pub(super) fn looked_at(&self) -> usize {
        self.touched.len()
    }

    fn clear(&mut self) {
        for commit in self.touched.drain(..) {
            self.marks[commit.place()] = 0;
        }
        self.waiting.clear();
        self.listed.clear();
        self.fresh = 0;
    }

    fn reach(&mut self, commit: Commit, side: u8) {
        let mark = &mut self.marks[commit.place()];
        let before = *mark;
        if before & OLD != 0 || before & side != 0 {
            return;
        }
        *mark |= side;
        if before == 0 {
            self.touched.push(commit);
            let generation = self.graph.generations[commit.place()];
            self.waiting.push((generation, commit));
            if side == NEW {
                self.fresh += 1;
            }
        } else if before & PASSED == 0 {
            // It waited as a new one, and the old end has it too.
            self.fresh -= 1;
        }
    }

    /// Lists what is new, parents after children where the way leads straight down. The stack
    /// takes parents in reverse, so that the first one is looked at first.
    fn list_from(&mut self, new: Commit) {
        self.path.push(new);
        while let Some(commit) = self.path.pop() {
            let mark = &mut self.marks[commit.place()];
            if *mark & (NEW | OLD | LISTED) != NEW {
                continue;
            }
            *mark |= LISTED;
            if self.graph.is_known(commit) {
                self.listed.push(commit);
            }
            self.path
                .extend(self.graph.parents(commit).iter().rev().copied());
        }
    }
}
