//! Pipelines and the commits they ran on.

use headwater_domain::devops::{cicd_pipeline, cicd_pipeline_commit};
use headwater_domain::tool::bitbucket::{pipeline, pipeline_step};
use headwater_domain::{Rows, Scope, Sourced, id};

use super::pipeline_step::StepOfPipeline;
use super::seconds_between;
use crate::rules::{Rules, deployment as rule};
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_pipelines` to `cicd_pipelines` and `cicd_pipeline_commits`.
pub struct Pipelines;

impl Convert for Pipelines {
    type Driver = pipeline::Entity;
    const NAME: &'static str = "pipelines";
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<pipeline::Entity>(Self::KEY),
            Read::related::<StepOfPipeline>("pipeline_id"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<cicd_pipeline::Entity>("id"),
            Write::to::<cicd_pipeline_commit::Entity>("pipeline_id"),
        ]
    }

    fn owner(scope: &Scope, key: &str) -> String {
        id::pipeline(scope.connection_id, key)
    }

    fn fingerprint(rules: &Rules) -> String {
        rules.deployment_fingerprint()
    }

    fn convert(
        scope: &Scope,
        driver: Sourced<pipeline::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let pipeline = driver.row;
        let id = id::pipeline(scope.connection_id, &pipeline.bitbucket_id);
        let repository = id::repository(scope.connection_id, &scope.full_name);
        let page = format!("https://bitbucket.org/{}", scope.full_name);
        let title = format!("#{}", pipeline.build_number);
        let steps = related.of::<pipeline_step::Entity>(&pipeline.bitbucket_id);
        let started = steps.iter().filter_map(|step| step.row.started_on).min();
        let (kind, environment) = related.rules().pipeline(&pipeline.ref_name);
        rows.push(cicd_pipeline::Model {
            name: format!("{id}/{}", pipeline.build_number),
            id: id.clone(),
            display_title: title.clone(),
            url: format!("{page}/pipelines/results/{}", pipeline.build_number),
            result: rule::result(&pipeline.result).to_owned(),
            status: rule::pipeline_status(&pipeline.status).to_owned(),
            original_status: pipeline.status,
            original_result: pipeline.result,
            r#type: kind.to_owned(),
            duration_sec: pipeline.duration_in_seconds,
            queued_duration_sec: seconds_between(pipeline.bitbucket_created_on, started),
            environment: environment.to_owned(),
            created_date: pipeline.bitbucket_created_on,
            queued_date: None,
            started_date: started,
            finished_date: pipeline.bitbucket_complete_on,
            cicd_scope_id: repository.clone(),
            is_child: false,
        });
        if pipeline.commit_sha.is_empty() {
            return;
        }
        rows.push(cicd_pipeline_commit::Model {
            pipeline_id: id,
            commit_sha: pipeline.commit_sha,
            commit_msg: String::new(),
            display_title: title,
            url: String::new(),
            branch: pipeline.ref_name,
            repo_id: repository,
            repo_url: page,
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;
    use regex::Regex;

    use super::*;
    use crate::shown_rows::{converted, sourced};

    #[test]
    fn a_pipeline_starts_with_its_first_step_and_is_a_deployment_by_its_ref() {
        let row = pipeline::Model {
            connection_id: 1,
            bitbucket_id: "{p}".to_owned(),
            status: "COMPLETED".to_owned(),
            result: "SUCCESSFUL".to_owned(),
            ref_name: "release/1".to_owned(),
            commit_sha: "2b1cd7db".to_owned(),
            build_number: 7,
            duration_in_seconds: 60,
            bitbucket_created_on: DateTime::from_timestamp(1_790_000_000, 0),
            bitbucket_complete_on: DateTime::from_timestamp(1_790_000_100, 0),
            ..pipeline::Model::default()
        };
        let step = |second| {
            let step = pipeline_step::Model {
                pipeline_id: "{p}".to_owned(),
                started_on: DateTime::from_timestamp(second, 0),
                ..pipeline_step::Model::default()
            };
            sourced(2, step)
        };
        let related = Related::default()
            .with::<StepOfPipeline>(vec![step(1_790_000_050), step(1_790_000_020)])
            .under(Rules {
                deployment_ref_pattern: Some(Regex::new("^release/").unwrap()),
                ..Rules::default()
            });
        assert_snapshot!(converted::<Pipelines>(row, &related));
    }
}
