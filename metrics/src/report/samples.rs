//! What each metric counts, of all of time: one sample for each row, with why it counts.

use std::collections::HashMap;

use super::Counting;
use super::divided::Sample;
use crate::failures::is_counted;
use crate::incidents::RepositoryOf;
use crate::numbers::whole_minutes;
use crate::{Deployment, Failure, Incident, RepairKind};

impl Counting<'_> {
    /// Production deployments.
    pub(super) fn production_deployments(&self) -> Vec<Sample> {
        let successful = self.measured.deployments.successful();
        successful
            .map(|it| Sample {
                because: format!("it ended in {}", environments(it)),
                ..of_deployment(it)
            })
            .collect()
    }

    /// Pull requests that a deployment shipped.
    pub(super) fn deployed_pull_requests(&self) -> Vec<Sample> {
        let rows = &self.measured.deployments.rows;
        let lead_times = self.measured.lead_times.iter();
        let samples = lead_times.filter_map(|it| {
            let row = &rows[it.row?];
            Some(Sample {
                row: it.id.clone(),
                because: format!("{} shipped it first ({})", row.id, it.deployment_method),
                moment: it.deployed?,
                minutes: Some(it.cycle_minutes()),
                seconds: Some(it.cycle_seconds()),
                is_counted: true,
                repositories: vec![it.repository.to_string()],
                environments: vec![row.environment.clone()],
            })
        });
        samples.collect()
    }

    /// Deployments that count for the failure rate; those that failed are counted.
    pub(super) fn counted_deployments(&self) -> Vec<Sample> {
        let failures: HashMap<&str, &Failure> = self
            .measured
            .failures
            .iter()
            .map(|it| (it.deployment.as_str(), it))
            .collect();
        let deployments = self.measured.deployments.deployments.iter();
        let counted = deployments.filter(|it| is_counted(self.rules, it));
        let samples = counted.map(|it| {
            let failure = failures.get(it.id.as_str());
            let because = failure.map_or_else(
                || "nothing says that it failed".to_owned(),
                |it| {
                    let sources: Vec<&str> = it.sources.iter().map(|it| it.name()).collect();
                    format!("it failed: {}", sources.join(", "))
                },
            );
            Sample {
                is_counted: failure.is_some(),
                because,
                ..of_deployment(it)
            }
        });
        samples.collect()
    }

    /// Recoveries from failed deployments.
    pub(super) fn recoveries(&self) -> Vec<Sample> {
        let by_id = self.measured.deployments.by_id();
        let mut samples = Vec::new();
        for failure in &self.measured.failures {
            let Some(deployment) = by_id.get(failure.deployment.as_str()) else {
                continue;
            };
            samples.extend(failure.recoveries.iter().map(|recovery| Sample {
                because: match recovery.incident.as_str() {
                    "" => "another deployment repaired it".to_owned(),
                    incident => format!("{incident} was resolved"),
                },
                moment: recovery.at,
                minutes: Some(whole_minutes(failure.end, recovery.at)),
                seconds: Some((recovery.at - failure.end) / 1000),
                ..of_deployment(deployment)
            }));
        }
        samples
    }

    /// Incidents that were resolved.
    pub(super) fn resolved_incidents(&self) -> Vec<Sample> {
        let deployments = &self.measured.deployments;
        let repositories = RepositoryOf::new(self.facts, self.rules, deployments);
        let by_id = deployments.by_id();
        let linked: HashMap<&str, &Deployment> = self
            .measured
            .links
            .iter()
            .filter_map(|link| {
                Some((
                    link.incident.as_str(),
                    *by_id.get(link.deployment.as_str())?,
                ))
            })
            .filter(|(_, deployment)| is_counted(self.rules, deployment))
            .collect();
        let samples = self.facts.incidents.iter().filter_map(|incident| {
            let (minutes, seconds) = restored(incident)?;
            let environments = linked.get(incident.id.as_str()).map(|it| &it.environments);
            Some(Sample {
                row: incident.id.clone(),
                because: match incident.lead_time_minutes {
                    Some(_) => "lead_time_minutes, as its source says it".to_owned(),
                    None => "from created_date to resolution_date".to_owned(),
                },
                moment: incident.resolved?,
                minutes: Some(minutes),
                seconds: Some(seconds),
                is_counted: true,
                repositories: vec![repositories.find(incident).unwrap_or_default().to_owned()],
                environments: environments
                    .map_or_else(|| vec![String::new()], |it| it.iter().cloned().collect()),
            })
        });
        samples.collect()
    }

    /// Production deployments; those that are rework are counted.
    pub(super) fn reworked_deployments(&self) -> Vec<Sample> {
        let kinds = self.measured.repair_kinds();
        let successful = self.measured.deployments.successful();
        let samples = successful.map(|it| {
            let kinds = kinds.get(it.id.as_str()).into_iter().flatten();
            let kinds: Vec<&str> = kinds.map(|kind: &RepairKind| kind.name()).collect();
            Sample {
                is_counted: self.measured.reworks.contains(&it.id),
                because: match kinds.as_slice() {
                    [] => "it repaired nothing".to_owned(),
                    kinds => format!("it repaired: {}", kinds.join(", ")),
                },
                ..of_deployment(it)
            }
        });
        samples.collect()
    }
}

fn environments(deployment: &Deployment) -> String {
    let names: Vec<&str> = deployment.environments.iter().map(String::as_str).collect();
    names.join(", ")
}

fn of_deployment(deployment: &Deployment) -> Sample {
    Sample {
        row: deployment.id.clone(),
        because: String::new(),
        moment: deployment.end,
        minutes: None,
        seconds: None,
        is_counted: true,
        repositories: deployment.repositories.iter().cloned().collect(),
        environments: deployment.environments.iter().cloned().collect(),
    }
}

/// Minutes and seconds until an incident was resolved.
fn restored(incident: &Incident) -> Option<(i64, i64)> {
    let resolved = incident.resolved?;
    let between = incident.created.map(|created| (created, resolved));
    let minutes = incident
        .lead_time_minutes
        .or_else(|| between.map(|(created, resolved)| whole_minutes(created, resolved)))?;
    let exact = between.map(|(created, resolved)| resolved - created);
    let seconds = exact
        .filter(|exact| *exact >= 0)
        .map_or(minutes.saturating_mul(60), |exact| exact / 1000);
    (minutes >= 0).then_some((minutes, seconds))
}
