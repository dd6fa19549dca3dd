//! Projects.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::project::{self, Projects};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Links, User};
use crate::{Extract, json};

impl Extract for Projects {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<project::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let owner = payload.owner.unwrap_or_default();
        rows.mention(item, payload.updated_on, owner.profile());
        rows.push(project::Model {
            connection_id: item.scope.connection_id,
            workspace: item.scope.full_name.clone(),
            project_key: payload.key,
            uuid: payload.uuid,
            name: payload.name,
            description: payload.description,
            is_private: payload.is_private,
            html_url: Links::html(payload.links),
            bitbucket_created_at: payload.created_on,
            bitbucket_updated_at: payload.updated_on,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<127, _>")]
    key: String,
    #[serde(default, deserialize_with = "json::text")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    description: String,
    #[serde(default, deserialize_with = "json::flag")]
    is_private: bool,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    updated_on: Option<DateTime<Utc>>,
    links: Option<Links>,
    owner: Option<User>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::project::Projects;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_project_becomes_one_row_and_names_its_owner() {
        let payload = r#"{"type": "project", "key": "MOON", "uuid": "{p}", "name": "Moon",
            "description": "Up there", "is_private": true,
            "created_on": "2020-02-03T10:00:00+00:00", "updated_on": "2021-02-03T10:00:00+00:00",
            "owner": {"account_id": "ann", "display_name": "Ann"},
            "links": {"html": {"href": "https://b/acme/workspace/projects/MOON"}}}"#;
        let nulls = r#"{"key": "MOON", "name": null, "description": null, "owner": null}"#;
        assert_snapshot!(
            [payload, nulls, "{}"]
                .map(|payload| extracted::<Projects>("", "MOON", payload))
                .concat()
        );
    }
}
