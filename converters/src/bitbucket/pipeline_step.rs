//! Steps of pipelines.

use headwater_domain::devops::cicd_task;
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{deployment, pipeline_step};
use headwater_domain::{Rows, Scope, Sourced};

use super::deployment::{DeploymentOfPipeline, Environments, NamedEnvironment};
use super::outcome;
use crate::conversion::RelatedRow;
use crate::rules::{Rules, Trace, untraced};
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_pipeline_steps` to `cicd_tasks`: all steps of a pipeline at a time.
pub struct PipelineSteps;

/// A step belongs to its pipeline.
pub(super) struct StepOfPipeline;

impl RelatedRow for StepOfPipeline {
    type Entity = pipeline_step::Entity;

    fn driver_key(row: &pipeline_step::Model) -> String {
        row.pipeline_id.clone()
    }
}

impl Convert for PipelineSteps {
    type Driver = pipeline_step::Entity;
    const NAME: &'static str = "pipeline_steps";
    const VERSION: u32 = 3;
    const KEY: &'static str = "pipeline_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<pipeline_step::Entity>(Self::KEY),
            Read::related::<DeploymentOfPipeline>("belongs_to"),
            NamedEnvironment::read(),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![Write::to::<cicd_task::Entity>("pipeline_id")]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::pipeline(scope.connection_id, key)
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.deployment_fingerprint()
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<pipeline_step::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let step = driver.row;
        // What never started did nothing.
        let Some(started) = step.started_on else {
            return;
        };
        let deployments = related.of::<deployment::Entity>(&step.pipeline_id);
        let deployed = (deployments, Environments::Of(related));
        let (kind, environment) = decided(related.rules(), &step, deployed, &mut untraced);
        rows.push(cicd_task::Model {
            id: id::pipeline_step(scope.connection_id, &step.bitbucket_id),
            name: step.name,
            pipeline_id: id::pipeline(scope.connection_id, &step.pipeline_id),
            result: outcome::step_result(&step.result).to_owned(),
            status: outcome::step_status(&step.state).to_owned(),
            original_status: step.state,
            original_result: step.result,
            r#type: kind.to_owned(),
            environment: environment.to_owned(),
            duration_sec: step.duration_in_seconds,
            queued_duration_sec: None,
            created_date: Some(started),
            queued_date: None,
            started_date: Some(started),
            finished_date: step.completed_on,
            cicd_scope_id: id::repository(scope.connection_id, &scope.full_name),
        });
    }
}

/// Type and environment of a step.
pub(super) fn decided<'a>(
    rules: &'a Rules,
    step: &'a pipeline_step::Model,
    (deployments, environments): (&'a [Sourced<deployment::Model>], Environments<'a>),
    log: Trace<'_, 'a>,
) -> (&'static str, &'static str) {
    let mut own = deployments.iter().map(|sourced| &sourced.row);
    let own = own.find(|deployment| deployment.step_id == step.bitbucket_id);
    let deployed_to = own.map(|deployment| environments.names(deployment));
    rules.step(&step.name, deployed_to, log)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;
    use regex::Regex;

    use super::*;
    use crate::shown_rows::{column, convert, converted, sourced};

    fn step(name: &str, started: bool) -> pipeline_step::Model {
        pipeline_step::Model {
            pipeline_id: "{p}".to_owned(),
            bitbucket_id: "{s}".to_owned(),
            name: name.to_owned(),
            state: "COMPLETED".to_owned(),
            result: "SUCCESSFUL".to_owned(),
            started_on: DateTime::from_timestamp(1_790_000_000, 0).filter(|_| started),
            duration_in_seconds: 9,
            ..pipeline_step::Model::default()
        }
    }

    fn related(production: &str) -> Related {
        Related::default().under(Rules {
            deployment_pattern: Some(Regex::new("(?i)deploy").unwrap()),
            production_pattern: Some(Regex::new(production).unwrap()),
            ..Rules::default()
        })
    }

    #[test]
    fn a_step_is_a_task() {
        let row = step("Deploy to production", true);
        assert_snapshot!(converted::<PipelineSteps>(row, &related("prod")));
    }

    #[test]
    fn a_skipped_step_and_a_manual_step_that_never_ran_are_no_tasks() {
        for (state, result) in [("COMPLETED", "NOT_RUN"), ("PENDING", "")] {
            let row = pipeline_step::Model {
                state: state.to_owned(),
                result: result.to_owned(),
                ..step("Deploy", false)
            };
            assert!(
                convert::<PipelineSteps>(row, &related("prod")).is_empty(),
                "{state}"
            );
        }
    }

    #[test]
    fn a_step_that_deployed_goes_where_its_deployment_says() {
        let deployment = deployment::Model {
            belongs_to: "{p}".to_owned(),
            step_id: "{s}".to_owned(),
            environment: "qa".to_owned(),
            environment_type: "Staging".to_owned(),
            ..deployment::Model::default()
        };
        let related = related("prod").with::<DeploymentOfPipeline>(vec![sourced(5, deployment)]);
        let rows = convert::<PipelineSteps>(step("Roll out", true), &related);
        assert_eq!(column(&rows, "cicd_tasks", "type"), ["DEPLOYMENT"]);
        assert_eq!(column(&rows, "cicd_tasks", "environment"), ["STAGING"]);
    }
}
