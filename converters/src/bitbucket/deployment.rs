//! Deployments as Bitbucket gives them.

use headwater_domain::devops::{cicd_deployment, cicd_deployment_commit};
use headwater_domain::id::bitbucket as id;
use headwater_domain::tool::bitbucket::{deployment, environment, pipeline, pipeline_step};
use headwater_domain::{Rows, Scope, Sourced};

use super::pipeline_step::StepOfPipeline;
use super::seconds_between;
use crate::bitbucket::outcome;
use crate::conversion::RelatedRow;
use crate::rules::deployment::EnvironmentNames;
use crate::rules::{Rules, Trace, untraced};
use crate::{Convert, Read, Related, Write};

/// `_tool_bitbucket_deployments` to `cicd_deployments` and `cicd_deployment_commits`: all
/// deployments of a pipeline at a time.
pub struct Deployments;

/// A deployment belongs to its pipeline.
pub(super) struct DeploymentOfPipeline;

impl RelatedRow for DeploymentOfPipeline {
    type Entity = deployment::Entity;

    fn driver_key(row: &deployment::Model) -> String {
        row.belongs_to.clone()
    }
}

/// An environment that deployments name by its UUID.
pub(super) struct NamedEnvironment;

impl RelatedRow for NamedEnvironment {
    type Entity = environment::Entity;

    fn driver_key(row: &environment::Model) -> String {
        row.bitbucket_id.clone()
    }
}

impl NamedEnvironment {
    /// Environments that the deployments of a pipeline name.
    pub(super) fn read() -> Read {
        let columns = ("environment_id", "belongs_to");
        Read::named_by::<Self, deployment::Entity>("bitbucket_id", columns)
    }
}

/// Where deployments may find the environments that they name.
#[derive(Clone, Copy)]
pub(super) enum Environments<'a> {
    /// Rows that belong to the driver row at hand.
    Of(&'a Related),
    /// All of the repository.
    All(&'a [Sourced<environment::Model>]),
}

impl<'a> Environments<'a> {
    /// Name and type of where a deployment went: as it says itself, else as the list of
    /// environments does. Where the list of deployments is not asked for more, it gives the
    /// UUID only.
    pub(super) fn names(self, deployment: &'a deployment::Model) -> EnvironmentNames<'a> {
        let (name, kind) = (&deployment.environment, &deployment.environment_type);
        if !(name.is_empty() || kind.is_empty()) {
            return EnvironmentNames { name, kind };
        }
        let listed = self.find(&deployment.environment_id);
        let or = |own: &'a str, listed: Option<&'a String>| match listed {
            Some(listed) if own.is_empty() => listed.as_str(),
            _ => own,
        };
        EnvironmentNames {
            name: or(name, listed.map(|found| &found.name)),
            kind: or(kind, listed.map(|found| &found.environment_type)),
        }
    }

    fn find(self, uuid: &str) -> Option<&'a environment::Model> {
        let rows = match self {
            Self::Of(related) => related.of::<environment::Entity>(uuid),
            Self::All(rows) => rows,
        };
        let mut rows = rows.iter().map(|sourced| &sourced.row);
        rows.find(|row| !uuid.is_empty() && row.bitbucket_id == uuid)
    }
}

/// The pipeline itself.
pub(super) struct OwnPipeline;

impl RelatedRow for OwnPipeline {
    type Entity = pipeline::Entity;

    fn driver_key(row: &pipeline::Model) -> String {
        row.bitbucket_id.clone()
    }
}

impl Convert for Deployments {
    type Driver = deployment::Entity;
    const NAME: &'static str = "deployments";
    const VERSION: u32 = 3;
    const KEY: &'static str = "belongs_to";

    fn reads() -> Vec<Read> {
        vec![
            Read::trigger::<deployment::Entity>(Self::KEY),
            Read::related::<OwnPipeline>("bitbucket_id"),
            Read::related::<StepOfPipeline>("pipeline_id"),
            NamedEnvironment::read(),
        ]
    }

    fn writes() -> Vec<Write> {
        vec![
            Write::to::<cicd_deployment::Entity>("cicd_pipeline_id"),
            Write::to::<cicd_deployment_commit::Entity>("cicd_pipeline_id")
                .resolving(&["commit_sha"]),
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
        driver: Sourced<deployment::Model>,
        related: &Related,
        rows: &mut Rows,
    ) {
        let deployment = converted(scope, &driver.row, related);
        let row = driver.row;
        if !row.commit_sha.is_empty() {
            let pipeline = related.of::<pipeline::Entity>(&row.belongs_to).first();
            let ref_name = pipeline.map(|pipeline| pipeline.row.ref_name.clone());
            let page = format!("https://bitbucket.org/{}", scope.full_name);
            rows.push(with_commit(
                &page,
                deployment.clone(),
                (row.commit_sha, ref_name.unwrap_or_default()),
            ));
        }
        rows.push(deployment);
    }
}

fn converted(scope: &Scope, row: &deployment::Model, related: &Related) -> cicd_deployment::Model {
    let steps = related.of::<pipeline_step::Entity>(&row.belongs_to);
    let names = Environments::Of(related).names(row);
    let (environment, result) = decided(related.rules(), (row, names), steps, &mut untraced);
    cicd_deployment::Model {
        id: id::deployment(scope.connection_id, &row.bitbucket_id),
        cicd_scope_id: id::repository(scope.connection_id, &scope.full_name),
        name: row.name.clone(),
        display_title: row.name.clone(),
        url: row.web_url.clone(),
        result: result.to_owned(),
        status: outcome::deployment_status(&row.status).to_owned(),
        original_status: row.status.clone(),
        original_result: row.result.clone(),
        environment: environment.to_owned(),
        original_environment: names.name.to_owned(),
        created_date: row.created_on,
        queued_date: None,
        started_date: row.started_on,
        finished_date: row.completed_on,
        duration_sec: seconds_between(row.started_on, row.completed_on),
        queued_duration_sec: None,
        cicd_pipeline_id: id::pipeline(scope.connection_id, &row.belongs_to),
        subtask_name: String::new(),
    }
}

/// Environment and result of a deployment.
pub(super) fn decided<'a>(
    rules: &'a Rules,
    (row, names): (&'a deployment::Model, EnvironmentNames<'a>),
    steps: &'a [Sourced<pipeline_step::Model>],
    log: Trace<'_, 'a>,
) -> (&'static str, &'static str) {
    let mut steps = steps.iter().map(|sourced| &sourced.row);
    let step = steps.find(|step| step.bitbucket_id == row.step_id);
    let step_result = step.map_or("", |step| step.result.as_str());
    let environment = rules.environment(names, log);
    let result = outcome::deployment_result(&row.result, step_result, &row.status, log);
    (environment, result)
}

/// The same deployment with the commit that it deployed.
pub(super) fn with_commit(
    repo_url: &str,
    deployment: cicd_deployment::Model,
    (commit_sha, ref_name): (String, String),
) -> cicd_deployment_commit::Model {
    cicd_deployment_commit::Model {
        cicd_deployment_id: deployment.id.clone(),
        id: deployment.id,
        repo_id: deployment.cicd_scope_id.clone(),
        cicd_scope_id: deployment.cicd_scope_id,
        name: deployment.name,
        display_title: deployment.display_title,
        url: deployment.url,
        result: deployment.result,
        status: deployment.status,
        original_status: deployment.original_status,
        original_result: deployment.original_result,
        environment: deployment.environment,
        original_environment: deployment.original_environment,
        created_date: deployment.created_date,
        queued_date: deployment.queued_date,
        started_date: deployment.started_date,
        finished_date: deployment.finished_date,
        duration_sec: deployment.duration_sec,
        queued_duration_sec: deployment.queued_duration_sec,
        cicd_pipeline_id: deployment.cicd_pipeline_id,
        commit_sha,
        commit_msg: String::new(),
        ref_name,
        repo_url: repo_url.to_owned(),
        prev_success_deployment_commit_id: String::new(),
        subtask_name: deployment.subtask_name,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::shown_rows::{column, convert, converted, sourced};

    fn row(environment: &str, status: &str, result: &str) -> deployment::Model {
        deployment::Model {
            belongs_to: "{p}".to_owned(),
            bitbucket_id: "{d}".to_owned(),
            pipeline_id: "{p}".to_owned(),
            step_id: "{s}".to_owned(),
            name: "#186".to_owned(),
            environment: environment.to_owned(),
            environment_type: "Production".to_owned(),
            status: status.to_owned(),
            result: result.to_owned(),
            commit_sha: "ca4302e0".to_owned(),
            created_on: DateTime::from_timestamp(1_790_000_000, 0),
            started_on: DateTime::from_timestamp(1_790_000_010, 0),
            completed_on: DateTime::from_timestamp(1_790_000_040, 900_000_000),
            ..deployment::Model::default()
        }
    }

    #[test]
    fn a_deployment_brings_its_commit_from_the_ref_of_its_pipeline() {
        let pipeline = pipeline::Model {
            bitbucket_id: "{p}".to_owned(),
            ref_name: "main".to_owned(),
            ..pipeline::Model::default()
        };
        let related = Related::default().with::<OwnPipeline>(vec![sourced(3, pipeline)]);
        let row = row("prod-eu", "COMPLETED", "SUCCESSFUL");
        assert_snapshot!(converted::<Deployments>(row, &related));
    }

    #[test]
    fn every_deployment_counts_once_whatever_it_was() {
        for (case, environment, status, result, expected) in [
            (
                "no pipeline",
                "Production",
                "COMPLETED",
                "SUCCESSFUL",
                "SUCCESS",
            ),
            (
                "first environment",
                "prod-eu",
                "COMPLETED",
                "SUCCESSFUL",
                "SUCCESS",
            ),
            (
                "second environment",
                "prod-us",
                "COMPLETED",
                "FAILED",
                "FAILURE",
            ),
            ("redeploy under way", "prod-eu", "IN_PROGRESS", "", ""),
            ("rollback", "prod-eu", "ROLLED_BACK", "", ""),
            ("never deployed", "prod-eu", "UNDEPLOYED", "", ""),
        ] {
            let rows =
                convert::<Deployments>(row(environment, status, result), &Related::default());
            let table = "cicd_deployments";
            assert_eq!(column(&rows, table, "result"), [expected], "{case}");
            assert_eq!(
                column(&rows, table, "environment"),
                ["PRODUCTION"],
                "{case}"
            );
            assert_eq!(
                column(&rows, table, "original_environment"),
                [environment],
                "{case}"
            );
        }
    }

    #[test]
    fn a_deployment_without_an_outcome_ends_as_its_step() {
        let step = pipeline_step::Model {
            pipeline_id: "{p}".to_owned(),
            bitbucket_id: "{s}".to_owned(),
            result: "FAILED".to_owned(),
            ..pipeline_step::Model::default()
        };
        let related = Related::default().with::<StepOfPipeline>(vec![sourced(4, step)]);
        let rows = convert::<Deployments>(row("prod-eu", "COMPLETED", ""), &related);
        assert_eq!(column(&rows, "cicd_deployments", "result"), ["FAILURE"]);
    }

    #[test]
    fn an_environment_without_a_name_is_looked_up_by_its_uuid() {
        let listed = |uuid: &str, name: &str, kind: &str| {
            let row = environment::Model {
                bitbucket_id: uuid.to_owned(),
                name: name.to_owned(),
                environment_type: kind.to_owned(),
                ..environment::Model::default()
            };
            sourced(6, row)
        };
        for (case, id, name, kind, expected) in [
            ("by uuid", "{e}", "", "", ("STAGING", "qa")),
            (
                "its own name",
                "{e}",
                "live",
                "Production",
                ("PRODUCTION", "live"),
            ),
            (
                "its own name, no type",
                "{e}",
                "live",
                "",
                ("STAGING", "live"),
            ),
            ("unknown", "{x}", "", "", ("", "")),
            ("none", "", "", "", ("", "")),
        ] {
            let row = deployment::Model {
                environment_id: id.to_owned(),
                environment: name.to_owned(),
                environment_type: kind.to_owned(),
                ..row("", "COMPLETED", "SUCCESSFUL")
            };
            let environments = vec![listed("{e}", "qa", "Staging"), listed("", "no", "Test")];
            let related = Related::default().with::<NamedEnvironment>(environments);
            let rows = convert::<Deployments>(row, &related);
            let of = |name| column(&rows, "cicd_deployments", name).concat();
            let found = (of("environment"), of("original_environment"));
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{case}");
        }
    }
}
