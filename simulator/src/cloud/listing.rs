//! The lists, each with its filters, its order and its length.
//!
//! Orders where the service documents none: repositories oldest first, pull requests latest
//! update first, comments oldest first, commits newest first, activity newest first.

use std::borrow::Cow;

use crate::cloud::payload::{self, Place};
use crate::world::{Activity, Comment, PullRequest, Repository, State, World};

use super::Session;
use super::answer::Answer;
use super::cache::{Item, Key, Places};
use super::filter::{Kind, Value};
use super::order::Listing;
use super::paging::{self, COMMITS, HEAVY_LISTS, LISTS};

const REPOSITORIES: Listing<'static> = Listing {
    fields: &[
        ("created_on", Kind::Time),
        ("description", Kind::Text),
        ("full_name", Kind::Text),
        ("is_private", Kind::Flag),
        ("language", Kind::Text),
        ("name", Kind::Text),
        ("project.key", Kind::Text),
        ("size", Kind::Number),
        ("slug", Kind::Text),
        ("updated_on", Kind::Time),
        ("uuid", Kind::Text),
    ],
    sortable: &[
        "created_on",
        "full_name",
        "language",
        "name",
        "size",
        "slug",
        "updated_on",
    ],
    usual: ("created_on", false),
};

const PULL_REQUESTS: Listing<'static> = Listing {
    fields: &[
        ("author.account_id", Kind::Text),
        ("author.uuid", Kind::Text),
        ("comment_count", Kind::Number),
        ("created_on", Kind::Time),
        ("description", Kind::Text),
        ("destination.branch.name", Kind::Text),
        ("draft", Kind::Flag),
        ("id", Kind::Number),
        ("source.branch.name", Kind::Text),
        ("state", Kind::Text),
        ("task_count", Kind::Number),
        ("title", Kind::Text),
        ("updated_on", Kind::Time),
    ],
    sortable: &["created_on", "id", "state", "title", "updated_on"],
    usual: ("updated_on", true),
};

const COMMENTS: Listing<'static> = Listing {
    fields: &[
        ("content.raw", Kind::Text),
        ("created_on", Kind::Time),
        ("deleted", Kind::Flag),
        ("id", Kind::Number),
        ("updated_on", Kind::Time),
        ("user.account_id", Kind::Text),
        ("user.uuid", Kind::Text),
    ],
    sortable: &["created_on", "id", "updated_on"],
    usual: ("id", false),
};

impl Session<'_> {
    pub(super) fn repositories(&mut self) -> Result<Answer, Answer> {
        let roles = ["owner", "admin", "contributor", "member"];
        if self
            .request
            .query
            .get("role")
            .is_some_and(|role| !roles.contains(&role))
        {
            return Err(Answer::bad_request("Invalid role"));
        }
        let choice = REPOSITORIES.read(&self.request.query)?;
        let world = self.world;
        let visible = world
            .repositories()
            .iter()
            .filter(|repository| self.may_see(repository));
        let field = |repository, name: &str| repository_field(world, repository, name);
        let slugs = choice.of(visible, field, |repository| {
            (repository.created_on, repository.slug.as_str().to_owned())
        });
        paging::numbered(self.request, &slugs, LISTS, |out, (_, slug)| {
            let Some(repository) = world.repository(slug) else {
                return;
            };
            let full_name = world.full_name(repository);
            let key = Key {
                repository: repository.serial,
                pull_request: 0,
                item: Item::Repository,
            };
            let version = (repository.revision, world.shared_revision());
            let place = Place {
                world,
                repository,
                full_name: &full_name,
            };
            self.cache
                .write(out, key, version, |out| payload::repository(out, place));
        })
    }

    pub(super) fn pull_requests(&mut self, place: Place<'_>) -> Result<Answer, Answer> {
        let places = self.choose_pull_requests(place)?;
        let extras = self.extras;
        paging::numbered(self.request, &places, HEAVY_LISTS, |out, (id, _)| {
            if let Some(found) = place.repository.pull_requests.get(id) {
                self.write_pull_request(out, place, found, extras);
            }
        })
    }

    fn choose_pull_requests(&mut self, place: Place<'_>) -> Result<Places, Answer> {
        let query = &self.request.query;
        let choice = PULL_REQUESTS.read(query)?;
        let mut states = Vec::new();
        for state in query.all("state") {
            if state.eq_ignore_ascii_case("all") {
                states.extend(State::ALL);
            } else {
                let known = State::ALL.into_iter().find(|known| known.name() == state);
                states.push(known.ok_or_else(|| Answer::bad_request("Invalid state"))?);
            }
        }
        if states.is_empty() {
            // A filter on the state replaces the usual choice of open ones.
            let filtered = choice
                .filter
                .as_ref()
                .is_some_and(|filter| filter.mentions("state"));
            states.extend(if filtered {
                &State::ALL[..]
            } else {
                &[State::Open]
            });
        }
        let pull_requests = &place.repository.pull_requests;
        let limit = self
            .request
            .quirks
            .sorted_states_limit
            .unwrap_or(usize::MAX);
        if states.len() > 1 && query.get("sort").is_some() && pull_requests.len() > limit {
            return Err(Answer::error(500, "Something went wrong"));
        }
        let name = format!(
            "{}/pullrequests?{}",
            place.repository.serial,
            query.selection()
        );
        let world = self.world;
        Ok(self.cache.places(name, world.revision(), || {
            let listed = pull_requests
                .values()
                .filter(|found| states.contains(&found.state));
            choice.of(
                listed,
                |found, name| pull_request_field(world, found, name),
                |found| (found.id, 0),
            )
        }))
    }

    pub(super) fn comments(
        &mut self,
        place: Place<'_>,
        pull_request: &PullRequest,
    ) -> Result<Answer, Answer> {
        let choice = COMMENTS.read(&self.request.query)?;
        let world = self.world;
        let field = |comment, name: &str| comment_field(world, comment, name);
        let ids = choice.of(pull_request.comments.iter(), field, |comment| comment.id);
        paging::numbered(self.request, &ids, LISTS, |out, id| {
            let Some(comment) = pull_request.comment(*id) else {
                return;
            };
            self.write(out, place, pull_request, Item::Comment(*id), |out| {
                payload::comment(out, place, pull_request, comment, payload::Shown::Alone);
            });
        })
    }

    pub(super) fn commits(
        &mut self,
        place: Place<'_>,
        pull_request: &PullRequest,
    ) -> Result<Answer, Answer> {
        if pull_request.source == crate::world::SourceRepository::Gone {
            return Err(Answer::not_found("Source repository"));
        }
        let newest_first: Vec<_> = pull_request.commits.iter().enumerate().rev().collect();
        let cursor = |(_, commit): &(usize, &crate::world::Commit)| commit.hash.to_string();
        paging::from_cursor(
            self.request,
            &newest_first,
            COMMITS,
            cursor,
            |out, (index, commit)| {
                self.write(out, place, pull_request, Item::Commit(*index), |out| {
                    payload::commit(out, place, commit);
                });
            },
        )
    }

    pub(super) fn activity(
        &mut self,
        place: Place<'_>,
        pull_request: &PullRequest,
    ) -> Result<Answer, Answer> {
        let newest_first = (0..pull_request.activity.len() as u64).rev();
        let entries: Vec<_> = newest_first.map(|index| (pull_request.id, index)).collect();
        self.activity_page(place, &entries)
    }

    /// The activity of all pull requests of a repository, newest first.
    pub(super) fn repository_activity(&mut self, place: Place<'_>) -> Result<Answer, Answer> {
        let name = format!("{}/activity", place.repository.serial);
        let entries = self.cache.places(name, self.world.revision(), || {
            let mut entries = Vec::new();
            for pull_request in place.repository.pull_requests.values() {
                for (index, entry) in pull_request.activity.iter().enumerate() {
                    entries.push((entry.date, (pull_request.id, index as u64)));
                }
            }
            entries.sort_unstable_by(|left, right| right.cmp(left));
            entries.into_iter().map(|(_, entry)| entry).collect()
        });
        self.activity_page(place, &entries)
    }

    fn activity_page(
        &mut self,
        place: Place<'_>,
        entries: &[(u64, u64)],
    ) -> Result<Answer, Answer> {
        let request = self.request;
        let write = |out: &mut String, (id, index): &(u64, u64)| {
            let Some((pull_request, index, entry)) = entry(place, *id, *index) else {
                return;
            };
            self.write(out, place, pull_request, Item::Activity(index), |out| {
                payload::activity(out, place, pull_request, entry);
            });
        };
        if request.quirks.activity_by_cursor {
            let cursor = |(id, index): &(u64, u64)| format!("{id:x}z{index:x}");
            paging::from_cursor(request, entries, HEAVY_LISTS, cursor, write)
        } else {
            paging::numbered(request, entries, HEAVY_LISTS, write)
        }
    }
}

fn entry(place: Place<'_>, id: u64, index: u64) -> Option<(&PullRequest, usize, &Activity)> {
    let pull_request = place.repository.pull_requests.get(&id)?;
    let index = usize::try_from(index).ok()?;
    Some((pull_request, index, pull_request.activity.get(index)?))
}

fn repository_field<'a>(world: &'a World, repository: &'a Repository, name: &str) -> Value<'a> {
    match name {
        "created_on" => Value::Time(repository.created_on),
        "description" => Value::text(&repository.description),
        "full_name" => Value::Text(Cow::Owned(world.full_name(repository))),
        "is_private" => Value::Flag(repository.is_private),
        "language" => Value::text(&repository.language),
        "name" => Value::text(&repository.name),
        "project.key" => match world.projects().get(repository.project) {
            Some(project) => Value::text(&project.key),
            None => Value::Null,
        },
        "size" => Value::Number(repository.size),
        "slug" => Value::text(&repository.slug),
        "updated_on" => Value::Time(repository.updated_on),
        "uuid" => Value::text(&repository.uuid),
        _ => Value::Null,
    }
}

fn pull_request_field<'a>(world: &'a World, found: &'a PullRequest, name: &str) -> Value<'a> {
    let author = || found.author.and_then(|author| world.user(author));
    match name {
        "author.account_id" => author().map_or(Value::Null, |user| Value::text(&user.account_id)),
        "author.uuid" => author().map_or(Value::Null, |user| Value::text(&user.uuid)),
        "comment_count" => Value::Number(found.comment_count()),
        "created_on" => Value::Time(found.created_on),
        "description" => Value::text(&found.description),
        "destination.branch.name" => Value::text(&found.destination_branch),
        "draft" => Value::Flag(found.draft),
        "id" => Value::Number(found.id),
        "source.branch.name" => Value::text(&found.source_branch),
        "state" => Value::text(found.state.name()),
        "task_count" => Value::Number(found.task_count),
        "title" => Value::text(&found.title),
        "updated_on" => Value::Time(found.updated_on),
        _ => Value::Null,
    }
}

fn comment_field<'a>(world: &'a World, comment: &'a Comment, name: &str) -> Value<'a> {
    let user = || comment.user.and_then(|user| world.user(user));
    match name {
        "content.raw" => Value::text(&comment.text),
        "created_on" => Value::Time(comment.created_on),
        "deleted" => Value::Flag(comment.deleted),
        "id" => Value::Number(comment.id),
        "updated_on" => Value::Time(comment.updated_on),
        "user.account_id" => user().map_or(Value::Null, |user| Value::text(&user.account_id)),
        "user.uuid" => user().map_or(Value::Null, |user| Value::text(&user.uuid)),
        _ => Value::Null,
    }
}
