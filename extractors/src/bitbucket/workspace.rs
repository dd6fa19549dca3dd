//! Workspaces.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::workspace::{self, Workspaces};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::Links;
use crate::{Extract, json};

impl Extract for Workspaces {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<workspace::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        rows.push(workspace::Model {
            connection_id: item.scope.connection_id,
            slug: item.scope.full_name.clone(),
            uuid: payload.uuid,
            name: payload.name,
            is_private: payload.is_private,
            html_url: Links::html(payload.links),
            bitbucket_created_at: payload.created_on,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(default, deserialize_with = "json::text")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::flag")]
    is_private: bool,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    links: Option<Links>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::workspace::Workspaces;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_workspace_becomes_one_row_and_nulls_are_empty() {
        let payload = r#"{"type": "workspace", "uuid": "{w}", "name": "Acme Inc.", "slug": "acme",
            "is_private": true, "created_on": "2019-02-03T10:00:00+00:00",
            "links": {"html": {"href": "https://b/acme/"}}}"#;
        let nulls = r#"{"uuid": "{w}", "name": null, "is_private": null, "links": null}"#;
        assert_snapshot!(
            [payload, nulls]
                .map(|payload| extracted::<Workspaces>("", "{w}", payload))
                .concat()
        );
    }
}
