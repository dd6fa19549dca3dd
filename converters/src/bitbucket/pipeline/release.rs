//! Pipelines that are deployments by the rules, where Bitbucket lists none.
//!
//! One release counts once (decision 9): a pipeline for which Bitbucket lists deployments is counted
//! by these, and never by itself.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::devops::{cicd_deployment, cicd_pipeline, cicd_pipeline_commit};
use headwater_domain::tool::bitbucket::pipeline_step;
use headwater_domain::{Rows, Sourced};

use super::super::deployment::with_commit;
use super::super::{outcome, seconds_between};
use crate::rules::deployment::DEPLOYMENT;
use crate::rules::{Rules, untraced};

/// What the peer's metrics write into rows that they make of pipelines.
const MADE_OF_PIPELINE: &str = "dora.generateDeployments";
const MADE_OF_COMMIT: &str = "dora.generateDeploymentCommits";

/// Environments from the most to the least important.
const BY_IMPORTANCE: [&str; 4] = ["PRODUCTION", "STAGING", "TESTING", "DEVELOPMENT"];

/// The deployment that a pipeline is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bitbucket) struct Release {
    /// Where it deployed to; may be empty.
    pub(in crate::bitbucket) environment: String,
    /// Outcome: SUCCESS or FAILURE.
    pub(in crate::bitbucket) result: &'static str,
    /// What decides how and when it ended.
    pub(in crate::bitbucket) end: End,
}

/// What decides how and when a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bitbucket) enum End {
    /// The pipeline.
    OfPipeline,
    /// The steps that deployed: the last of them ended then (UTC), where it says so.
    OfSteps(Option<DateTime<Utc>>),
}

/// A step of a pipeline that ran to its end.
struct Ended<'a> {
    step: &'a pipeline_step::Model,
    is_deployment: bool,
    environment: &'static str,
}

/// What a pipeline deployed; none for one that did not deploy, or of which no step that deploys
/// has ended yet.
///
/// A pipeline may wait for a later step by hand for ever (PAUSED, HALTED), be stopped while it
/// waits, or expire: then it has no outcome of its own that says anything of the steps before,
/// and the own end of a step that deploys decides (decision 35). A pipeline that is a deployment
/// by its ref alone has no such step: it must have ended.
pub(in crate::bitbucket) fn of(
    pipeline: &cicd_pipeline::Model,
    steps: &[Sourced<pipeline_step::Model>],
    rules: &Rules,
) -> Option<Release> {
    let steps = steps.iter().map(|step| &step.row);
    let ended = steps
        .filter(|step| step.started_on.is_some() && !outcome::step_result(&step.result).is_empty());
    let ended: Vec<Ended<'_>> = ended
        .map(|step| {
            let (kind, environment) = rules.step(&step.name, None, &mut untraced);
            Ended {
                step,
                is_deployment: kind == DEPLOYMENT,
                environment,
            }
        })
        .collect();
    let by_step = ended.iter().any(|ended| ended.is_deployment);
    let has_outcome = !pipeline.result.is_empty() && !was_stopped(pipeline);
    if by_step && !has_outcome {
        return Some(of_steps(pipeline, &ended));
    }
    if pipeline.result.is_empty() || (pipeline.r#type != DEPLOYMENT && !by_step) {
        return None;
    }
    Some(Release {
        environment: environment(pipeline, &ended).to_owned(),
        result: outcome::pipeline_result(&pipeline.original_result),
        end: End::OfPipeline,
    })
}

/// Whether a person or a limit ended the pipeline, and not one of its steps.
fn was_stopped(pipeline: &cicd_pipeline::Model) -> bool {
    pipeline.original_result.eq_ignore_ascii_case("STOPPED")
}

/// The deployment that the steps make: those to the environment that counts, where there are some.
fn of_steps(pipeline: &cicd_pipeline::Model, ended: &[Ended<'_>]) -> Release {
    let environment = environment(pipeline, ended);
    let deployed = ended.iter().filter(|ended| ended.is_deployment);
    let (there, elsewhere): (Vec<_>, Vec<_>) =
        deployed.partition(|ended| ended.environment == environment);
    let deciding = if there.is_empty() { elsewhere } else { there };
    let mut results = deciding
        .iter()
        .map(|it| outcome::step_result(&it.step.result));
    Release {
        environment: environment.to_owned(),
        result: if results.any(|result| result == "FAILURE") {
            "FAILURE"
        } else {
            "SUCCESS"
        },
        end: End::OfSteps(deciding.iter().filter_map(|it| it.step.completed_on).max()),
    }
}

/// The pipeline's own environment, else the most important one of its steps.
fn environment<'a>(pipeline: &'a cicd_pipeline::Model, ended: &[Ended<'_>]) -> &'a str {
    if !pipeline.environment.is_empty() {
        return &pipeline.environment;
    }
    let reached = |name: &&str| ended.iter().any(|ended| ended.environment == *name);
    let found = BY_IMPORTANCE.into_iter().find(reached);
    found.unwrap_or_default()
}

/// Adds the deployment that a pipeline is, and the commit that it deployed.
pub(super) fn push(
    pipeline: &cicd_pipeline::Model,
    commit: Option<&cicd_pipeline_commit::Model>,
    release: Release,
    rows: &mut Rows,
) {
    let (status, finished_date, duration_sec) = match release.end {
        End::OfPipeline => (
            pipeline.status.clone(),
            pipeline.finished_date,
            Some(pipeline.duration_sec),
        ),
        // The steps that deployed are done, whatever the pipeline still waits for.
        End::OfSteps(ended) => (
            "DONE".to_owned(),
            ended,
            seconds_between(pipeline.started_date, ended),
        ),
    };
    let deployment = cicd_deployment::Model {
        id: pipeline.id.clone(),
        cicd_scope_id: pipeline.cicd_scope_id.clone(),
        name: pipeline.name.clone(),
        display_title: pipeline.display_title.clone(),
        url: pipeline.url.clone(),
        result: release.result.to_owned(),
        status,
        original_status: pipeline.original_status.clone(),
        original_result: pipeline.original_result.clone(),
        environment: release.environment,
        original_environment: String::new(),
        created_date: pipeline.created_date,
        queued_date: pipeline.queued_date,
        started_date: pipeline.started_date,
        finished_date,
        duration_sec,
        queued_duration_sec: pipeline.queued_duration_sec,
        // The deployment's own id is the pipeline's. The column says whose set of deployments a
        // row is in, and this one belongs to no set that Bitbucket gives.
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

    fn ended(name: &str, result: &str, second: i64) -> Sourced<pipeline_step::Model> {
        let mut step = step(name, result);
        step.row.completed_on = DateTime::from_timestamp(1_790_000_000 + second, 0);
        step
    }

    fn waiting(stage: &str) -> pipeline::Model {
        pipeline::Model {
            status: "IN_PROGRESS".to_owned(),
            result: stage.to_owned(),
            bitbucket_complete_on: None,
            duration_in_seconds: 0,
            ..pipeline("")
        }
    }

    #[test]
    fn the_own_end_of_a_step_decides_where_the_pipeline_has_no_outcome() {
        let manual = || step("Deploy to production", "NOT_RUN");
        let staging = |result| ended("Deploy to staging", result, 60);
        let production = |result| ended("Deploy to production", result, 90);
        let stopped = || pipeline::Model {
            status: "COMPLETED".to_owned(),
            ..pipeline("STOPPED")
        };
        for (case, pipeline, steps, expected) in [
            (
                "paused",
                waiting("PAUSED"),
                vec![production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
            (
                "halted",
                waiting("HALTED"),
                vec![production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
            (
                "running",
                waiting("RUNNING"),
                vec![production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
            (
                "failed",
                waiting("PAUSED"),
                vec![production("FAILED")],
                Some(("FAILURE", 90)),
            ),
            (
                "expired",
                pipeline("EXPIRED"),
                vec![production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
            (
                "stopped",
                stopped(),
                vec![production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
            (
                "stopped in it",
                stopped(),
                vec![production("STOPPED")],
                Some(("FAILURE", 90)),
            ),
            ("not begun", waiting("PAUSED"), vec![manual()], None),
            (
                "one of two",
                waiting("PAUSED"),
                vec![staging("SUCCESSFUL"), manual()],
                Some(("SUCCESS", 60)),
            ),
            (
                "the first failed, the second counts",
                waiting("PAUSED"),
                vec![staging("FAILED"), production("SUCCESSFUL")],
                Some(("SUCCESS", 90)),
            ),
        ] {
            let related = Related::default().with::<StepOfPipeline>(steps);
            let rules = rules("(?i)deploy", "(?i)production", "");
            let rows = convert::<Pipelines>(pipeline, &related.under(rules));
            for table in ["cicd_deployments", "cicd_deployment_commits"] {
                let of = |name| column(&rows, table, name).concat();
                let expected = expected.map(|(result, second)| {
                    let at = DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
                    (result.to_owned(), "DONE".to_owned(), at.to_rfc3339())
                });
                let found = (of("result"), of("status"), of("finished_date"));
                assert_eq!(found, expected.unwrap_or_default(), "{case}: {table}");
            }
        }
    }

    #[test]
    fn a_pipeline_that_waits_is_no_deployment_by_its_ref_alone() {
        let steps = vec![ended("Build", "SUCCESSFUL", 60)];
        let related = Related::default().with::<StepOfPipeline>(steps);
        let rows = convert::<Pipelines>(waiting("PAUSED"), &related.under(rules("", "", "^main$")));
        assert!(column(&rows, "cicd_deployments", "id").is_empty());
    }
}
