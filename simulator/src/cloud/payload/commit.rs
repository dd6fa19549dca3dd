//! Commits.

use crate::world::{Commit, NOTHING};

use super::json::object;
use super::{API, Place, WEB, markdown, user};

pub(crate) fn commit(out: &mut String, place: Place<'_>, commit: &Commit) {
    let (name, hash) = (place.full_name, commit.hash);
    object(out, |it| {
        it.text("type", "commit");
        it.shown("hash", format_args!("{hash}"));
        // Unlike all other times, git's have no fraction.
        it.shown(
            "date",
            format_args!("{}+00:00", commit.date.format("%Y-%m-%dT%H:%M:%S")),
        );
        it.object("author", |it| {
            it.text("type", "author");
            it.text("raw", &commit.author);
            if let Some(author) = commit.user.and_then(|id| place.world.user(id)) {
                it.value("user", |out| user::user(out, author));
            }
        });
        it.text("message", &commit.message);
        markdown::member(it, "summary", &commit.message);
        it.object("links", |links| {
            links.link(
                "self",
                format_args!("{API}/repositories/{name}/commit/{hash}"),
            );
            links.link("html", format_args!("{WEB}/{name}/commits/{hash}"));
            links.link(
                "diff",
                format_args!("{API}/repositories/{name}/diff/{hash}"),
            );
            links.link(
                "patch",
                format_args!("{API}/repositories/{name}/patch/{hash}"),
            );
            for key in ["approve", "comments", "statuses"] {
                links.link(
                    key,
                    format_args!("{API}/repositories/{name}/commit/{hash}/{key}"),
                );
            }
        });
        it.array(
            "parents",
            Some(commit.parent)
                .filter(|it| *it != NOTHING)
                .into_iter()
                .chain(commit.merged),
            |out, parent| {
                object(out, |it| {
                    it.text("type", "commit");
                    it.shown("hash", format_args!("{parent}"));
                    it.object("links", |links| {
                        links.link(
                            "self",
                            format_args!("{API}/repositories/{name}/commit/{parent}"),
                        );
                        links.link("html", format_args!("{WEB}/{name}/commits/{parent}"));
                    });
                });
            },
        );
    });
}
