//! Rows of branches and tags.

use std::collections::BTreeMap;

use headwater_domain::code::git_ref;
use headwater_domain::{Origin, Rows, id};

use super::mirror::{Ref, Refs};
use super::peeling::Target;

/// Rows of branches and tags; other refs, and tags of what is no commit, have none.
pub(super) fn rows(repo_id: &str, origin: &Origin, refs: &Refs) -> Rows {
    let mut rows = Rows::default();
    rows.from_origin(origin.clone());
    for git_ref in &refs.all {
        let Some(commit) = git_ref.target.commit() else {
            continue;
        };
        let Some((ref_type, name)) = kind(git_ref) else {
            continue;
        };
        rows.push(git_ref::Model {
            id: id::git_ref(repo_id, name),
            repo_id: repo_id.to_owned(),
            name: name.to_owned(),
            commit_sha: commit.to_owned(),
            is_default: refs.head.as_deref() == Some(&git_ref.name),
            ref_type: ref_type.to_owned(),
            created_date: git_ref.tagged,
        });
    }
    rows
}

/// Branches and tags that have no row, by full name, each with the reason.
pub(super) fn left_out(refs: &Refs) -> BTreeMap<String, String> {
    let all = refs.all.iter().filter(|git_ref| kind(git_ref).is_some());
    let left_out = all.filter_map(|git_ref| match git_ref.target {
        Target::Commit(_) => None,
        Target::Other(reason) => Some((id::shortened_ref(&git_ref.name), reason.to_owned())),
    });
    left_out.collect()
}

/// BRANCH with its short name, or TAG with its full one.
fn kind(git_ref: &Ref) -> Option<(&'static str, &str)> {
    if let Some(name) = git_ref.name.strip_prefix("refs/heads/") {
        return Some(("BRANCH", name));
    }
    let is_tag = git_ref.name.starts_with("refs/tags/");
    is_tag.then_some(("TAG", git_ref.name.as_str()))
}
