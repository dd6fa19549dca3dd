//! Repositories, in full and as the stub inside other objects.

use crate::world::{Fork, Project, Workspace};

use super::json::{Object, object};
use super::user::{user, workspace_stub};
use super::{API, Place, WEB};

/// The whole object, as lists and single reads both give it.
pub(crate) fn repository(out: &mut String, place: Place<'_>) {
    let Place {
        world,
        repository,
        full_name,
    } = place;
    object(out, |it| {
        it.text("type", "repository");
        it.text("full_name", full_name);
        it.object("links", |links| repository_links(links, place));
        it.text("name", &repository.name);
        it.text("slug", &repository.slug);
        it.text("description", &repository.description);
        it.text("scm", "git");
        it.null("website");
        match repository.owner.and_then(|owner| world.user(owner)) {
            Some(owner) => it.value("owner", |out| user(out, owner)),
            None => it.value("owner", |out| team(out, place)),
        }
        it.value("workspace", |out| workspace_stub(out, world.workspace()));
        it.flag("is_private", repository.is_private);
        let project = world.projects().get(repository.project);
        it.optional("project", project, |out, project| {
            project_stub(out, place, project);
        });
        it.text(
            "fork_policy",
            if repository.is_private {
                "no_public_forks"
            } else {
                "allow_forks"
            },
        );
        it.time("created_on", repository.created_on);
        it.time("updated_on", repository.updated_on);
        it.number("size", repository.size);
        it.text("language", &repository.language);
        it.text("uuid", &repository.uuid);
        it.optional("mainbranch", repository.mainbranch.as_ref(), |out, name| {
            object(out, |it| {
                it.text("name", name);
                it.text("type", "branch");
            });
        });
        it.object("override_settings", |it| {
            it.flag("default_merge_strategy", true);
            it.flag("branching_model", true);
        });
        if let Some(parent) = &repository.parent {
            it.value("parent", |out| fork_stub(out, parent));
        }
        it.null("enforced_signed_commits");
        it.flag("has_issues", false);
        it.flag("has_wiki", false);
    });
}

fn repository_links(links: &mut Object<'_>, place: Place<'_>) {
    let name = place.full_name;
    links.link("self", format_args!("{API}/repositories/{name}"));
    links.link("html", format_args!("{WEB}/{name}"));
    avatar(links, &place.repository.uuid);
    let collections = [
        ("pullrequests", "pullrequests"),
        ("commits", "commits"),
        ("forks", "forks"),
        ("watchers", "watchers"),
        ("downloads", "downloads"),
        ("hooks", "hooks"),
    ];
    for (key, path) in collections {
        links.link(key, format_args!("{API}/repositories/{name}/{path}"));
    }
    let clones = [
        ("https", "https://bitbucket.org/"),
        ("ssh", "ssh://git@bitbucket.org/"),
    ];
    links.array("clone", clones, |out, (protocol, prefix)| {
        object(out, |it| {
            it.text("name", protocol);
            it.shown("href", format_args!("{prefix}{name}.git"));
        });
    });
}

fn avatar(links: &mut Object<'_>, uuid: &str) {
    let bare = uuid.trim_matches(['{', '}']);
    links.link(
        "avatar",
        format_args!("https://bytebucket.org/ravatar/%7B{bare}%7D?ts=default"),
    );
}

/// The workspace in its role as owner.
fn team(out: &mut String, place: Place<'_>) {
    let workspace = place.world.workspace();
    let slug = &workspace.slug;
    let bare = workspace.uuid.trim_matches(['{', '}']);
    object(out, |it| {
        it.text("display_name", &workspace.name);
        it.object("links", |links| {
            links.link("self", format_args!("{API}/workspaces/%7B{bare}%7D"));
            links.link("avatar", format_args!("{WEB}/account/{slug}/avatar/"));
            links.link("html", format_args!("{WEB}/%7B{bare}%7D/"));
        });
        it.text("type", "team");
        it.text("uuid", &workspace.uuid);
        it.text("username", slug);
    });
}

fn project_stub(out: &mut String, place: Place<'_>, project: &Project) {
    let (slug, key) = (&place.world.workspace().slug, &project.key);
    object(out, |it| {
        it.text("type", "project");
        it.text("key", key);
        it.text("uuid", &project.uuid);
        it.text("name", &project.name);
        it.object("links", |links| {
            links.link(
                "html",
                format_args!("{WEB}/{slug}/workspace/projects/{key}"),
            );
            let page = format_args!("{WEB}/{slug}/workspace/projects/{key}/avatar/32");
            links.link("avatar", page);
        });
    });
}

/// A project as the workspace's list gives it.
pub(crate) fn project(out: &mut String, workspace: &Workspace, project: &Project) {
    let (slug, key) = (&workspace.slug, &project.key);
    object(out, |it| {
        it.text("type", "project");
        it.object("links", |links| {
            links.link(
                "html",
                format_args!("{WEB}/{slug}/workspace/projects/{key}"),
            );
        });
        it.text("uuid", &project.uuid);
        it.text("key", key);
        it.text("name", &project.name);
        it.text("description", "");
        it.flag("is_private", true);
        it.flag("has_publicly_visible_repos", false);
        it.time("created_on", workspace.created_on);
        it.time("updated_on", workspace.created_on);
    });
}

/// The repository as pull requests name it.
pub(super) fn stub(out: &mut String, place: Place<'_>) {
    let repository = place.repository;
    named_stub(out, place.full_name, &repository.name, &repository.uuid);
}

/// A repository outside the workspace.
pub(super) fn fork_stub(out: &mut String, fork: &Fork) {
    let name = fork.full_name.rsplit('/').next().unwrap_or_default();
    named_stub(out, &fork.full_name, name, &fork.uuid);
}

fn named_stub(out: &mut String, full_name: &str, name: &str, uuid: &str) {
    object(out, |it| {
        it.text("type", "repository");
        it.text("full_name", full_name);
        it.object("links", |links| {
            links.link("self", format_args!("{API}/repositories/{full_name}"));
            links.link("html", format_args!("{WEB}/{full_name}"));
            avatar(links, uuid);
        });
        it.text("name", name);
        it.text("uuid", uuid);
    });
}
