//! Why nothing was found of a merged pull request, in words.

use headwater_domain::graph::{Graph, PrefixMatch};

use super::destinations::Destinations;
use super::engine::Linked;

pub(super) fn reason(
    pull_request: &Linked,
    graph: &Graph,
    destinations: &Destinations<'_>,
    with_patches: bool,
) -> String {
    if graph.is_empty() {
        return "no commit of the repository is stored".to_owned();
    }
    let row = &pull_request.row;
    let merge = match pull_request.merge {
        _ if row.merge_commit.is_empty() => "the source tells no merge commit".to_owned(),
        PrefixMatch::Several => format!("several commits begin with {}", row.merge_commit),
        PrefixMatch::One(_) | PrefixMatch::None => format!(
            "the repository has no commit {}, which merged it",
            row.merge_commit
        ),
    };
    let base = &row.base_ref;
    if destinations.tip(base).is_none() {
        return format!("{merge}; there is neither a branch {base} nor a default branch");
    }
    let own = if pull_request.own.is_empty() && pull_request.head.is_none() {
        "it has none of its own commits".to_owned()
    } else {
        format!("its own commits are not all in the history of {base}")
    };
    let patches = if with_patches {
        "no other commit changes what they do"
    } else {
        "what commits change was not compared, for which git must be read with line_counts = true"
    };
    let number = row.number;
    format!("{merge}; {own}; {patches}; no commit there says #{number} in its subject")
}
