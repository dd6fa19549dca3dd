//! Pipelines that are deployments by the rules, where Bitbucket tells of none.
//!
//! One release counts once (decision 9): a pipeline of which Bitbucket tells deployments is told
//! by these, and never by itself.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::devops::{cicd_deployment, cicd_pipeline, cicd_pipeline_commit};
use headwater_domain::tool::bitbucket::pipeline_step;
use headwater_domain::{Rows, Sourced};

use super::super::deployment::with_commit;
use crate::rules::deployment::{self as rule, DEPLOYMENT};
use crate::rules::{Rules, unheard};

/// What the peer's metrics write into rows that they make of pipelines.
const MADE_OF_PIPELINE: &str = "dora.generateDeployments";
const MADE_OF_COMMIT: &str = "dora.generateDeploymentCommits";

/// Environments from the most to the least important.
const BY_IMPORTANCE: [&str; 4] = ["PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT"];

/// Where a pipeline deployed to, which may be empty; none for one that did not deploy, or has not
/// ended yet.
pub(in crate::bitbucket) fn environment(
    pipeline: &cicd_pipeline::Model,
    steps: &[Sourced<pipeline_step::Model>],
    rules: &Rules,
) -> Option<String> {
    if pipeline.result.is_empty() {
        return None;
    }
    let steps = steps.iter().map(|step| &step.row);
    let ended = steps
        .filter(|step| step.started_on.is_some() && !rule::step_result(&step.result).is_empty());
    let tasks: Vec<_> = ended
        .map(|step| rules.step(&step.name, None, &mut unheard))
        .collect();
    let by_step = tasks.iter().any(|(kind, _)| *kind == DEPLOYMENT);
    if pipeline.r#type != DEPLOYMENT && !by_step {
        return None;
    }
    if !pipeline.environment.is_empty() {
        return Some(pipeline.environment.clone());
    }
    let of_tasks = |name: &&str| tasks.iter().any(|(_, environment)| environment == name);
    let found = BY_IMPORTANCE.into_iter().find(of_tasks);
    Some(found.unwrap_or_default().to_owned())
}

/// Adds the deployment that a pipeline is, and the commit that it brought.
pub(super) fn push(
    pipeline: &cicd_pipeline::Model,
    commit: Option<&cicd_pipeline_commit::Model>,
    environment: String,
    rows: &mut Rows,
) {
    let deployment = cicd_deployment::Model {
        id: pipeline.id.clone(),
        cicd_scope_id: pipeline.cicd_scope_id.clone(),
        name: pipeline.name.clone(),
        display_title: pipeline.display_title.clone(),
        url: pipeline.url.clone(),
        result: pipeline.result.clone(),
        status: pipeline.status.clone(),
        original_status: pipeline.original_status.clone(),
        original_result: pipeline.original_result.clone(),
        environment,
        original_environment: String::new(),
        created_date: pipeline.created_date,
        queued_date: pipeline.queued_date,
        started_date: pipeline.started_date,
        finished_date: pipeline.finished_date,
        duration_sec: Some(pipeline.duration_sec),
        queued_duration_sec: pipeline.queued_duration_sec,
        // The deployment's own id is the pipeline's. The column says whose set of deployments a
        // row is in, and this one belongs to no set that Bitbucket tells.
        cicd_pipeline_id: String::new(),
        subtask_name: MADE_OF_PIPELINE.to_owned(),
    };
    if let Some(commit) = commit {
        let brought = (commit.commit_sha.clone(), commit.branch.clone());
        let mut row = with_commit(&commit.repo_url, deployment.clone(), brought);
        row.started_date = row.started_date.or_else(|| begun(&deployment));
        MADE_OF_COMMIT.clone_into(&mut row.subtask_name);
        rows.push(row);
    }
    rows.push(deployment);
}

/// When it began, by its end and how long it took.
fn begun(deployment: &cicd_deployment::Model) -> Option<DateTime<Utc>> {
    let lasted = TimeDelta::try_seconds(deployment.duration_sec?)?;
    deployment.finished_date?.checked_sub_signed(lasted)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use headwater_domain::tool::bitbucket::{deployment, pipeline};
    use insta::assert_snapshot;
    use regex::Regex;

    use super::super::super::deployment::DeploymentOfPipeline;
    use super::super::super::pipeline_step::StepOfPipeline;
    use super::super::Pipelines;
    use super::*;
    use crate::Related;
    use crate::shown_rows::{column, convert, converted, sourced};

    fn pipeline(result: &str) -> pipeline::Model {
        pipeline::Model {
            bitbucket_id: "{p}".to_owned(),
            status: "COMPLETED".to_owned(),
            result: result.to_owned(),
            ref_name: "main".to_owned(),
            commit_sha: "2b1cd7db".to_owned(),
            build_number: 7,
            duration_in_seconds: 60,
            bitbucket_created_on: DateTime::from_timestamp(1_790_000_000, 0),
            bitbucket_complete_on: DateTime::from_timestamp(1_790_000_100, 0),
            ..pipeline::Model::default()
        }
    }

    fn step(name: &str, result: &str) -> Sourced<pipeline_step::Model> {
        let skipped = result == "NOT_RUN";
        let step = pipeline_step::Model {
            pipeline_id: "{p}".to_owned(),
            bitbucket_id: "{s}".to_owned(),
            name: name.to_owned(),
            state: "COMPLETED".to_owned(),
            result: result.to_owned(),
            started_on: DateTime::from_timestamp(1_790_000_050, 0).filter(|_| !skipped),
            ..pipeline_step::Model::default()
        };
        sourced(2, step)
    }

    fn rules(steps: &str, production: &str, refs: &str) -> Rules {
        let pattern = |text: &str| (!text.is_empty()).then(|| Regex::new(text).unwrap());
        Rules {
            deployment_pattern: pattern(steps),
            production_pattern: pattern(production),
            deployment_ref_pattern: pattern(refs),
            ..Rules::default()
        }
    }

    #[test]
    fn a_pipeline_without_deployments_is_one_by_its_steps_or_its_ref() {
        let deploy = |result| vec![step("Build", "SUCCESSFUL"), step("Deploy", result)];
        for (case, rules, result, steps, expected) in [
            (
                "no rules",
                rules("", "", ""),
                "SUCCESSFUL",
                deploy("SUCCESSFUL"),
                None,
            ),
            (
                "by a step",
                rules("Deploy", "", ""),
                "SUCCESSFUL",
                deploy("SUCCESSFUL"),
                Some(("PRODUCTION", "SUCCESS")),
            ),
            (
                "by a step that is not of production",
                rules("Deploy", "prod", ""),
                "SUCCESSFUL",
                deploy("SUCCESSFUL"),
                Some(("", "SUCCESS")),
            ),
            (
                "by a step that failed",
                rules("Deploy", "", ""),
                "FAILED",
                deploy("FAILED"),
                Some(("PRODUCTION", "FAILURE")),
            ),
            (
                "the step was skipped",
                rules("Deploy", "", ""),
                "FAILED",
                deploy("NOT_RUN"),
                None,
            ),
            (
                "by its ref",
                rules("", "", "^main$"),
                "SUCCESSFUL",
                Vec::new(),
                Some(("PRODUCTION", "SUCCESS")),
            ),
            (
                "of another ref",
                rules("", "", "^release/"),
                "SUCCESSFUL",
                Vec::new(),
                None,
            ),
            ("not ended", rules("", "", "^main$"), "", Vec::new(), None),
        ] {
            let related = Related::default().with::<StepOfPipeline>(steps);
            let rows = convert::<Pipelines>(pipeline(result), &related.under(rules));
            for table in ["cicd_deployments", "cicd_deployment_commits"] {
                let environments = column(&rows, table, "environment");
                let results = column(&rows, table, "result");
                let found: Vec<(&str, &str)> = environments
                    .iter()
                    .map(String::as_str)
                    .zip(results.iter().map(String::as_str))
                    .collect();
                let expected: Vec<(&str, &str)> = expected.into_iter().collect();
                assert_eq!(found, expected, "{case}: {table}");
            }
        }
    }

    #[test]
    fn a_pipeline_with_a_deployment_of_bitbuckets_is_none_itself() {
        let told = deployment::Model {
            belongs_to: "{p}".to_owned(),
            bitbucket_id: "{d}".to_owned(),
            step_id: "{s}".to_owned(),
            ..deployment::Model::default()
        };
        let related = Related::default()
            .with::<StepOfPipeline>(vec![step("Deploy", "SUCCESSFUL")])
            .with::<DeploymentOfPipeline>(vec![sourced(5, told)])
            .under(rules("Deploy", "", "^main$"));
        let rows = convert::<Pipelines>(pipeline("SUCCESSFUL"), &related);
        assert_eq!(column(&rows, "cicd_pipelines", "type"), ["DEPLOYMENT"]);
        assert!(column(&rows, "cicd_deployments", "id").is_empty());
        assert!(column(&rows, "cicd_deployment_commits", "id").is_empty());
    }

    #[test]
    fn a_release_is_told_as_its_pipeline_and_the_commit_it_ran_on() {
        let related = Related::default().under(rules("", "", "^main$"));
        let text = converted::<Pipelines>(pipeline("SUCCESSFUL"), &related);
        assert_snapshot!(text);
    }
}
