//! The API of Bitbucket Cloud: which address answers what, to whom, and how much of it.
//!
//! No network here: a [`Request`] and a world go in, an [`Answer`] comes out. The API of another
//! product is a folder beside this one and shows the same [`World`].

mod access;
mod answer;
mod builds;
mod cache;
pub(crate) mod envelope;
mod fields;
mod filter;
mod git;
mod listing;
mod order;
mod paging;
pub(crate) mod payload;
mod query;
mod secrets;
mod tracker;
mod workspaces;

pub(crate) use access::{Accepted, TOKEN_PATH};
pub(crate) use answer::Answer;
pub(crate) use cache::Cache;
pub(crate) use query::{Query, decode_segment};
pub(crate) use secrets::with_secrets;

use crate::behaviour::{ListQuirks, PipelinesOff};
use crate::options::ListedWorkspace;
use crate::world::{PullRequest, Repository, SourceRepository, World};
use cache::{Item, Key};
use fields::Selection;
use paging::LISTS;
use payload::{Extras, Place};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A user with an API token.
    Person,
    /// An access token, with no user behind it.
    Token,
    /// No credentials: public repositories only.
    Anonymous,
}

/// Where the service is known to differ between sites, times or reports.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a habit of the service of its own"
)]
pub(crate) struct Quirks {
    pub(crate) issues_status: u16,
    pub(crate) sorted_states_limit: Option<usize>,
    pub(crate) activity_by_cursor: bool,
    pub(crate) without_size: bool,
    pub(crate) without_next: bool,
    pub(crate) lists: ListQuirks,
    pub(crate) unending_pipelines: Option<u64>,
    pub(crate) pipelines_off: Option<PipelinesOff>,
    pub(crate) ignores_fields: bool,
}

/// One authenticated GET.
pub(crate) struct Request<'a> {
    /// `http://127.0.0.1:PORT`, where `next` leads back to.
    pub(crate) origin: &'a str,
    /// The path as it was sent.
    pub(crate) path: &'a str,
    pub(crate) query: Query,
    pub(crate) reader: Reader,
    /// Workspaces beside the world's own.
    pub(crate) listed: &'a [ListedWorkspace],
    /// Short names of repositories that nobody sees; the empty one means all.
    pub(crate) hidden: &'a [String],
    pub(crate) quirks: Quirks,
}

/// Answers one request from the world as it is.
pub(crate) fn answer(world: &World, cache: &mut Cache, request: &Request<'_>) -> Answer {
    let selection = Selection::parse(request.query.get("fields"));
    let mut session = Session {
        world,
        cache,
        request,
        extras: selection.extras(),
        environments: selection.environments(),
    };
    let is_whole = request.quirks.ignores_fields;
    match session.route() {
        Ok(answer) if is_whole => answer,
        Ok(answer) => selection.apply(answer),
        Err(error) => error,
    }
}

struct Session<'a> {
    world: &'a World,
    cache: &'a mut Cache,
    request: &'a Request<'a>,
    extras: Extras,
    environments: payload::Environment,
}

impl<'a> Session<'a> {
    fn route(&mut self) -> Result<Answer, Answer> {
        let path = self
            .request
            .path
            .strip_prefix("/2.0/")
            .ok_or_else(Answer::no_route)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<String> = path.split('/').map(query::decode_segment).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ["repositories", workspace, rest @ ..] = segments.as_slice()
            && let Some(listed) = self.listed_workspace(workspace)
        {
            return self.listed_repositories(listed, rest);
        }
        match segments.as_slice() {
            ["repositories" | "workspaces"]
            | ["user", "permissions", "workspaces" | "repositories"] => {
                Err(Answer::retired("CHANGE-2770"))
            }
            ["user"] => self.user(),
            ["user", "workspaces"] => self.user_workspaces(),
            ["workspaces", workspace] => {
                self.find_workspace(workspace)?;
                Ok(rendered(|out| {
                    payload::workspace(out, self.world.workspace());
                }))
            }
            [
                "workspaces",
                workspace,
                list @ ("projects" | "members"),
                rest @ ..,
            ] => {
                self.find_workspace(workspace)?;
                self.workspace_list(list, rest)
            }
            ["repositories", workspace] => {
                self.find_workspace(workspace)?;
                self.repositories()
            }
            ["repositories", workspace, slug, rest @ ..] => {
                let repository = self.find_repository(workspace, slug)?;
                self.route_repository(repository, rest)
            }
            _ => Err(Answer::no_route()),
        }
    }

    fn route_repository(
        &mut self,
        repository: &Repository,
        rest: &[&str],
    ) -> Result<Answer, Answer> {
        let full_name = self.world.full_name(repository);
        let place = Place {
            world: self.world,
            repository,
            full_name: &full_name,
        };
        let off = self.request.quirks.pipelines_off;
        match rest {
            [] => Ok(rendered(|out| payload::repository(out, place))),
            ["pipelines_config"] => builds::configuration(off),
            ["pipelines" | "deployments" | "environments", ..] if off.is_some() => {
                let status = off.map_or(404, |off| off.status);
                Err(Answer::error(status, "Pipelines is not enabled"))
            }
            ["pullrequests"] => self.pull_requests(place),
            ["pullrequests", "activity"] => self.repository_activity(place),
            ["pullrequests", id, rest @ ..] => {
                let id = id
                    .parse()
                    .ok()
                    .and_then(|id: u64| repository.pull_requests.get(&id));
                let pull_request = id.ok_or_else(|| Answer::not_found("Pull request"))?;
                self.route_pull_request(place, pull_request, rest)
            }
            ["pipelines", rest @ ..] => self.pipelines(place, rest),
            ["deployments", rest @ ..] => self.deployments(place, rest),
            ["environments", rest @ ..] => self.environments(place, rest),
            ["refs"] => self.refs(place),
            ["refs", "branches", name @ ..] => self.branches(place, name),
            ["refs", "tags", name @ ..] => self.tags(place, name),
            ["commits"] => self.main_commits(place),
            ["diffstat", ..] => self.diffstat(place),
            ["issues", rest @ ..] => self.issues(place, rest),
            ["components" | "milestones" | "versions", ..] => {
                Err(match self.request.quirks.issues_status {
                    410 => Answer::error(410, "Resource removed"),
                    status => Answer::error(status, "Repository has no issue tracker."),
                })
            }
            _ => Err(Answer::no_route()),
        }
    }

    fn route_pull_request(
        &mut self,
        place: Place<'_>,
        pull_request: &PullRequest,
        rest: &[&str],
    ) -> Result<Answer, Answer> {
        match rest {
            [] => {
                let mut body = String::new();
                self.write_pull_request(&mut body, place, pull_request, Extras::ALL);
                Ok(Answer::ok(body))
            }
            ["activity"] => self.activity(place, pull_request),
            ["comments"] => self.comments(place, pull_request),
            ["comments", id] => {
                let comment = id.parse().ok().and_then(|id| pull_request.comment(id));
                let comment = comment.ok_or_else(|| Answer::not_found("Comment"))?;
                Ok(rendered(|out| {
                    payload::comment(out, place, pull_request, comment, payload::Shown::Alone);
                }))
            }
            ["commits"] => self.commits(place, pull_request),
            ["diffstat"] => {
                let (from, to) = (pull_request.source_commit, pull_request.destination_commit);
                let (name, id) = (place.full_name, pull_request.id);
                let length = self.request.query.get("pagelen").unwrap_or("10");
                Err(Answer::elsewhere(&format!(
                    "{}/2.0/repositories/{name}/diffstat/{name}:{from:.12}%0D{to:.12}\
                     ?from_pullrequest_id={id}&topic=true&pagelen={length}",
                    self.request.origin
                )))
            }
            ["statuses"] => {
                let checks = payload::checks(pull_request);
                paging::numbered(self.request, &checks, LISTS, |out, check| {
                    payload::status(out, place, pull_request, *check);
                })
            }
            _ => Err(Answer::no_route()),
        }
    }

    /// The files that differ between the two commits of the pull request that the query names.
    fn diffstat(&self, place: Place<'_>) -> Result<Answer, Answer> {
        let id = self.request.query.get("from_pullrequest_id");
        let id = id.and_then(|id| id.parse::<u64>().ok());
        let found = id.and_then(|id| place.repository.pull_requests.get(&id));
        let found = found.ok_or_else(|| Answer::not_found("Commit"))?;
        if found.source == SourceRepository::Gone && found.merge_commit.is_none() {
            return Err(Answer::bad_request("No common ancestor"));
        }
        let files = payload::changed_files(found);
        paging::numbered(self.request, &files, LISTS, |out, file| {
            payload::diffstat(out, place, file);
        })
    }

    fn user(&self) -> Result<Answer, Answer> {
        match self.request.reader {
            Reader::Person => {
                let me = self.world.users().first().ok_or_else(Answer::no_user)?;
                Ok(rendered(|out| payload::user(out, me)))
            }
            Reader::Token => Err(Answer::no_user()),
            Reader::Anonymous => Err(Answer::unauthorized()),
        }
    }

    fn find_workspace(&self, name: &str) -> Result<(), Answer> {
        let workspace = self.world.workspace();
        if name.eq_ignore_ascii_case(&workspace.slug) || name == workspace.uuid {
            return Ok(());
        }
        // An empty name is what a client sends that meant the retired list of all repositories.
        Err(if name.is_empty() {
            Answer::retired("CHANGE-2770")
        } else {
            Answer::no_workspace(name)
        })
    }

    /// Repositories that may not be seen look like repositories that do not exist.
    fn find_repository(&self, workspace: &str, name: &str) -> Result<&'a Repository, Answer> {
        if self.find_workspace(workspace).is_err() {
            return Err(Answer::no_repository());
        }
        let found = self
            .world
            .repository(name)
            .filter(|repository| self.may_see(repository));
        found.ok_or_else(Answer::no_repository)
    }

    fn may_see(&self, repository: &Repository) -> bool {
        let is_hidden = |name: &String| name.is_empty() || *name == repository.slug;
        let is_hidden = self.request.hidden.iter().any(is_hidden);
        !is_hidden && (self.request.reader != Reader::Anonymous || !repository.is_private)
    }

    fn write_pull_request(
        &mut self,
        out: &mut String,
        place: Place<'_>,
        pull_request: &PullRequest,
        extras: Extras,
    ) {
        let item = Item::PullRequest(extras);
        self.write(out, place, pull_request, item, |out| {
            payload::pull_request(out, place, pull_request, extras);
        });
    }

    /// Writes something that belongs to a pull request, from the cache where possible.
    fn write(
        &mut self,
        out: &mut String,
        place: Place<'_>,
        pull_request: &PullRequest,
        item: Item,
        render: impl FnOnce(&mut String),
    ) {
        let key = Key {
            repository: place.repository.serial,
            pull_request: pull_request.id,
            item,
        };
        let version = (pull_request.revision, self.world.shared_revision());
        self.cache.write(out, key, version, render);
    }
}

fn rendered(write: impl FnOnce(&mut String)) -> Answer {
    let mut body = String::new();
    write(&mut body);
    Answer::ok(body)
}
