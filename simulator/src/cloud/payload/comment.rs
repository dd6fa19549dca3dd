//! Comments.

use crate::world::{Comment, Inline, PullRequest};

use super::json::object;
use super::{API, Place, WEB, markdown, pull_request, user};

pub(crate) fn comment(
    out: &mut String,
    place: Place<'_>,
    pull_request: &PullRequest,
    comment: &Comment,
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
            it.value("inline", |out| anchor(out, inline));
        }
        it.flag("pending", false);
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

fn anchor(out: &mut String, inline: &Inline) {
    object(out, |it| {
        for (key, line) in [("from", inline.from), ("to", inline.to)] {
            if let Some(line) = line {
                it.number(key, line);
            }
        }
        it.text("path", &inline.path);
    });
}
