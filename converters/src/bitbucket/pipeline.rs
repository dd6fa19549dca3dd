//! Pipelines, the commits they ran on, and the deployments that they are by the rules.

pub(super) mod release;

use headwater_domain::devops::{
    cicd_deployment, cicd_deployment_commit, cicd_pipeline, cicd_pipeline_commit,
};
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{deployment, pipeline, pipeline_step};
use headwater_domain::{Rows, Scope, Sourced};

use super::deployment::DeploymentOfPipeline;
use super::pipeline_step::StepOfPipeline;
use super::seconds_between;
use crate::bitbucket::outcome;
use crate::rules::{Rules, untraced};
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_pipelines` to `cicd_pipelines` and `cicd_pipeline_commits`; one that deployed
/// by the rules, and for which Bitbucket lists no deployment, to `cicd_deployments` and
/// `cicd_deployment_commits` too.
pub struct Pipelines;

impl Convert for Pipelines {
    type Driver = pipeline::Entity;
    const NAME: &'static str = "pipelines";
    const VERSION: u32 = 4;
    const KEY: &'static str = "bitbucket_id";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<pipeline::Entity>(Self::KEY),
            Read::related::<StepOfPipeline>("pipeline_id"),
            Read::related::<DeploymentOfPipeline>("belongs_to"),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<cicd_pipeline::Entity>("id"),
            Write::to::<cicd_pipeline_commit::Entity>("pipeline_id").resolving(&["commit_sha"]),
            Write::to::<cicd_deployment::Entity>("id"),
            Write::to::<cicd_deployment_commit::Entity>("id").resolving(&["commit_sha"]),
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
        let steps = related.of::<pipeline_step::Entity>(&pipeline.bitbucket_id);
        let deployments = related.of::<deployment::Entity>(&pipeline.bitbucket_id);
        let row = converted(scope, &pipeline, steps, related.rules());
        let commit = commit(scope, &row, &pipeline);
        if deployments.is_empty()
            && let Some(release) = release::of(&row, steps, related.rules())
        {
            release::push(&row, commit.as_ref(), release, rows);
        }
        rows.push(row);
        if let Some(commit) = commit {
            rows.push(commit);
        }
    }
}

pub(super) fn converted(
    scope: &Scope,
    pipeline: &pipeline::Model,
    steps: &[Sourced<pipeline_step::Model>],
    rules: &Rules,
) -> cicd_pipeline::Model {
    let id = id::pipeline(scope.connection_id, &pipeline.bitbucket_id);
    let started = steps.iter().filter_map(|step| step.row.started_on).min();
    let (kind, environment) = rules.pipeline(&pipeline.ref_name, &mut untraced);
    let page = page(scope);
    cicd_pipeline::Model {
        name: format!("{id}/{}", pipeline.build_number),
        id,
        display_title: format!("#{}", pipeline.build_number),
        url: format!("{page}/pipelines/results/{}", pipeline.build_number),
        result: outcome::pipeline_result(&pipeline.result).to_owned(),
        status: outcome::pipeline_status(&pipeline.status).to_owned(),
        original_status: pipeline.status.clone(),
        original_result: pipeline.result.clone(),
        r#type: kind.to_owned(),
        duration_sec: pipeline.duration_in_seconds,
        queued_duration_sec: seconds_between(pipeline.bitbucket_created_on, started),
        environment: environment.to_owned(),
        created_date: pipeline.bitbucket_created_on,
        queued_date: None,
        started_date: started,
        finished_date: pipeline.bitbucket_complete_on,
        cicd_scope_id: id::repository(scope.connection_id, &scope.full_name),
        is_child: false,
    }
}

fn commit(
    scope: &Scope,
    row: &cicd_pipeline::Model,
    pipeline: &pipeline::Model,
) -> Option<cicd_pipeline_commit::Model> {
    if pipeline.commit_sha.is_empty() {
        return None;
    }
    Some(cicd_pipeline_commit::Model {
        pipeline_id: row.id.clone(),
        commit_sha: pipeline.commit_sha.clone(),
        commit_msg: String::new(),
        display_title: row.display_title.clone(),
        url: String::new(),
        branch: pipeline.ref_name.clone(),
        repo_id: row.cicd_scope_id.clone(),
        repo_url: page(scope),
    })
}

/// The repository's page.
fn page(scope: &Scope) -> String {
    format!("https://bitbucket.org/{}", scope.full_name)
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
