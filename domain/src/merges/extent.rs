//! Between which two commits all of a pull request lies.

use super::Source;
use crate::graph::{Commit, Graph};

/// What two commits differ in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeOfChange {
    /// Lines added; a binary file has none.
    pub additions: i64,
    /// Lines removed; a binary file has none.
    pub deletions: i64,
    /// Files changed; a renamed one counts once.
    pub files: i64,
}

impl SizeOfChange {
    /// Adds one file.
    pub fn add_file(&mut self, additions: i64, deletions: i64) {
        self.additions = self.additions.saturating_add(additions);
        self.deletions = self.deletions.saturating_add(deletions);
        self.files += 1;
    }
}

/// Two commits: what the first one has over the second one is the pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The commit with which all of it is there.
    pub head: Commit,
    /// The commit that it is compared with.
    pub base: Commit,
}

/// The merge commit of a pull request, and what tells whether all of the pull request is in it.
#[derive(Clone, Copy, Debug)]
pub struct MergedAs {
    /// The commit.
    pub commit: Commit,
    /// How many commits the pull request had of its own.
    pub own: usize,
    /// Its subject says the number of the pull request.
    pub says_number: bool,
}

/// The commits between which a pull request lies, if the history tells.
///
/// With its newest commit that is where its own commits begin: the highest commit below them.
/// Without, as after a squash, its merge commit is compared with what it was merged into. A merge
/// commit with one parent may be the last one of several that were rebased, which only its subject
/// tells; then nothing is known.
#[must_use]
pub fn extent(graph: &Graph, source: Source<'_>, merged: Option<MergedAs>) -> Option<Extent> {
    if let Some(head) = source.head.filter(|head| source.own.contains(head)) {
        let below = source.own.iter().flat_map(|it| graph.parents(*it));
        let below = below.filter(|parent| !source.own.contains(parent));
        let base = below.max_by_key(|parent| graph.height(**parent)).copied()?;
        return graph.is_known(base).then_some(Extent { head, base });
    }
    let merged = merged?;
    let base = match graph.parents(merged.commit) {
        [only] if merged.own == 1 || merged.says_number => *only,
        [first, _, ..] => *first,
        _ => return None,
    };
    let head = merged.commit;
    graph.is_known(base).then_some(Extent { head, base })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{CommitHash, GraphBuilder};

    fn hash(number: u8) -> CommitHash {
        format!("{number:02x}").repeat(20).parse().unwrap()
    }

    /// 1 - 2 - 3 - 6 is the main branch; 4 and 5 are a topic off 2 that merged 3 into itself, 7 is
    /// the merge of it, and 8 has an unknown parent.
    fn graph() -> Graph {
        let mut builder = GraphBuilder::default();
        let commits: [(u8, &[u8]); 8] = [
            (1, &[]),
            (2, &[1]),
            (3, &[2]),
            (4, &[2]),
            (5, &[4, 3]),
            (6, &[3]),
            (7, &[6, 5]),
            (8, &[9]),
        ];
        for (commit, parents) in commits {
            let parents: Vec<CommitHash> = parents.iter().map(|it| hash(*it)).collect();
            builder.add(hash(commit), &parents).unwrap();
        }
        builder.finish()
    }

    fn found(own: &[u8], head: Option<u8>, merged: Option<(u8, usize, bool)>) -> Option<(u8, u8)> {
        let graph = graph();
        let find = |number: u8| graph.find(hash(number)).unwrap();
        let own: Vec<Commit> = own.iter().map(|it| find(*it)).collect();
        let source = Source {
            head: head.map(find),
            own: &own,
        };
        let merged = merged.map(|(commit, own, says_number)| MergedAs {
            commit: find(commit),
            own,
            says_number,
        });
        let extent = extent(&graph, source, merged)?;
        let number = |commit| graph.hash(commit).as_bytes()[0];
        Some((number(extent.head), number(extent.base)))
    }

    #[test]
    fn a_pull_request_lies_between_its_head_and_where_its_own_commits_begin() {
        for (own, head, merged, expected) in [
            (&[4][..], Some(4), None, Some((4, 2))),
            // What was merged into the topic is not its own.
            (&[4, 5], Some(5), None, Some((5, 3))),
            (&[4, 5], Some(5), Some((7, 2, true)), Some((5, 3))),
            // The root of a history is compared with nothing.
            (&[1], Some(1), None, None),
            (&[8], Some(8), None, None),
            // Its own commits are not known.
            (&[], Some(4), None, None),
            (&[4], Some(5), None, None),
            (&[], None, None, None),
        ] {
            assert_eq!(found(own, head, merged), expected, "{own:?} {head:?}");
        }
    }

    #[test]
    fn without_its_head_the_merge_commit_tells_unless_it_may_be_one_of_several() {
        for (merged, expected) in [
            ((7, 2, false), Some((7, 6))),
            ((6, 1, false), Some((6, 3))),
            ((6, 3, true), Some((6, 3))),
            ((6, 3, false), None),
            ((6, 0, false), None),
            ((1, 1, true), None),
            ((8, 1, true), None),
        ] {
            assert_eq!(found(&[], None, Some(merged)), expected, "{merged:?}");
        }
    }
}
