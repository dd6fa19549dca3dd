//! Which commits of a history a merged pull request added or became: rules without any I/O.
//!
//! Which rule goes before which, and why: docs/decisions/0043-merges.md.

mod extent;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::graph::{Commit, Graph, RangeWalk, Reach, reached};

pub use extent::{Extent, MergedAs, SizeOfChange, extent};
pub use subject::merged_number;

/// Commits that one pull request may have at most: the first that a walk from its tip meets.
pub const MOST: usize = 10_000;

/// How a commit was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// It is the merge commit, was added by it, or is one of the pull request's own.
    Ancestry,
    /// It changes what a commit of the pull request changes, or what they change together.
    PatchId,
    /// Its subject says the number.
    Number,
}

impl Method {
    /// As the tables spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ancestry => "ANCESTRY",
            Self::PatchId => "PATCH-ID",
            Self::Number => "NUMBER",
        }
    }
}

/// A commit of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The commit.
    pub commit: Commit,
    /// How it was found.
    pub method: Method,
    /// Whether all of the pull request is there with it.
    pub is_tip: bool,
}

/// The pull request's side: what was to be merged, as far as the history has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The newest commit of the source branch.
    pub head: Option<Commit>,
    /// The pull request's own commits.
    pub own: &'a [Commit],
}

fn links(commits: impl IntoIterator<Item = Commit>, tip: Commit, method: Method) -> Vec<Link> {
    let commits = commits.into_iter().take(MOST);
    let link = |commit| Link {
        commit,
        method,
        is_tip: commit == tip,
    };
    commits.map(link).collect()
}

/// What a commit added that is known to be the merge: of a merge with several parents all that
/// its first parent had not; otherwise the commit itself (a squash, the last one of a rebase), and
/// below the head of a source branch, which was moved to as it was, the pull request's own.
#[must_use]
pub fn brought_by(
    walk: &mut RangeWalk<'_>,
    graph: &Graph,
    merge: Commit,
    source: Source<'_>,
    method: Method,
) -> Vec<Link> {
    let parents = graph.parents(merge);
    if parents.len() > 1 && source.head != Some(merge) {
        let commits = walk.difference(merge, parents[0]).commits;
        return links(commits.iter().copied(), merge, method);
    }
    let mut below = reached(graph, merge, source.own);
    let moved = source
        .head
        .is_some_and(|head| head == merge || below.contains(&head));
    below.retain(|commit| moved && *commit != merge);
    links(std::iter::once(merge).chain(below), merge, method)
}

/// The pull request's own commits where they are in the history of its destination as they were;
/// nothing when only some are, since those may have come with another pull request.
#[must_use]
pub fn moved_to(source: Source<'_>, destination: &Reach) -> Vec<Link> {
    let tip = match source.head {
        Some(head) => head,
        // One commit is its own head.
        None => match source.own {
            [only] => *only,
            _ => return Vec::new(),
        },
    };
    if !destination.has(tip) {
        return Vec::new();
    }
    let own = source.own.iter().copied();
    let below = own.filter(|commit| *commit != tip && destination.has(*commit));
    links(std::iter::once(tip).chain(below), tip, Method::Ancestry)
}

/// Commits elsewhere in the history that change the same as a commit of the pull request does:
/// rebased or picked ones. A copy of the last change is a tip.
pub fn copies(
    graph: &Graph,
    (linked, source): (&[Link], Source<'_>),
    mut same_as: impl FnMut(Commit) -> Vec<Commit>,
) -> Vec<Link> {
    let is_plain = |commit: &Commit| graph.parents(*commit).len() < 2;
    let of_links = linked.iter().map(|link| link.commit);
    let mut seen = HashSet::new();
    let originals = of_links
        .chain(source.own.iter().copied())
        .chain(source.head);
    let originals: Vec<Commit> = originals.filter(|commit| seen.insert(*commit)).collect();
    let plain: Vec<Commit> = originals.into_iter().filter(is_plain).collect();
    let tips = linked.iter().filter(|link| link.is_tip);
    let tips = tips.map(|link| link.commit).chain(source.head);
    let mut last: HashSet<Commit> = tips.filter(is_plain).collect();
    if last.is_empty() {
        let highest = plain.iter().max_by_key(|commit| graph.height(**commit));
        last.extend(highest);
    }
    let mut found: Vec<Link> = Vec::new();
    for original in plain {
        for copy in same_as(original) {
            if !seen.insert(copy) {
                // It may be found of two originals, of which one is the last.
                let is_tip = last.contains(&original);
                let known = found.iter_mut().find(|link| link.commit == copy);
                if let Some(known) = known {
                    known.is_tip |= is_tip;
                }
                continue;
            }
            found.push(Link {
                commit: copy,
                method: Method::PatchId,
                is_tip: last.contains(&original),
            });
        }
    }
    found.truncate(MOST);
    found
}
