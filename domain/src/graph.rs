//! The commit graph of one repository, and what one commit has that another has not.
//!
//! A graph is built once from commits and their parents, in any order. It keeps each hash in
//! binary and names commits by numbers, so that a million commits take some fifty megabytes. Every
//! commit has a *generation*: one more than the highest of its parents, so that a walk from the
//! highest generation down meets a commit only after everything that is built on it.
//!
//! Commits that are only named as a parent are *unknown*: a history that was cut off ends in them.

mod generations;
mod hash;
mod prefix_index;
mod reached;
#[cfg(test)]
mod tests;
mod walk;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

pub use hash::CommitHash;
pub use prefix_index::{PrefixIndex, PrefixMatch};
pub use reached::{Reach, reached};
pub use walk::{Difference, RangeWalk};

/// Why a commit cannot be part of a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Not 40 or 64 hexadecimal digits.
    #[error("{0:?} is no full hash of a commit")]
    NotAHash(String),
    /// SHA-1 and SHA-256 in one graph.
    #[error("the commit {0} has a hash of another kind than the commits before it")]
    OtherKind(CommitHash),
    /// More commits than numbers.
    #[error("the graph has more than {} commits", u32::MAX - 1)]
    TooLarge,
}

/// One commit of a graph: a number that means nothing elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit(u32);

impl Commit {
    fn place(self) -> usize {
        self.0 as usize
    }
}

/// Where a commit's parents are in the list of all parents.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    count: u32,
}

impl Span {
    /// Of a commit that was only named as a parent.
    const UNKNOWN: Self = Self {
        start: u32::MAX,
        count: 0,
    };

    fn is_known(self) -> bool {
        self.start != u32::MAX
    }
}

/// Commits and parents on their way into a [`Graph`].
#[derive(Default)]
pub struct GraphBuilder {
    /// Bytes of a hash; 0 while there is none.
    width: usize,
    hashes: Vec<u8>,
    places: HashTable<u32>,
    spans: Vec<Span>,
    parents: Vec<Commit>,
}

impl GraphBuilder {
    /// An empty graph with room for so many commits.
    #[must_use]
    pub fn with_capacity(commits: usize) -> Self {
        Self {
            hashes: Vec::with_capacity(commits.saturating_mul(20)),
            places: HashTable::with_capacity(commits),
            spans: Vec::with_capacity(commits),
            parents: Vec::with_capacity(commits),
            ..Self::default()
        }
    }

    /// Adds a commit with its parents, the first parent first. A commit that was added before
    /// stays as it was: a hash has the same parents everywhere.
    ///
    /// # Errors
    /// When hashes of two kinds meet, or there is no number left.
    pub fn add(&mut self, commit: CommitHash, parents: &[CommitHash]) -> Result<(), GraphError> {
        let commit = self.numbered(commit)?;
        if self.spans[commit.place()].is_known() {
            return Ok(());
        }
        let start = self.parents.len();
        for parent in parents {
            let parent = self.numbered(*parent)?;
            // A parent that is named twice is one parent.
            if !self.parents[start..].contains(&parent) {
                self.parents.push(parent);
            }
        }
        let number = |count: usize| u32::try_from(count).map_err(|_| GraphError::TooLarge);
        self.spans[commit.place()] = Span {
            start: number(start)?,
            count: number(self.parents.len() - start)?,
        };
        Ok(())
    }

    fn numbered(&mut self, hash: CommitHash) -> Result<Commit, GraphError> {
        let bytes = hash.as_bytes();
        if self.width == 0 {
            self.width = bytes.len();
        }
        if self.width != bytes.len() {
            return Err(GraphError::OtherKind(hash));
        }
        let (width, hashes) = (self.width, &self.hashes);
        let known = |place: &u32| of_place(hashes, width, *place) == bytes;
        if let Some(place) = self.places.find(xxh3_64(bytes), known) {
            return Ok(Commit(*place));
        }
        let place = u32::try_from(self.spans.len()).map_err(|_| GraphError::TooLarge)?;
        if place == u32::MAX {
            return Err(GraphError::TooLarge);
        }
        self.hashes.extend_from_slice(bytes);
        self.spans.push(Span::UNKNOWN);
        let hashes = &self.hashes;
        let rehash = |place: &u32| xxh3_64(of_place(hashes, width, *place));
        self.places.insert_unique(xxh3_64(bytes), place, rehash);
        Ok(Commit(place))
    }

    /// The graph of everything that was added.
    #[must_use]
    pub fn finish(self) -> Graph {
        let commits = self.spans.len();
        let mut graph = Graph {
            width: self.width.max(1),
            hashes: self.hashes,
            places: self.places,
            spans: self.spans,
            parents: self.parents,
            generations: vec![0; commits],
            whole: vec![false; commits],
        };
        graph.number_generations();
        graph
    }
}

fn of_place(hashes: &[u8], width: usize, place: u32) -> &[u8] {
    let start = place as usize * width;
    &hashes[start..start + width]
}

/// The commits of a repository with their parents and generations.
pub struct Graph {
    width: usize,
    hashes: Vec<u8>,
    places: HashTable<u32>,
    spans: Vec<Span>,
    parents: Vec<Commit>,
    generations: Vec<u32>,
    /// Whether everything is known that can be reached from a commit.
    whole: Vec<bool>,
}

impl Graph {
    /// How many commits are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.iter().filter(|span| span.is_known()).count()
    }

    /// True when no commit is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The commit with this hash, if it is known.
    #[must_use]
    pub fn find(&self, hash: CommitHash) -> Option<Commit> {
        let bytes = hash.as_bytes();
        if bytes.len() != self.width {
            return None;
        }
        let known = |place: &u32| of_place(&self.hashes, self.width, *place) == bytes;
        let place = self.places.find(xxh3_64(bytes), known)?;
        let commit = Commit(*place);
        self.is_known(commit).then_some(commit)
    }

    /// Known commits whose hash begins with these hexadecimal digits.
    pub fn beginning_with<'g>(&'g self, digits: &'g str) -> impl Iterator<Item = CommitHash> + 'g {
        let digits = digits.to_ascii_lowercase();
        let commits = self.commits().map(|commit| self.hash(commit));
        commits.filter(move |hash| hash.begins_with(&digits))
    }

    /// The known commits, in no particular order.
    pub fn commits(&self) -> impl Iterator<Item = Commit> + '_ {
        let commits = (0..).zip(&self.spans);
        commits.filter_map(|(place, span)| span.is_known().then_some(Commit(place)))
    }

    /// Hashes of commits that are only named as a parent.
    pub fn missing(&self) -> impl Iterator<Item = CommitHash> + '_ {
        let commits = (0..).zip(&self.spans);
        let missing = commits.filter(|(_, span)| !span.is_known());
        missing.map(|(place, _)| self.hash(Commit(place)))
    }

    /// The hash of a commit.
    #[must_use]
    pub fn hash(&self, commit: Commit) -> CommitHash {
        CommitHash::of_bytes(of_place(&self.hashes, self.width, commit.0))
    }

    /// The parents of a commit, the first one first.
    #[must_use]
    pub fn parents(&self, commit: Commit) -> &[Commit] {
        let span = self.spans[commit.place()];
        if !span.is_known() {
            return &[];
        }
        let start = span.start as usize;
        &self.parents[start..start + span.count as usize]
    }

    /// How far a commit is above its farthest root: more than each of its parents.
    #[must_use]
    pub fn height(&self, commit: Commit) -> (u32, CommitHash) {
        (self.generations[commit.place()], self.hash(commit))
    }

    /// Whether everything is known that can be reached from a commit.
    #[must_use]
    pub fn is_whole(&self, commit: Commit) -> bool {
        self.whole[commit.place()]
    }

    /// Whether a commit is more than the name of a parent.
    #[must_use]
    pub fn is_known(&self, commit: Commit) -> bool {
        self.spans[commit.place()].is_known()
    }
}
