//! Branches and tags.

use crate::world::{Hash, Tag, Time};

use super::json::{Object, object};
use super::{API, Place, WEB, repository};

pub(crate) fn branch(out: &mut String, place: Place<'_>, name: &str, stands: (Hash, Time)) {
    object(out, |it| {
        head(it, place, name, stands);
        it.array(
            "merge_strategies",
            ["merge_commit", "squash", "fast_forward"],
            super::json::text,
        );
        it.text("default_merge_strategy", "merge_commit");
    });
}

/// A branch without what can be done with it.
pub(crate) fn plain_branch(out: &mut String, place: Place<'_>, name: &str, stands: (Hash, Time)) {
    object(out, |it| head(it, place, name, stands));
}

fn head(it: &mut Object<'_>, place: Place<'_>, name: &str, (head, date): (Hash, Time)) {
    it.text("type", "branch");
    it.text("name", name);
    links(it, place, ("branches", "branch"), name);
    target(it, place, head, date);
}

pub(crate) fn tag(out: &mut String, place: Place<'_>, name: &str, tag: &Tag) {
    object(out, |it| {
        it.text("type", "tag");
        it.text("name", name);
        links(it, place, ("tags", "commits/tag"), name);
        match &tag.annotation {
            Some((message, date)) => {
                it.text("message", message);
                it.time("date", *date);
                it.object("tagger", |it| {
                    it.text("type", "author");
                    it.text("raw", crate::git::TAGGER);
                });
            }
            None => {
                for key in ["message", "date", "tagger"] {
                    it.null(key);
                }
            }
        }
        target(it, place, tag.target, tag.date);
    });
}

fn target(it: &mut Object<'_>, place: Place<'_>, hash: Hash, date: Time) {
    let name = place.full_name;
    it.object("target", |it| {
        it.text("type", "commit");
        it.shown("hash", format_args!("{hash}"));
        it.shown(
            "date",
            format_args!("{}+00:00", date.format("%Y-%m-%dT%H:%M:%S")),
        );
        it.object("links", |links| {
            let address = format_args!("{API}/repositories/{name}/commit/{hash}");
            links.link("self", address);
        });
        it.value("repository", |out| repository::stub(out, place));
    });
}

fn links(it: &mut Object<'_>, place: Place<'_>, (list, page): (&str, &str), name: &str) {
    let full_name = place.full_name;
    it.object("links", |links| {
        let address = format_args!("{API}/repositories/{full_name}/refs/{list}/{name}");
        links.link("self", address);
        links.link("html", format_args!("{WEB}/{full_name}/{page}/{name}"));
    });
}
