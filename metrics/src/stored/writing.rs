//! What was decided, as rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use headwater_domain::metrics::{
    project_deployment, project_incident_deployment_relationship as relationship,
    project_pr_metric, project_recovery, unlinked_incident,
};
use headwater_store::{Changes, StoreError, Transaction};

use crate::{DeploymentRow, LeadTime, Measured, Moment, PullRequest, RepairKind, Sign};

fn time(moment: Moment) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(moment)
}

/// Corrects predecessors that are stored otherwise.
pub(super) async fn predecessors(
    page: &Transaction<'_>,
    deployments: &[DeploymentRow],
    measured: &Measured,
) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    for row in deployments {
        let key = (row.id.clone(), row.commit_sha.clone());
        let previous = measured.previous.get(&key);
        let previous = previous.map(String::as_str).unwrap_or_default();
        if row.previous == previous {
            changes.unchanged += 1;
        } else {
            page.set_predecessor((&row.id, &row.commit_sha), previous)
                .await?;
            changes.written += 1;
        }
    }
    Ok(changes)
}

/// Rows of `project_pr_metrics`, by id.
pub(super) fn lead_times<'m>(
    project: &'m str,
    measured: &'m Measured,
) -> impl Iterator<Item = project_pr_metric::Model> + 'm {
    let rows = &measured.deployments.rows;
    measured.lead_times.iter().map(move |it| {
        let deployment = it.row.map(|row| rows[row].id.clone());
        let sign = measured.signs.get(&it.id);
        project_pr_metric::Model {
            repairs: sign.map(Sign::names).unwrap_or_default(),
            reverted_id: sign.map(|it| it.reverted.clone()).unwrap_or_default(),
            ..lead_time(project, it, deployment.unwrap_or_default())
        }
    })
}

pub(super) fn lead_time(
    project: &str,
    it: &LeadTime,
    deployment: String,
) -> project_pr_metric::Model {
    let (first_commit, first_review) = (it.first_commit.as_ref(), it.first_review.as_ref());
    let named = |named: Option<&(Moment, String)>| named.map(|(_, id)| id.clone());
    let (coding, pickup) = (it.coding(), it.pickup());
    let (review, deploy) = (it.review(), it.deploy());
    project_pr_metric::Model {
        id: it.id.clone(),
        project_name: project.to_owned(),
        first_commit_sha: named(first_commit).unwrap_or_default(),
        pr_coding_time: coding.0,
        first_review_id: named(first_review).unwrap_or_default(),
        pr_pickup_time: pickup.0,
        pr_review_time: review.0,
        deployment_commit_id: deployment,
        pr_deploy_time: deploy.0,
        pr_cycle_time: Some(it.cycle_minutes()),
        first_commit_authored_date: first_commit.and_then(|(at, _)| time(*at)),
        first_comment_date: first_review.and_then(|(at, _)| time(*at)),
        pr_created_date: it.created.and_then(time),
        pr_merged_date: time(it.merged),
        pr_deployed_date: it.deployed.and_then(time),
        pr_coding_sec: coding.1,
        pr_pickup_sec: pickup.1,
        pr_review_sec: review.1,
        pr_deploy_sec: deploy.1,
        pr_cycle_sec: Some(it.cycle_seconds()),
        deployment_method: it.deployment_method.clone(),
        reason: it.reason.map_or("", |reason| reason.name()).to_owned(),
        repairs: String::new(),
        reverted_id: String::new(),
    }
}

/// Stored rows with the times of their pull requests as these are now, by project. A pull request
/// that is merged no more has a changed project.
pub(super) fn with_own_times(
    stored: Vec<project_pr_metric::Model>,
    pull_requests: &[PullRequest],
) -> BTreeMap<String, Vec<project_pr_metric::Model>> {
    let known: HashMap<&str, &PullRequest> = pull_requests
        .iter()
        .map(|it| (it.id.as_str(), it))
        .collect();
    let mut renewed: BTreeMap<String, Vec<project_pr_metric::Model>> = BTreeMap::new();
    for row in stored {
        let Some(it) = known.get(row.id.as_str()) else {
            continue;
        };
        let times = LeadTime {
            id: row.id,
            repository: it.base_repo_id.as_str().into(),
            first_commit: it.first_commit.clone(),
            first_review: it.first_review.clone(),
            created: it.created,
            merged: it.merged,
            row: None,
            deployment_method: row.deployment_method,
            reason: None,
            deployed: row.pr_deployed_date.map(|at| at.timestamp_millis()),
        };
        let times = lead_time(&row.project_name, &times, row.deployment_commit_id);
        let rows = renewed.entry(row.project_name).or_default();
        rows.push(project_pr_metric::Model {
            reason: row.reason,
            repairs: row.repairs,
            reverted_id: row.reverted_id,
            ..times
        });
    }
    renewed
}

/// Rows of `project_incident_deployment_relationships` and of `unlinked_incidents`.
pub(super) fn links(
    project: &str,
    measured: &Measured,
) -> (Vec<relationship::Model>, Vec<unlinked_incident::Model>) {
    let links = measured.links.iter().map(|link| relationship::Model {
        id: link.incident.clone(),
        project_name: project.to_owned(),
        deployment_id: link.deployment.clone(),
        method: link.method.name().to_owned(),
        confidence: link.confidence(),
    });
    let unlinked = measured.unlinked.iter();
    let unlinked = unlinked.map(|(incident, reason)| unlinked_incident::Model {
        id: incident.clone(),
        project_name: project.to_owned(),
        reason: reason.name().to_owned(),
    });
    (links.collect(), unlinked.collect())
}

/// Rows of `project_deployments`.
pub(super) fn deployments(project: &str, measured: &Measured) -> Vec<project_deployment::Model> {
    let failures = measured.failures.iter();
    let failed: HashSet<&str> = failures.map(|it| it.deployment.as_str()).collect();
    let kinds = measured.repair_kinds();
    let deployments = measured.deployments.deployments.iter();
    let rows = deployments.map(|it| {
        let commits = measured.commits_of(&it.id);
        let repairs = kinds.get(it.id.as_str()).into_iter().flatten();
        let repairs: Vec<&str> = repairs.map(|kind: &RepairKind| kind.name()).collect();
        project_deployment::Model {
            id: it.id.clone(),
            project_name: project.to_owned(),
            finished_date: time(it.end),
            result: if it.is_success { "SUCCESS" } else { "FAILURE" }.to_owned(),
            failed: failed.contains(it.id.as_str()),
            repairs: repairs.join(","),
            commit_samples: i64::try_from(commits.samples).ok(),
            commit_mean: commits.mean,
            commit_median: commits.median,
            failure_known: measured.failures_known,
            rework: measured.reworks.contains(&it.id),
        }
    });
    rows.collect()
}

/// Rows of `project_recoveries`.
pub(super) fn recoveries(project: &str, measured: &Measured) -> Vec<project_recovery::Model> {
    let failures = measured.failures.iter();
    let rows = failures.flat_map(|failure| {
        failure
            .recoveries
            .iter()
            .map(|recovery| project_recovery::Model {
                deployment_id: failure.deployment.clone(),
                project_name: project.to_owned(),
                incident_id: recovery.incident.clone(),
                recovered_date: time(recovery.at),
            })
    });
    rows.collect()
}
