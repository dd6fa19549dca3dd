//! Deployments.

use chrono::{DateTime, Utc};
use headwater_domain::tool::bitbucket::deployment::{self, Deployments};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Links, Named, Uuid};
use crate::{Extract, json};

impl Extract for Deployments {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<deployment::Entity>()]
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let environment = payload.environment.unwrap_or_default();
        let release = payload.release.unwrap_or_default();
        let state = payload.state.unwrap_or_default();
        let commit = release.commit.unwrap_or_default();
        let pipeline_id = release.pipeline.unwrap_or_default().uuid;
        let belongs_to = if pipeline_id.is_empty() {
            payload.uuid.clone()
        } else {
            pipeline_id.clone()
        };
        rows.push(deployment::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            belongs_to,
            bitbucket_id: payload.uuid,
            pipeline_id,
            step_id: payload.step.unwrap_or_default().uuid,
            r#type: payload.kind,
            name: release.name,
            environment_id: environment.uuid,
            environment: environment.name,
            environment_type: environment.kind.unwrap_or_default().name,
            key: release.key,
            web_url: release.url,
            status: state.name,
            result: state.status.unwrap_or_default().name,
            state_url: state.url,
            commit_sha: commit.hash,
            commit_url: Links::html(commit.links),
            created_on: release.created_on,
            started_on: state.started_on,
            completed_on: state.completed_on,
            last_update_time: payload.last_update_time,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<127, _>")]
    uuid: String,
    #[serde(default, rename = "type", deserialize_with = "json::text")]
    kind: String,
    environment: Option<Environment>,
    step: Option<Uuid>,
    release: Option<Release>,
    state: Option<State>,
    #[serde(default, deserialize_with = "json::time")]
    last_update_time: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
struct Environment {
    /// All that there is of it where the list was not asked for more.
    #[serde(default, deserialize_with = "json::short_text::<127, _>")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(rename = "environment_type")]
    kind: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
struct Release {
    pipeline: Option<Uuid>,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    #[serde(default, deserialize_with = "json::text")]
    key: String,
    #[serde(default, deserialize_with = "json::text")]
    url: String,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    commit: Option<Commit>,
}

#[derive(Debug, Default, Deserialize)]
struct Commit {
    #[serde(default, deserialize_with = "json::text")]
    hash: String,
    links: Option<Links>,
}

#[derive(Debug, Default, Deserialize)]
struct State {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    status: Option<Named>,
    #[serde(default, deserialize_with = "json::text")]
    url: String,
    #[serde(default, deserialize_with = "json::time")]
    started_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    completed_on: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::deployment::Deployments;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_deployment_becomes_one_row() {
        let payload = r##"{"type": "deployment", "uuid": "{d}", "step": {"uuid": "{s}"},
            "environment": {"name": "prod-eu", "environment_type": {"name": "Production"}},
            "release": {"pipeline": {"uuid": "{p}"}, "key": "pipelines-{p}", "name": "#186",
            "url": "https://b/acme/rocket/186", "created_on": "2026-02-20T08:58:19Z",
            "commit": {"hash": "ca4302e0", "links": {"html": {"href": "https://b/c"}}}},
            "state": {"name": "COMPLETED", "status": {"name": "FAILED"}, "url": "https://b/s",
            "started_on": "2026-02-20T08:58:20Z", "completed_on": "2026-02-20T08:58:46Z"},
            "last_update_time": "2026-02-20T08:58:46Z"}"##;
        assert_snapshot!(extracted::<Deployments>("", "{d}", payload));
    }

    #[test]
    fn a_deployment_may_give_the_identity_of_its_environment_only() {
        let payload = r#"{"uuid": "{d}", "environment": {"type": "deployment_environment",
            "uuid": "{e}"}}"#;
        let rows = extracted::<Deployments>("", "{d}", payload);
        assert!(rows.contains("environment_id=\"{e}\""), "{rows}");
        assert!(rows.contains("environment=\"\""), "{rows}");
    }

    #[test]
    fn a_deployment_without_a_pipeline_belongs_to_itself() {
        let payload = r#"{"uuid": "{d}", "release": null, "state": null, "environment": null}"#;
        let rows = extracted::<Deployments>("", "{d}", payload);
        assert!(rows.contains("belongs_to=\"{d}\""), "{rows}");
        assert!(rows.contains("pipeline_id=\"\""), "{rows}");
    }
}
