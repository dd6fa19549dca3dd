//! Generations: how far a commit is above its farthest root.

use super::{Commit, Graph};

/// The generation of a commit whose parents are being looked at.
const UNDER_WAY: u32 = u32::MAX;

impl Graph {
    /// Finds every commit's generation, its parents first, without recursion.
    ///
    /// Real hashes cannot form a circle. Where damaged rows do, the commits of the circle get some
    /// generation and count as incomplete.
    pub(super) fn number_generations(&mut self) {
        // Commits on the way down, each with the place of the parent to look at next.
        let mut path: Vec<(Commit, usize)> = Vec::new();
        for number in (0..).take(self.spans.len()) {
            self.enter(Commit(number), &mut path);
            while let Some((commit, next)) = path.pop() {
                let unseen = self.parents(commit)[next..]
                    .iter()
                    .position(|parent| self.generations[parent.place()] == 0);
                let Some(unseen) = unseen else {
                    self.settle(commit);
                    continue;
                };
                let place = next + unseen;
                path.push((commit, place + 1));
                self.enter(self.parents(commit)[place], &mut path);
            }
        }
    }

    fn enter(&mut self, commit: Commit, path: &mut Vec<(Commit, usize)>) {
        let generation = &mut self.generations[commit.place()];
        if *generation == 0 {
            *generation = UNDER_WAY;
            path.push((commit, 0));
        }
    }

    /// Gives a commit its generation once all its parents have theirs.
    fn settle(&mut self, commit: Commit) {
        let mut highest = 0;
        let mut whole = self.is_known(commit);
        for parent in self.parents(commit) {
            whole &= self.whole[parent.place()];
            let generation = self.generations[parent.place()];
            if generation != UNDER_WAY {
                highest = highest.max(generation);
            }
        }
        self.whole[commit.place()] = whole;
        self.generations[commit.place()] = highest + 1;
    }
}
