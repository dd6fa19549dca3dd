//! Issues, their comments and changes, as recorded before the tracker was removed.

use crate::world::{Issue, IssueChange, IssueComment};

use super::json::{Object, object};
use super::{API, Place, WEB, markdown, repository, user};

pub(crate) fn issue(out: &mut String, place: Place<'_>, issue: &Issue) {
    object(out, |it| {
        it.text("type", "issue");
        it.number("id", issue.id);
        it.value("repository", |out| repository::stub(out, place));
        links(it, place, issue.id, "", &["comments", "attachments"]);
        it.text("title", &issue.title);
        markdown::member(it, "content", &issue.text);
        user::member(it, "reporter", place.world, issue.reporter);
        user::member(it, "assignee", place.world, issue.assignee);
        it.time("created_on", issue.created_on);
        it.null("edited_on");
        it.time("updated_on", issue.updated_on);
        it.text("state", issue.state);
        it.text("kind", issue.kind);
        it.null("milestone");
        match &issue.component {
            Some(name) => it.object("component", |it| {
                it.text("type", "component");
                it.number("id", 1);
                it.text("name", name);
            }),
            None => it.null("component"),
        }
        it.text("priority", issue.priority);
        it.null("version");
        it.number("votes", 0);
        it.number("watches", 1);
    });
}

pub(crate) fn issue_comment(
    out: &mut String,
    place: Place<'_>,
    issue: &Issue,
    comment: &IssueComment,
) {
    object(out, |it| {
        it.text("type", "issue_comment");
        it.number("id", comment.id);
        stub(it, place, issue);
        links(
            it,
            place,
            issue.id,
            &format!("comments/{}", comment.id),
            &[],
        );
        markdown::member(it, "content", &comment.text);
        it.time("created_on", comment.created_on);
        match comment.updated_on {
            Some(at) => it.time("updated_on", at),
            None => it.null("updated_on"),
        }
        user::member(it, "user", place.world, comment.user);
    });
}

pub(crate) fn issue_change(
    out: &mut String,
    place: Place<'_>,
    issue: &Issue,
    change: &IssueChange,
) {
    object(out, |it| {
        it.text("type", "issue_change");
        it.number("id", change.id);
        stub(it, place, issue);
        links(it, place, issue.id, &format!("changes/{}", change.id), &[]);
        it.time("created_on", change.created_on);
        user::member(it, "user", place.world, Some(change.user));
        it.object("changes", |it| {
            it.object(change.field, |it| {
                for (key, value) in [("old", &change.old), ("new", &change.new)] {
                    it.text(key, value);
                }
            });
        });
    });
}

fn stub(it: &mut Object<'_>, place: Place<'_>, issue: &Issue) {
    it.object("issue", |it| {
        it.text("type", "issue");
        it.number("id", issue.id);
        it.text("title", &issue.title);
        it.value("repository", |out| repository::stub(out, place));
    });
}

fn links(it: &mut Object<'_>, place: Place<'_>, id: u64, below: &str, lists: &[&str]) {
    let name = place.full_name;
    it.object("links", |links| {
        let address = format!("{API}/repositories/{name}/issues/{id}/{below}");
        let address = address.trim_end_matches('/');
        links.link("self", format_args!("{address}"));
        links.link("html", format_args!("{WEB}/{name}/issues/{id}"));
        for list in lists {
            links.link(list, format_args!("{address}/{list}"));
        }
    });
}
