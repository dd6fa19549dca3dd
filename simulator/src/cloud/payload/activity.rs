//! Entries of the activity log. They carry neither an id nor a type.

use crate::world::{
    Activity, Difference, Event, PullRequest, SourceRepository, State, Update, UserId, Verdict,
};

use super::comment::Shown;
use super::json::object;
use super::{Place, comment, pull_request, user};

pub(crate) fn activity(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    entry: &Activity,
) {
    object(out, |it| {
        it.value("pull_request", |out| {
            pull_request::stub(out, place, pull_request);
        });
        match &entry.event {
            Event::Comment(id) => {
                it.optional("comment", pull_request.comment(*id), |out, found| {
                    comment::comment(out, place, pull_request, found, Shown::InActivity);
                });
            }
            Event::Update(changed) => it.value("update", |out| {
                update(out, place, pull_request, entry, changed);
            }),
            Event::Verdict(by, Verdict::Approved) => it.value("approval", |out| {
                vote(out, place, pull_request, entry, *by);
            }),
            Event::Verdict(by, Verdict::ChangesRequested) => it.value("changes_requested", |out| {
                vote(out, place, pull_request, entry, *by);
            }),
        }
    });
}

fn vote(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    entry: &Activity,
    by: UserId,
) {
    object(out, |it| {
        it.time("date", entry.date);
        user::member(it, "user", place.world, Some(by));
        it.value("pullrequest", |out| {
            pull_request::stub(out, place, pull_request);
        });
    });
}

fn update(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    entry: &Activity,
    update: &Update,
) {
    object(out, |it| {
        it.text("state", update.state.name());
        it.flag("draft", update.draft);
        it.text("title", &update.title);
        it.text("description", &update.description);
        pull_request::user_array(it, "reviewers", place, update.reviewers.iter().copied());
        it.object("changes", |it| {
            for change in &update.changes {
                let (key, old, new): (_, &str, &str) = match change {
                    Difference::State(state) => ("status", "open", status(*state)),
                    Difference::Title(before) => ("title", before, &update.title),
                    Difference::Description(before) => ("description", before, &update.description),
                };
                it.object(key, |it| {
                    it.text("old", old);
                    it.text("new", new);
                });
            }
        });
        it.text("reason", &update.reason);
        user::member(it, "author", place.world, update.author);
        it.time("date", entry.date);
        it.value("destination", |out| {
            let branch = &pull_request.destination_branch;
            let head = update.destination_commit;
            pull_request::side(out, place, &SourceRepository::Same, branch, head);
        });
        it.value("source", |out| {
            let branch = &pull_request.source_branch;
            pull_request::side(
                out,
                place,
                &pull_request.source,
                branch,
                update.source_commit,
            );
        });
    });
}

/// The log names states differently from the pull request itself.
fn status(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Merged => "fulfilled",
        State::Declined => "rejected",
        State::Superseded => "superseded",
    }
}
