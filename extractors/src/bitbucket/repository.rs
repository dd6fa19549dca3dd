//! Repositories.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::account_mention;
use headwater_domain::tool::bitbucket::repository::{self, Repositories};
use headwater_domain::{Item, Rows, Stream, Table};
use serde::Deserialize;

use super::{Link, User};
use crate::{Extract, json};

impl Extract for Repositories {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![
            Table::of::<repository::Entity>(),
            Table::of::<account_mention::Entity>(),
        ]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let owner = payload.owner.unwrap_or_default();
        rows.mention(Self::NAME, item, owner.profile());
        let links = payload.links.unwrap_or_default();
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
            project_key: payload.project.unwrap_or_default().key,
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
    links: Option<RepositoryLinks>,
    owner: Option<User>,
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
}
