//! Repositories.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::repository::{self, Repositories};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Link, User, Uuid};
use crate::{Extract, json};

impl Extract for Repositories {
    type Payload = Payload;

    const VERSION: u32 = 3;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<repository::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let owner = payload.owner.unwrap_or_default();
        // The workspace in its role as owner is a place and no account.
        let workspace = payload.workspace.unwrap_or_default().uuid;
        if owner.has_account_id() || owner.uuid != workspace {
            rows.mention(item, payload.updated_on, owner.profile());
        }
        let links = payload.links.unwrap_or_default();
        let project = payload.project.unwrap_or_default();
        rows.push(repository::Model {
            connection_id: item.scope.connection_id,
            bitbucket_id: item.scope.full_name.clone(),
            scope_config_id: 0,
            name: payload.name,
            html_url: links.html.unwrap_or_default().href,
            description: payload.description,
            owner: owner.display_name,
            language: payload.language,
            clone_url: https_clone(links.clone),
            created_date: payload.created_on,
            updated_date: payload.updated_on,
            uuid: payload.uuid,
            main_branch: payload.mainbranch.unwrap_or_default().name,
            is_private: payload.is_private,
            forked_from: payload.parent.unwrap_or_default().full_name,
            project_key: project.key,
            project_name: project.name,
            is_archived: payload.archived,
        });
    }
}

/// The last https address wins, as in `DevLake`.
fn https_clone(links: Vec<CloneLink>) -> String {
    let https = links.into_iter().rfind(|link| link.name == "https");
    https.map(|link| link.href).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    description: String,
    #[serde(default, deserialize_with = "json::text")]
    language: String,
    #[serde(default, deserialize_with = "json::text")]
    uuid: String,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::flag")]
    is_private: bool,
    #[serde(default, deserialize_with = "json::flag")]
    archived: bool,
    links: Option<RepositoryLinks>,
    owner: Option<User>,
    workspace: Option<Uuid>,
    mainbranch: Option<Named>,
    parent: Option<FullName>,
    project: Option<Project>,
}

#[derive(Debug, Default, Deserialize)]
struct RepositoryLinks {
    html: Option<Link>,
    #[serde(default, deserialize_with = "json::list")]
    clone: Vec<CloneLink>,
}

#[derive(Debug, Deserialize)]
struct CloneLink {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    href: String,
}

#[derive(Debug, Default, Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
struct FullName {
    #[serde(default, deserialize_with = "json::text")]
    full_name: String,
}

#[derive(Debug, Default, Deserialize)]
struct Project {
    #[serde(default, deserialize_with = "json::text")]
    key: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::repository::Repositories;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    fn repository(payload: &str) -> String {
        extracted::<Repositories>("", "{0a1b}", payload)
    }

    #[test]
    fn a_fork_is_read_with_owner_parent_and_last_https_address() {
        assert_snapshot!(repository(
            r#"{
                "type": "repository", "uuid": "{0a1b}", "full_name": "acme/rocket",
                "name": "Rocket 🚀", "description": "Fährt zum Mond\n\"bald\"",
                "language": "rust", "is_private": true, "archived": true,
                "created_on": "2024-02-29T23:59:59.999999+00:00",
                "updated_on": "2026-11-01T08:00:00.5+02:00",
                "mainbranch": {"type": "branch", "name": "main"},
                "parent": {"full_name": "upstream/rocket"},
                "project": {"key": "MOON", "name": "Moon"},
                "owner": {
                    "display_name": "Acme Inc.", "type": "team", "uuid": "{team}",
                    "account_id": "557058:owner", "username": "acme", "nickname": "acme",
                    "links": {"avatar": {"href": "https://avatar/acme"}, "html": {"href": "https://b/acme"}}
                },
                "links": {
                    "html": {"href": "https://b/acme/rocket"},
                    "clone": [
                        {"name": "https", "href": "https://first@b/acme/rocket.git"},
                        {"name": "ssh", "href": "git@b:acme/rocket.git"},
                        {"name": "https", "href": "https://last@b/acme/rocket.git"}
                    ]
                }
            }"#
        ));
    }

    #[test]
    fn a_repository_of_nulls_reads_like_an_empty_one() {
        let nulls = repository(
            r#"{
                "uuid": null, "name": null, "description": null, "language": null,
                "is_private": null, "created_on": null, "updated_on": "", "mainbranch": null,
                "parent": null, "project": null, "owner": null, "links": null
            }"#,
        );
        assert_eq!(nulls, repository("{}"));
        assert_snapshot!(nulls);
    }

    #[test]
    fn an_ssh_address_alone_is_no_clone_address() {
        let shown =
            repository(r#"{"links": {"clone": [{"name": "ssh", "href": "git@b:a/b.git"}]}}"#);
        assert!(shown.contains("clone_url=\"\""), "{shown}");
    }

    #[test]
    fn what_is_no_repository_says_where_it_is_wrong() {
        assert_snapshot!(
            [
                r#"{"links": {"clone": "https://b/acme/rocket"}}"#,
                r#"{"owner": {"links": {"avatar": 7}}}"#,
                r#"{"created_on": "yesterday"}"#,
                r#"{"is_private": "no"}"#,
                "<html>",
                "",
            ]
            .map(repository)
            .concat()
        );
    }
}
