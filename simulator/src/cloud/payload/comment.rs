//! Comments.

use crate::world::{Comment, Inline, PullRequest};

use super::json::object;
use super::{API, Place, WEB, markdown, pull_request, user};

/// Where a comment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In the list of comments, or by itself.
    Alone,
    /// In an entry of the activity log, which says more of its line, and not whether it is pending.
    InActivity,
}

pub(crate) fn comment(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    comment: &Comment,
    shown: Shown,
) {
    let (name, number, id) = (place.full_name, pull_request.id, comment.id);
    object(out, |it| {
        it.number("id", id);
        it.time("created_on", comment.created_on);
        it.time("updated_on", comment.updated_on);
        // Nothing is left of a deleted comment whose author is gone too.
        if comment.deleted && comment.user.is_none() {
            it.null("content");
        } else {
            markdown::member(it, "content", &comment.text);
        }
        user::member(it, "user", place.world, comment.user);
        it.flag("deleted", comment.deleted);
        if let Some(parent) = comment.parent {
            it.object("parent", |it| {
                it.number("id", parent);
                it.text("type", "pullrequest_comment");
                it.object("links", |links| {
                    let collection =
                        format_args!("{API}/repositories/{name}/pullrequests/{number}/comments");
                    links.link("self", format_args!("{collection}/{parent}"));
                    let page = format_args!("{WEB}/{name}/pull-requests/{number}/_/diff");
                    links.link("html", format_args!("{page}#comment-{parent}"));
                });
            });
        }
        if let Some(inline) = &comment.inline {
            it.value("inline", |out| anchor(out, inline, shown));
        }
        if shown == Shown::Alone {
            it.flag("pending", false);
        }
        it.text("type", "pullrequest_comment");
        it.object("links", |links| {
            let collection =
                format_args!("{API}/repositories/{name}/pullrequests/{number}/comments");
            links.link("self", format_args!("{collection}/{id}"));
            let page = format_args!("{WEB}/{name}/pull-requests/{number}/_/diff");
            links.link("html", format_args!("{page}#comment-{id}"));
        });
        it.value("pullrequest", |out| {
            pull_request::stub(out, place, pull_request);
        });
    });
}

fn anchor(out: &mut String, inline: &Inline, shown: Shown) {
    object(out, |it| {
        for (key, line) in [("from", inline.from), ("to", inline.to)] {
            if let Some(line) = line {
                it.number(key, line);
            }
        }
        it.text("path", &inline.path);
        if shown == Shown::InActivity {
            it.text("context_lines", "");
            it.flag("outdated", false);
        }
    });
}
