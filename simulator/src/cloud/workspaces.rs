//! Further workspaces, of which only lists are simulated.

use crate::cloud::payload::{self, json::object};
use crate::options::ListedWorkspace;
use crate::world::Workspace;

use super::answer::Answer;
use super::paging::{self, LISTS};
use super::{Reader, Session, rendered};

/// A repository of a listed workspace, by its place from 0.
#[derive(Clone, Copy)]
struct Listed<'a> {
    workspace: &'a ListedWorkspace,
    place: usize,
}

impl Session<'_> {
    pub(super) fn user_workspaces(&self) -> Result<Answer, Answer> {
        match self.request.reader {
            Reader::Person => {
                let own = self.world.workspace();
                let further = self.request.listed.iter().map(|listed| Workspace {
                    slug: listed.slug.clone(),
                    uuid: uuid(&listed.slug, 0),
                    name: listed.slug.clone(),
                    created_on: own.created_on,
                });
                let all: Vec<Workspace> = std::iter::once(own.clone()).chain(further).collect();
                paging::numbered(self.request, &all, LISTS, payload::workspace_access)
            }
            Reader::Token => Err(Answer::no_user()),
            Reader::Anonymous => Err(Answer::unauthorized()),
        }
    }

    /// Projects or members of the workspace, or one of them; strangers see none.
    pub(super) fn workspace_list(&self, list: &str, rest: &[&str]) -> Result<Answer, Answer> {
        if self.request.reader == Reader::Anonymous {
            return Err(Answer::unauthorized());
        }
        let (world, one) = (self.world, rest.first().copied());
        if list == "projects" {
            let Some(key) = one else {
                return paging::numbered(self.request, world.projects(), LISTS, |out, project| {
                    payload::project(out, world.workspace(), project);
                });
            };
            let found = world.projects().iter().find(|project| project.key == key);
            let found = found.ok_or_else(|| Answer::not_found("Project"))?;
            return Ok(rendered(|out| {
                payload::project(out, world.workspace(), found);
            }));
        }
        let Some(uuid) = one else {
            return paging::numbered(self.request, world.users(), LISTS, |out, user| {
                payload::membership(out, world.workspace(), user);
            });
        };
        let found = world.users().iter().find(|user| user.uuid == uuid);
        let found = found.ok_or_else(|| Answer::not_found("Member"))?;
        Ok(rendered(|out| {
            payload::membership(out, world.workspace(), found);
        }))
    }

    pub(super) fn listed_workspace(&self, slug: &str) -> Option<&ListedWorkspace> {
        let mut listed = self.request.listed.iter();
        listed.find(|listed| listed.slug.eq_ignore_ascii_case(slug))
    }

    /// The repositories of a listed workspace, or one of them; strangers see none.
    pub(super) fn listed_repositories(
        &self,
        workspace: &ListedWorkspace,
        rest: &[&str],
    ) -> Result<Answer, Answer> {
        if let [slug, rest @ ..] = rest {
            return self.listed_repository(workspace, slug, rest);
        }
        let visible = match self.request.reader {
            _ if self.hides_everything() => 0,
            Reader::Anonymous => 0,
            Reader::Person | Reader::Token => workspace.repositories,
        };
        let all: Vec<Listed<'_>> = (0..visible)
            .map(|place| Listed { workspace, place })
            .collect();
        paging::numbered(self.request, &all, LISTS, |out, listed| {
            self.write_listed(out, *listed);
        })
    }

    fn hides_everything(&self) -> bool {
        self.request.hidden.iter().any(String::is_empty)
    }

    /// One of these repositories, or its pull requests, of which there are none.
    fn listed_repository(
        &self,
        workspace: &ListedWorkspace,
        slug: &str,
        rest: &[&str],
    ) -> Result<Answer, Answer> {
        let renamed = workspace.renamed.iter().find(|(_, name)| name == slug);
        let usual = slug
            .strip_prefix("repository-")
            .and_then(|n| n.parse().ok());
        let number = renamed.map(|(number, _)| *number).or(usual);
        let place = number.and_then(|number: usize| number.checked_sub(1));
        let place = place
            .filter(|place| *place < workspace.repositories)
            .filter(|place| workspace.slug_of(place + 1) == slug);
        let place = place.ok_or_else(Answer::no_repository)?;
        if self.hides_everything() {
            return Err(Answer::no_repository());
        }
        match rest {
            [] => Ok(rendered(|out| {
                self.write_listed(out, Listed { workspace, place });
            })),
            ["pullrequests"] => paging::numbered(
                self.request,
                &[(); 0],
                super::paging::HEAVY_LISTS,
                |_, ()| {},
            ),
            ["pipelines" | "deployments" | "environments" | "commits" | "refs"]
            | ["refs", "branches" | "tags"] => {
                paging::numbered(self.request, &[(); 0], LISTS, |_, ()| {})
            }
            _ => Err(Answer::no_route()),
        }
    }

    fn write_listed(&self, out: &mut String, Listed { workspace, place }: Listed<'_>) {
        let number = place + 1;
        let every = |step: Option<usize>| step.is_some_and(|step| number.is_multiple_of(step));
        let slug = workspace.slug_of(number);
        object(out, |it| {
            it.text("type", "repository");
            it.shown("full_name", format_args!("{}/{slug}", workspace.slug));
            it.text("name", &slug);
            it.text("slug", &slug);
            it.text("uuid", &uuid(&workspace.slug, number));
            it.flag("is_private", true);
            it.flag("archived", every(workspace.archived_every));
            let fork = every(workspace.fork_every).then_some("upstream/original");
            it.optional("parent", fork, |out, name| {
                object(out, |it| {
                    it.text("type", "repository");
                    it.text("full_name", name);
                });
            });
            it.time("created_on", self.world.workspace().created_on);
            it.time("updated_on", self.world.workspace().created_on);
        });
    }
}

/// The same for the same name and number, and different for others.
fn uuid(slug: &str, number: usize) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in slug.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!(
        "{{{:08x}-{:04x}-4000-8000-{number:012x}}}",
        hash >> 32,
        hash & 0xffff
    )
}
