//! Users and workspaces.

use crate::world::{User, UserId, Workspace, World};

use super::json::{Object, object};
use super::{API, WEB};

pub(crate) fn user(out: &mut String, user: &User) {
    let bare = user.uuid.trim_matches(['{', '}']);
    object(out, |it| {
        it.text("display_name", &user.display_name);
        it.object("links", |links| {
            links.link("self", format_args!("{API}/users/%7B{bare}%7D"));
            links.link("avatar", format_args!("{}", user.avatar));
            links.link("html", format_args!("{WEB}/%7B{bare}%7D/"));
        });
        it.text("type", "user");
        it.text("uuid", &user.uuid);
        // A closed account keeps its UUID and nothing else that tells it.
        if !user.account_id.is_empty() {
            it.text("account_id", &user.account_id);
            it.text("nickname", &user.nickname);
        }
    });
}

/// A user as a member of another object; null for a deleted account.
pub(super) fn member(it: &mut Object<'_>, key: &str, world: &World, id: Option<UserId>) {
    it.optional(key, id.and_then(|id| world.user(id)), user);
}

pub(crate) fn workspace(out: &mut String, workspace: &Workspace) {
    let slug = &workspace.slug;
    object(out, |it| {
        it.text("type", "workspace");
        it.text("uuid", &workspace.uuid);
        it.text("name", &workspace.name);
        it.text("slug", slug);
        it.flag("is_private", true);
        it.time("created_on", workspace.created_on);
        it.object("links", |links| {
            links.link(
                "avatar",
                format_args!("{WEB}/workspaces/{slug}/avatar/?ts=1700000000"),
            );
            links.link("html", format_args!("{WEB}/{slug}/"));
            links.link("self", format_args!("{API}/workspaces/{slug}"));
            links.link("repositories", format_args!("{API}/repositories/{slug}"));
            links.link("projects", format_args!("{API}/workspaces/{slug}/projects"));
            links.link("members", format_args!("{API}/workspaces/{slug}/members"));
        });
    });
}

/// A user as a member of the workspace.
pub(crate) fn membership(out: &mut String, workspace: &Workspace, member: &User) {
    object(out, |it| {
        it.text("type", "workspace_membership");
        it.value("user", |out| user(out, member));
        it.value("workspace", |out| workspace_stub(out, workspace));
        it.object("links", |links| {
            let (slug, uuid) = (&workspace.slug, member.uuid.trim_matches(['{', '}']));
            links.link(
                "self",
                format_args!("{API}/workspaces/{slug}/members/%7B{uuid}%7D"),
            );
        });
    });
}

/// The short form inside repositories.
pub(super) fn workspace_stub(out: &mut String, workspace: &Workspace) {
    let slug = &workspace.slug;
    object(out, |it| {
        it.text("type", "workspace");
        it.text("uuid", &workspace.uuid);
        it.text("name", &workspace.name);
        it.text("slug", slug);
        it.object("links", |links| {
            links.link(
                "avatar",
                format_args!("{WEB}/workspaces/{slug}/avatar/?ts=1700000000"),
            );
            links.link("html", format_args!("{WEB}/{slug}/"));
            links.link("self", format_args!("{API}/workspaces/{slug}"));
        });
    });
}

/// One element of `user/workspaces`; unlike other forms it has no name.
pub(crate) fn workspace_access(out: &mut String, workspace: &Workspace) {
    let slug = &workspace.slug;
    object(out, |it| {
        it.text("type", "workspace_access");
        it.flag("administrator", false);
        it.object("workspace", |it| {
            it.text("type", "workspace_base");
            it.text("uuid", &workspace.uuid);
            it.text("slug", slug);
            it.object("links", |links| {
                links.link("avatar", format_args!("{API}/workspaces/{slug}/avatar/"));
                links.link("self", format_args!("{API}/workspaces/{slug}"));
            });
        });
    });
}
