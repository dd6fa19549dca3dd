//! A repository and its pull requests, and what may happen to them.

use std::collections::{BTreeMap, BTreeSet};

/// One thing that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A commit on any commits, by one of few authors, which says any number and changes one of
    /// few things.
    Commit(Vec<usize>, u8, i64, u8),
    /// A branch set, or moved, to a commit.
    Branch(u8, usize),
    DeleteBranch(u8),
    /// A pull request: its number, head, how many commits are its own, its merge commit if it is
    /// given, the digits of its hash, and its destination.
    Merged(i64, usize, usize, Option<usize>, bool, u8),
    Reopened(i64),
    Deleted(i64),
    /// Contents of commits are read from now on, or no more.
    Files(bool),
    /// Only commits from this one on are collected, or more or fewer of them than before.
    Range(usize),
    /// By another program, which calls everything otherwise.
    Upgrade,
    /// The source gave a commit the wrong parents before.
    Corrected(usize, Vec<usize>),
    /// The source says of a pull request that this repository is its destination, or not any more.
    Destined(i64, bool),
}

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) parents: Vec<usize>,
    pub(super) author: u8,
    pub(super) number: i64,
    pub(super) patch: u8,
}

#[derive(Clone, Debug)]
pub(super) struct PullRequest {
    pub(super) is_merged: bool,
    pub(super) head: usize,
    pub(super) own: Vec<usize>,
    pub(super) merge: Option<usize>,
    pub(super) short: bool,
    pub(super) base: u8,
    /// Its destination is this repository, as far as the source says.
    pub(super) is_ours: bool,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) commits: Vec<Commit>,
    pub(super) branches: BTreeMap<u8, usize>,
    pub(super) pull_requests: BTreeMap<i64, PullRequest>,
    pub(super) has_files: bool,
    pub(super) version: u8,
    /// Commits before this one are not collected.
    pub(super) first: usize,
}

pub(super) fn sha(number: usize) -> String {
    format!(
        "{:08x}{:032x}",
        number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff,
        number
    )
}

impl World {
    pub(super) fn new(has_files: bool) -> Self {
        let commit = |parents: &[usize]| Commit {
            parents: parents.to_vec(),
            author: 0,
            number: 0,
            patch: 0,
        };
        Self {
            commits: vec![commit(&[]), commit(&[0]), commit(&[1]), commit(&[0, 2])],
            branches: BTreeMap::from([(0, 3)]),
            pull_requests: BTreeMap::new(),
            has_files,
            version: 0,
            first: 0,
        }
    }

    pub(super) fn happen(&mut self, event: &Event) {
        let count = self.commits.len();
        match event {
            Event::Commit(parents, author, number, patch) => {
                let parents: BTreeSet<usize> = parents.iter().map(|p| p % count).collect();
                let parents: Vec<usize> = parents.into_iter().rev().collect();
                self.commits.push(Commit {
                    parents,
                    author: *author,
                    number: *number,
                    patch: *patch,
                });
                self.branches.insert(author % 3, count);
            }
            Event::Branch(name, commit) => {
                self.branches.insert(*name, commit % count);
            }
            Event::DeleteBranch(name) => {
                self.branches.remove(name);
            }
            Event::Merged(number, head, own, merge, short, base) => {
                let head = head % count;
                let mut commits = vec![head];
                while commits.len() <= *own {
                    let last = commits[commits.len() - 1];
                    let Some(parent) = self.commits[last].parents.first() else {
                        break;
                    };
                    commits.push(*parent);
                }
                let merged = PullRequest {
                    is_merged: true,
                    head,
                    own: commits,
                    merge: merge.map(|merge| merge % (count + 2)),
                    short: *short,
                    base: *base,
                    is_ours: true,
                };
                self.pull_requests.insert(*number, merged);
            }
            Event::Reopened(number) => {
                if let Some(found) = self.pull_requests.get_mut(number) {
                    found.is_merged = false;
                }
            }
            Event::Deleted(number) => {
                self.pull_requests.remove(number);
            }
            Event::Destined(number, is_ours) => {
                if let Some(found) = self.pull_requests.get_mut(number) {
                    found.is_ours = *is_ours;
                }
            }
            Event::Files(has) => self.has_files = *has,
            Event::Range(first) => self.first = first % count,
            Event::Upgrade => self.version += 1,
            Event::Corrected(commit, parents) => {
                let commit = commit % count;
                if commit > 0 {
                    // A commit comes after its parents, whichever these are.
                    let parents: BTreeSet<usize> = parents.iter().map(|p| p % commit).collect();
                    self.commits[commit].parents = parents.into_iter().rev().collect();
                }
            }
        }
    }

    pub(super) fn held(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut left: Vec<usize> = self.branches.values().copied().collect();
        while let Some(commit) = left.pop() {
            if found.insert(commit) {
                left.extend(&self.commits[commit].parents);
            }
        }
        found.retain(|commit| *commit >= self.first);
        found
    }
}
