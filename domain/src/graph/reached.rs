//! Which commits can be reached from others.

use std::collections::{BinaryHeap, HashMap, HashSet};

use super::{Commit, Graph};

/// Everything that can be reached from one commit, itself included.
pub struct Reach {
    marks: Vec<bool>,
}

impl Reach {
    /// From this commit. It costs as much as there is to be reached.
    #[must_use]
    pub fn from(graph: &Graph, commit: Commit) -> Self {
        let mut marks = vec![false; graph.spans.len()];
        marks[commit.place()] = true;
        let mut left = vec![commit];
        while let Some(commit) = left.pop() {
            for parent in graph.parents(commit) {
                if !std::mem::replace(&mut marks[parent.place()], true) {
                    left.push(*parent);
                }
            }
        }
        Self { marks }
    }

    /// Whether a commit is among them.
    #[must_use]
    pub fn has(&self, commit: Commit) -> bool {
        self.marks[commit.place()]
    }
}

/// Those of some commits that can be reached from another one, in their order. It costs as much as
/// there is above the lowest of them.
#[must_use]
pub fn reached(graph: &Graph, from: Commit, commits: &[Commit]) -> Vec<Commit> {
    let generation = |commit: &Commit| graph.generations[commit.place()];
    let Some(lowest) = commits.iter().map(generation).min() else {
        return Vec::new();
    };
    let mut left: HashMap<Commit, bool> = commits.iter().map(|it| (*it, false)).collect();
    let mut missing = left.len();
    let mut seen = HashSet::from([from]);
    let mut waiting = BinaryHeap::from([(generation(&from), from)]);
    while missing > 0
        && let Some((_, commit)) = waiting.pop()
    {
        if let Some(found) = left.get_mut(&commit) {
            *found = true;
            missing -= 1;
        }
        for parent in graph.parents(commit) {
            if generation(parent) >= lowest && seen.insert(*parent) {
                waiting.push((generation(parent), *parent));
            }
        }
    }
    let is_found = |commit: &&Commit| left.get(commit).copied().unwrap_or_default();
    commits.iter().filter(is_found).copied().collect()
}
