//! What builds and checks say of the head of a pull request.

use crate::world::PullRequest;

use super::json::object;
use super::{API, Place};

/// A check: its key, its name and what came of it.
type Check = (&'static str, &'static str, &'static str);

/// The checks of a pull request's head. They follow from its hash: a push gives other ones.
pub(crate) fn checks(pull_request: &PullRequest) -> Vec<Check> {
    let [first, second, ..] = pull_request.source_commit.0;
    let state = |byte: u8| match byte % 8 {
        0 => "FAILED",
        1 => "STOPPED",
        2 => "INPROGRESS",
        _ => "SUCCESSFUL",
    };
    let checks = [
        ("unit-tests", "Unit tests", state(first)),
        ("lint", "Lint", state(second)),
        ("coverage", "Coverage", state(first ^ second)),
    ];
    checks[..usize::from(first % 4)].to_vec()
}

/// One of them.
pub(crate) fn status(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    (key, name, state): Check,
) {
    let repository = place.full_name;
    let hash = pull_request.source_commit;
    let address = format_args!("{API}/repositories/{repository}/commit/{hash}").to_string();
    object(out, |it| {
        it.text("type", "build");
        it.text("key", key);
        it.text("state", state);
        it.text("name", name);
        it.text("description", "");
        it.shown(
            "url",
            format_args!("https://builds.example.net/{hash:.12}/{key}"),
        );
        it.text("refname", &pull_request.source_branch);
        it.object("commit", |it| {
            it.text("type", "commit");
            it.shown("hash", format_args!("{hash}"));
            it.object("links", |links| {
                links.link("self", format_args!("{address}"));
            });
        });
        it.object("links", |links| {
            links.link("self", format_args!("{address}/statuses/build/{key}"));
            links.link("commit", format_args!("{address}"));
        });
        it.time("created_on", pull_request.created_on);
        it.time("updated_on", pull_request.created_on);
    });
}
