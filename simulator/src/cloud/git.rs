//! The lists of git: branches, tags, and the commits of the main branch.

use std::collections::HashSet;

use crate::cloud::payload::{self, Place};
use crate::world::{Commit, Hash, Tag, Time};

use super::answer::Answer;
use super::paging::{self, COMMITS, LISTS};
use super::{Session, rendered};

/// A branch or a tag, with its name.
enum Ref<'a> {
    Branch(&'a str, (Hash, Time)),
    Tag(&'a str, &'a Tag),
}

impl Session<'_> {
    /// Branches in the order of their names.
    pub(super) fn branches(&self, place: Place<'_>, name: &[&str]) -> Result<Answer, Answer> {
        let branches = place.repository.branches();
        if let [name] = name {
            let stands = branches.get(name);
            let stands = stands.ok_or_else(|| Answer::not_found("Branch"))?;
            return Ok(rendered(|out| payload::branch(out, place, name, *stands)));
        }
        let all: Vec<_> = branches.into_iter().collect();
        paging::numbered(self.request, &all, LISTS, |out, (name, stands)| {
            payload::branch(out, place, name, *stands);
        })
    }

    /// Branches and tags in one list.
    pub(super) fn refs(&self, place: Place<'_>) -> Result<Answer, Answer> {
        let branches = place.repository.branches();
        let branches = branches
            .iter()
            .map(|(name, stands)| Ref::Branch(name, *stands));
        let tags = place.repository.tags.iter();
        let tags = tags.map(|(name, tag)| Ref::Tag(name, tag));
        let all: Vec<Ref<'_>> = branches.chain(tags).collect();
        let strategies = !self.request.quirks.lists.refs_differ;
        paging::numbered(self.request, &all, LISTS, |out, it| match it {
            Ref::Branch(name, stands) if strategies => payload::branch(out, place, name, *stands),
            Ref::Branch(name, stands) => payload::plain_branch(out, place, name, *stands),
            Ref::Tag(name, tag) => payload::tag(out, place, name, tag),
        })
    }

    /// Tags in the order of their names.
    pub(super) fn tags(&self, place: Place<'_>, name: &[&str]) -> Result<Answer, Answer> {
        let tags = &place.repository.tags;
        if let [name] = name {
            let tag = tags.get(*name).ok_or_else(|| Answer::not_found("Tag"))?;
            return Ok(rendered(|out| payload::tag(out, place, name, tag)));
        }
        let all: Vec<_> = tags.iter().collect();
        paging::numbered(self.request, &all, LISTS, |out, (name, tag)| {
            payload::tag(out, place, name, tag);
        })
    }

    /// Commits of the main branch, newest first: from `include` down, less what `exclude` reaches.
    pub(super) fn main_commits(&self, place: Place<'_>) -> Result<Answer, Answer> {
        let repository = place.repository;
        let main = &repository.main;
        let place_of = |revision: &str| {
            if repository.mainbranch.as_deref() == Some(revision) {
                return Ok(main.len());
            }
            let mut commits = main.iter();
            let found = commits.position(|commit| commit.hash.to_string() == revision);
            let missing = || Answer::not_found("Commit");
            found.map(|place| place + 1).ok_or_else(missing)
        };
        let query = &self.request.query;
        let mut to = main.len();
        if let Some(include) = query.get("include") {
            to = place_of(include)?;
        }
        let mut excluded = HashSet::new();
        if let Some(exclude) = query.get("exclude") {
            let below = &main[..place_of(exclude)?];
            excluded.extend(below.iter().map(|commit| commit.hash));
        }
        let newest_first: Vec<&Commit> = main[..to]
            .iter()
            .rev()
            .filter(|commit| !excluded.contains(&commit.hash))
            .collect();
        let cursor = |commit: &&Commit| commit.hash.to_string();
        paging::from_cursor(
            self.request,
            &newest_first,
            COMMITS,
            cursor,
            |out, commit| {
                payload::commit(out, place, commit);
            },
        )
    }
}
