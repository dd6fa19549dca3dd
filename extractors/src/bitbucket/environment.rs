//! Environments.

use headwater_domain::tool::bitbucket::environment::{self, Environments};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::Named;
use crate::{Extract, json};

impl Extract for Environments {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<environment::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        rows.push(environment::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            bitbucket_id: payload.uuid,
            name: payload.name,
            slug: payload.slug,
            environment_type: payload.environment_type.unwrap_or_default().name,
            rank: payload.rank,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<127, _>")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    slug: String,
    environment_type: Option<Named>,
    #[serde(default, deserialize_with = "json::number")]
    rank: i64,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::environment::Environments;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn an_environment_becomes_one_row() {
        let payload = r#"{"uuid": "{e}", "name": "prod-eu", "slug": "prod-eu", "rank": 2,
            "environment_type": {"name": "Production", "rank": 2}}"#;
        assert_snapshot!(extracted::<Environments>("", "{e}", payload));
    }
}
