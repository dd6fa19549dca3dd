//! Commits by the beginning of their hash.

use super::{Commit, CommitHash, Graph};

/// Digits of a hash that are too few to mean one commit.
const SHORTEST: usize = 7;

/// The commit that a hash, or the beginning of one, names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixMatch {
    /// This commit.
    One(Commit),
    /// No known commit, or too few digits to say.
    None,
    /// More than one known commit.
    Several,
}

impl PrefixMatch {
    /// The commit, if it is one.
    #[must_use]
    pub fn commit(self) -> Option<Commit> {
        match self {
            Self::One(commit) => Some(commit),
            Self::None | Self::Several => None,
        }
    }
}

/// The known commits of a graph in the order of their hashes, sorted when a short one is asked for.
pub struct PrefixIndex<'g> {
    graph: &'g Graph,
    sorted: Option<Vec<(CommitHash, Commit)>>,
}

impl<'g> PrefixIndex<'g> {
    /// Of this graph.
    #[must_use]
    pub fn of(graph: &'g Graph) -> Self {
        Self {
            graph,
            sorted: None,
        }
    }

    /// The commit whose hash this is, or begins with it.
    pub fn find(&mut self, text: &str) -> PrefixMatch {
        if let Ok(hash) = text.parse() {
            return self
                .graph
                .find(hash)
                .map_or(PrefixMatch::None, PrefixMatch::One);
        }
        let is_hash = text.len() >= SHORTEST && text.bytes().all(|it| it.is_ascii_hexdigit());
        if !is_hash {
            return PrefixMatch::None;
        }
        let graph = self.graph;
        let sorted = self.sorted.get_or_insert_with(|| {
            let commits = graph.commits().map(|commit| (graph.hash(commit), commit));
            let mut sorted: Vec<_> = commits.collect();
            sorted.sort_unstable();
            sorted
        });
        let text = text.to_ascii_lowercase();
        let place = sorted.partition_point(|(hash, _)| hash.is_before(&text));
        let mut fitting = sorted[place..]
            .iter()
            .take_while(|(hash, _)| hash.begins_with(&text));
        match (fitting.next(), fitting.next()) {
            (Some((_, commit)), None) => PrefixMatch::One(*commit),
            (Some(_), Some(_)) => PrefixMatch::Several,
            (None, _) => PrefixMatch::None,
        }
    }
}
