//! Steps of pipelines.

use chrono::{DateTime, Utc};
use headwater_domain::rules::Rules;
use headwater_domain::tool::bitbucket::pipeline_step::{self, PipelineSteps};
use headwater_domain::{Item, Rows, Table};
use serde::Deserialize;

use super::{Named, Typed, Uuid};
use crate::{Extract, json};

impl Extract for PipelineSteps {
    type Payload = Payload;

    fn tables() -> Vec<&'static Table> {
        vec![Table::of::<pipeline_step::Entity>()]
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.deployment_fingerprint()
    }

    fn extract(item: &Item<'_>, payload: Payload, rows: &mut Rows) {
        let state = payload.state.unwrap_or_default();
        // The list it was found in says the same; imported rows may lack either.
        let pipeline_id = match payload.pipeline.unwrap_or_default().uuid {
            told if !told.is_empty() => told,
            _ => item.parent.to_owned(),
        };
        let (kind, environment) = item.rules.step_labels(&payload.name);
        rows.push(pipeline_step::Model {
            connection_id: item.scope.connection_id,
            repo_id: item.scope.full_name.clone(),
            pipeline_id,
            bitbucket_id: payload.uuid,
            name: payload.name,
            trigger: payload.trigger.unwrap_or_default().kind,
            state: state.name,
            result: state.result.unwrap_or_default().name,
            max_time: payload.max_time,
            started_on: payload.started_on,
            completed_on: payload.completed_on,
            duration_in_seconds: payload.duration_in_seconds,
            build_seconds_used: payload.build_seconds_used,
            run_number: payload.run_number,
            r#type: kind.to_owned(),
            environment: environment.to_owned(),
        });
    }
}

#[derive(Debug, Deserialize)]
pub struct Payload {
    #[serde(deserialize_with = "json::name::<127, _>")]
    uuid: String,
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    pipeline: Option<Uuid>,
    trigger: Option<Typed>,
    state: Option<State>,
    #[serde(default, rename = "maxTime", deserialize_with = "json::number")]
    max_time: i64,
    #[serde(default, deserialize_with = "json::time")]
    started_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    completed_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::number")]
    duration_in_seconds: i64,
    #[serde(default, deserialize_with = "json::number")]
    build_seconds_used: i64,
    #[serde(default, deserialize_with = "json::number")]
    run_number: i64,
}

#[derive(Debug, Default, Deserialize)]
struct State {
    #[serde(default, deserialize_with = "json::text")]
    name: String,
    result: Option<Named>,
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;
    use insta::assert_snapshot;

    use crate::shown_rows::extracted;

    #[test]
    fn a_step_becomes_one_row() {
        let payload = r#"{"uuid": "{s}", "name": "Deploy to production",
            "trigger": {"type": "pipeline_step_trigger_manual"}, "maxTime": 120, "run_number": 2,
            "state": {"name": "COMPLETED", "result": {"name": "SUCCESSFUL"}},
            "started_on": "2026-02-20T08:58:19Z", "completed_on": "2026-02-20T08:58:46Z",
            "duration_in_seconds": 27, "build_seconds_used": 20}"#;
        assert_snapshot!(extracted::<PipelineSteps>("{p}", "{s}", payload));
    }

    #[test]
    fn a_manual_step_that_never_ran_has_no_start_and_no_result() {
        let payload = r#"{"uuid": "{s}", "state": {"name": "PENDING"}, "trigger": null}"#;
        let rows = extracted::<PipelineSteps>("{p}", "{s}", payload);
        assert!(rows.contains("started_on=null"), "{rows}");
        assert!(rows.contains("result=\"\""), "{rows}");
    }

    #[test]
    fn a_step_belongs_to_the_pipeline_that_it_names_else_to_the_one_it_was_found_in() {
        for (payload, expected) in [
            (r#"{"uuid": "{s}", "pipeline": {"uuid": "{q}"}}"#, "{q}"),
            (r#"{"uuid": "{s}", "pipeline": null}"#, "{p}"),
        ] {
            let rows = extracted::<PipelineSteps>("{p}", "{s}", payload);
            let line = format!("pipeline_id={expected:?}");
            assert!(rows.contains(&line), "{rows}");
        }
    }
}
