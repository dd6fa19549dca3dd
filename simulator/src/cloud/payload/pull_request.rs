//! Pull requests, in full and as the stub inside comments and activity.

use crate::world::{Hash, Participant, PullRequest, SourceRepository, UserId, Verdict};

use super::json::{Object, object};
use super::repository::{fork_stub, stub as repository_stub};
use super::{API, Place, WEB, markdown, user};

/// Members that lists leave out unless asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extras {
    pub(crate) participants: bool,
    pub(crate) reviewers: bool,
}

impl Extras {
    /// What a read of a single pull request includes.
    pub(crate) const ALL: Extras = Extras {
        participants: true,
        reviewers: true,
    };
}

pub(crate) fn pull_request(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    extras: Extras,
) {
    object(out, |it| {
        it.number("comment_count", pull_request.comment_count());
        it.number("task_count", pull_request.task_count);
        it.text("type", "pullrequest");
        it.number("id", pull_request.id);
        it.text("title", &pull_request.title);
        it.text("description", &pull_request.description);
        it.object("rendered", |it| {
            markdown::member(it, "title", &pull_request.title);
            markdown::member(it, "description", &pull_request.description);
            markdown::member(it, "reason", &pull_request.reason);
        });
        it.text("state", pull_request.state.name());
        it.flag("draft", pull_request.draft);
        if let Some(hash) = pull_request.merge_commit {
            it.value("merge_commit", |out| commit_stub(out, hash));
        }
        it.flag("close_source_branch", pull_request.close_source_branch);
        user::member(it, "closed_by", place.world, pull_request.closed_by);
        user::member(it, "author", place.world, pull_request.author);
        it.text("reason", &pull_request.reason);
        it.time("created_on", pull_request.created_on);
        it.time("updated_on", pull_request.updated_on);
        if let Some(closed) = pull_request.closed_on() {
            it.time("closed_on", closed);
        }
        it.value("destination", |out| {
            let branch = &pull_request.destination_branch;
            side(
                out,
                place,
                &SourceRepository::Same,
                branch,
                pull_request.destination_commit,
            );
        });
        it.value("source", |out| {
            let branch = &pull_request.source_branch;
            side(
                out,
                place,
                &pull_request.source,
                branch,
                pull_request.source_commit,
            );
        });
        people(it, place, pull_request, extras);
        it.object("links", |links| {
            pull_request_links(links, place, pull_request);
        });
        markdown::member(it, "summary", &pull_request.description);
    });
}

fn people(it: &mut Object<'_>, place: Place<'_>, pull_request: &PullRequest, extras: Extras) {
    let parts = &pull_request.participants;
    if extras.reviewers {
        let reviewers = parts
            .iter()
            .filter(|part| part.reviewer)
            .map(|part| part.user);
        user_array(it, "reviewers", place, reviewers);
    }
    if extras.participants {
        it.array("participants", parts, |out, part| {
            participant(out, place, part);
        });
    }
}

pub(super) fn user_array(
    it: &mut Object<'_>,
    key: &str,
    place: Place<'_>,
    users: impl Iterator<Item = UserId>,
) {
    it.array(key, users.filter_map(|id| place.world.user(id)), user::user);
}

fn participant(out: &mut String, place: Place<'_>, part: &Participant) {
    object(out, |it| {
        it.text("type", "participant");
        user::member(it, "user", place.world, Some(part.user));
        it.text(
            "role",
            if part.reviewer {
                "REVIEWER"
            } else {
                "PARTICIPANT"
            },
        );
        it.flag("approved", part.verdict == Some(Verdict::Approved));
        match part.verdict {
            Some(Verdict::Approved) => it.text("state", "approved"),
            Some(Verdict::ChangesRequested) => it.text("state", "changes_requested"),
            None => it.null("state"),
        }
        if let Some(time) = part.participated_on {
            it.time("participated_on", time);
        }
    });
}

/// One end of a pull request: branch, commit and repository.
pub(super) fn side(
    out: &mut String,
    place: Place<'_>,
    source: &SourceRepository,
    branch: &str,
    head: Hash,
) {
    object(out, |it| {
        it.object("branch", |it| it.text("name", branch));
        it.value("commit", |out| commit_stub(out, head));
        match source {
            SourceRepository::Same => it.value("repository", |out| repository_stub(out, place)),
            SourceRepository::Fork(fork) => it.value("repository", |out| fork_stub(out, fork)),
            SourceRepository::Gone => it.null("repository"),
        }
    });
}

/// A commit under its short hash and nothing else: no date, no message.
fn commit_stub(out: &mut String, hash: Hash) {
    object(out, |it| it.shown("hash", format_args!("{hash:.12}")));
}

fn pull_request_links(links: &mut Object<'_>, place: Place<'_>, pull_request: &PullRequest) {
    let (name, id) = (place.full_name, pull_request.id);
    links.link(
        "self",
        format_args!("{API}/repositories/{name}/pullrequests/{id}"),
    );
    links.link("html", format_args!("{WEB}/{name}/pull-requests/{id}"));
    let (from, to) = (pull_request.source_commit, pull_request.destination_commit);
    for key in ["diff", "diffstat"] {
        links.link(
            key,
            format_args!(
                "{API}/repositories/{name}/{key}/{name}:{from:.12}%0D{to:.12}\
                 ?from_pullrequest_id={id}&topic=true"
            ),
        );
    }
    let actions = [
        "commits", "approve", "comments", "activity", "merge", "decline",
    ];
    for key in actions {
        links.link(
            key,
            format_args!("{API}/repositories/{name}/pullrequests/{id}/{key}"),
        );
    }
}

/// The pull request as comments and activity entries name it.
pub(super) fn stub(out: &mut String, place: Place<'_>, pull_request: &PullRequest) {
    let (name, id) = (place.full_name, pull_request.id);
    object(out, |it| {
        it.text("type", "pullrequest");
        it.number("id", id);
        it.text("title", &pull_request.title);
        it.flag("draft", pull_request.draft);
        it.object("links", |links| {
            links.link(
                "self",
                format_args!("{API}/repositories/{name}/pullrequests/{id}"),
            );
            links.link("html", format_args!("{WEB}/{name}/pull-requests/{id}"));
        });
    });
}
