//! Files that a pull request changes.

use crate::world::PullRequest;

use super::json::{Object, object};
use super::{API, Place};

/// One changed file.
#[derive(Clone, Debug)]
pub(crate) struct ChangedFile {
    status: &'static str,
    old: Option<String>,
    new: Option<String>,
    added: u64,
    removed: u64,
}

/// The files that a pull request changes, one for each of its commits. They follow from hashes: a
/// push brings other ones. Now and then a path is longer than any key.
pub(crate) fn changed_files(pull_request: &PullRequest) -> Vec<ChangedFile> {
    let commits = pull_request.commits.iter();
    let files = commits.map(|commit| {
        let [first, second, third, ..] = commit.hash.0;
        let folder = if first.is_multiple_of(16) {
            "deeply/nested/".repeat(20)
        } else {
            "src/".to_owned()
        };
        let path = |name: &str| Some(format!("{folder}{name}{}.rs", commit.hash));
        let (status, old, new) = match first % 5 {
            0 => ("added", None, path("")),
            1 => ("removed", path(""), None),
            2 => ("renamed", path("former_"), path("")),
            _ => ("modified", path(""), path("")),
        };
        ChangedFile {
            status,
            added: if new.is_some() { second.into() } else { 0 },
            removed: if old.is_some() { third.into() } else { 0 },
            old,
            new,
        }
    });
    files.collect()
}

pub(crate) fn diffstat(out: &mut String, place: Place<'_>, file: &ChangedFile) {
    object(out, |it| {
        it.text("type", "diffstat");
        it.text("status", file.status);
        it.number("lines_removed", file.removed);
        it.number("lines_added", file.added);
        side(it, place, "old", file.old.as_deref());
        side(it, place, "new", file.new.as_deref());
    });
}

fn side(it: &mut Object<'_>, place: Place<'_>, key: &str, path: Option<&str>) {
    it.optional(key, path, |out, path| {
        object(out, |it| {
            it.text("path", path);
            it.text("type", "commit_file");
            it.text("escaped_path", path);
            it.object("links", |links| {
                let repository = place.full_name;
                links.link(
                    "self",
                    format_args!("{API}/repositories/{repository}/src/{path}"),
                );
            });
        });
    });
}
