//! Pipelines.

use chrono::{DateTime, Utc};
use headwater_domain::rules::Rules;
use headwater_domain::tool::bitbucket::pipeline::{self, Pipelines};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Hashed, Link, Named};
use crate::{Extract, json};

impl Extract for Pipelines {
    type Payload = Payload;

    const VERSION: u32 = 2;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pipeline::Entity>()]
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.deployment_fingerprint()
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let state = payload.state.unwrap_or_default();
        let target = payload.target.unwrap_or_default();
        let links = payload.links.unwrap_or_default();
        let ref_name = target.branch_or_tag();
        let (kind, environment) = item.rules.pipeline_labels(&ref_name);
        rows.push(pipeline::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            bitbucket_id: payload.uuid,
            status: state.name,
            // One that has no result yet says at which stage it is.
            result: state.result.or(state.stage).unwrap_or_default().name,
            ref_name,
            commit_sha: target.commit.unwrap_or_default().hash,
            web_url: links.own.unwrap_or_default().href,
            r#type: kind.to_owned(),
            environment: environment.to_owned(),
            build_number: payload.build_number,
            duration_in_seconds: payload.duration_in_seconds,
            bitbucket_created_on: payload.created_on,
            bitbucket_complete_on: payload.completed_on,
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<127, _>")]
    uuid: String,
    state: Option<State>,
    target: Option<Target>,
    links: Option<Links>,
    #[serde(default, deserialize_with = "json::number")]
    build_number: i64,
    #[serde(default, deserialize_with = "json::number")]
    duration_in_seconds: i64,
    #[serde(default, deserialize_with = "json::time")]
    created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    completed_on: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
struct State {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    result: Option<Named>,
    stage: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
struct Target {
    #[serde(default, deserialize_with = "json::text")]
    ref_name: String,
    /// Branch that a pull request comes from, where the pipeline ran for one
    /// (`pipeline_pullrequest_target`).
    #[serde(default, deserialize_with = "json::text")]
    source: String,
    commit: Option<Hashed>,
}

impl Target {
    fn branch_or_tag(&self) -> String {
        let named = [&self.ref_name, &self.source];
        let named = named.into_iter().find(|name| !name.is_empty());
        named.cloned().unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
struct Links {
    #[serde(rename = "self")]
    own: Option<Link>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pipeline::Pipelines;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_pipeline_becomes_one_row() {
        let payload = r#"{"uuid": "{a}", "build_number": 7, "state": {"name": "COMPLETED",
            "result": {"name": "FAILED"}}, "target": {"ref_name": "main",
            "commit": {"hash": "2b1cd7db"}}, "duration_in_seconds": 14,
            "created_on": "2026-02-20T08:58:19.14397Z", "completed_on": "2026-02-20T08:58:46Z",
            "links": {"self": {"href": "http://internal/{a}"}}}"#;
        assert_snapshot!(extracted::<Pipelines>("", "{a}", payload));
    }

    #[test]
    fn a_pipeline_names_its_branch_whatever_it_ran_for() {
        for (target, expected) in [
            (
                r#"{"type": "pipeline_ref_target", "ref_name": "main"}"#,
                "main",
            ),
            (
                r#"{"type": "pipeline_pullrequest_target", "source": "feature/nozzle",
                    "destination": "main", "destination_commit": {"hash": "bb"},
                    "pullrequest": {"id": 3}}"#,
                "feature/nozzle",
            ),
            (
                r#"{"type": "pipeline_commit_target", "commit": {"hash": "aa"}}"#,
                "",
            ),
        ] {
            let payload = format!(r#"{{"uuid": "{{a}}", "target": {target}}}"#);
            let rows = extracted::<Pipelines>("", "{a}", &payload);
            let shown = format!("ref_name=\"{expected}\"");
            assert!(rows.contains(&shown), "{target}\n{rows}");
        }
    }

    #[test]
    fn a_pipeline_that_somebody_stopped_is_read_whoever_that_was() {
        let payload = r#"{"uuid": "{a}", "state": {"name": "COMPLETED", "result": {
            "name": "STOPPED", "type": "pipeline_state_completed_stopped",
            "terminator": {"type": "user", "uuid": "{u}", "display_name": "Ann"}}}}"#;
        let rows = extracted::<Pipelines>("", "{a}", payload);
        assert!(rows.contains("result=\"STOPPED\""), "{rows}");
    }

    #[test]
    fn a_pipeline_without_a_result_tells_its_stage() {
        let payload = r#"{"uuid": "{a}", "target": null, "links": null,
            "state": {"name": "IN_PROGRESS", "result": null, "stage": {"name": "HALTED"}}}"#;
        let rows = extracted::<Pipelines>("", "{a}", payload);
        assert!(rows.contains("result=\"HALTED\""), "{rows}");
    }
}
