//! Which deployments failed, and when each was recovered from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    Deployment, DeploymentRows, Facts, FailureSource, Incident, Link, Moment, Repair, Rules,
};

/// One deployment that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Id of the deployment.
    pub deployment: String,
    /// Its end.
    pub end: Moment,
    /// Recoveries, none of them before the end.
    pub recoveries: Vec<Recovery>,
    /// Why it counts as failed.
    pub sources: BTreeSet<FailureSource>,
}

/// One recovery from a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The incident that was resolved; empty where another deployment repaired.
    pub incident: String,
    /// When.
    pub at: Moment,
}

/// Whether a deployment counts: production deployments do, failed ones where the project says so.
pub(crate) fn is_counted(rules: &Rules, deployment: &Deployment) -> bool {
    deployment.is_success
        || rules
            .failure_sources
            .contains(&FailureSource::FailedDeployment)
}

/// Failures among the counted deployments, by (end, id).
pub(crate) fn failures(
    facts: &Facts,
    rules: &Rules,
    deployments: &DeploymentRows,
    links: &[Link],
    repairs: &[Repair],
) -> Vec<Failure> {
    let causes = Causes::of(facts, rules, links, repairs);
    let places = deployments.places();
    let ends: HashMap<&str, Moment> = deployments
        .deployments
        .iter()
        .map(|it| (it.id.as_str(), it.end))
        .collect();
    let counted = deployments
        .deployments
        .iter()
        .filter(|it| is_counted(rules, it));
    counted
        .filter_map(|deployment| {
            let incidents = causes.incidents.get(deployment.id.as_str());
            let repairs = causes.repairs.get(deployment.id.as_str());
            let mut sources = BTreeSet::new();
            sources.extend(incidents.map(|_| FailureSource::Incident));
            sources.extend((!deployment.is_success).then_some(FailureSource::FailedDeployment));
            sources.extend(repairs.into_iter().flatten().map(|it| it.kind.source()));
            if sources.is_empty() {
                return None;
            }
            let recoveries = if let Some(incidents) = incidents {
                let resolved = incidents.iter().filter_map(|it| {
                    Some(Recovery {
                        incident: it.id.clone(),
                        at: it.resolved?,
                    })
                });
                resolved.collect()
            } else {
                let replaced = (!deployment.is_success)
                    .then(|| replaced(deployment, deployments, &places))
                    .flatten();
                let repaired = repairs.into_iter().flatten();
                let repaired = repaired.filter_map(|it| ends.get(it.deployment.as_str()));
                repaired
                    .copied()
                    .chain(replaced)
                    .min()
                    .into_iter()
                    .map(|at| Recovery {
                        incident: String::new(),
                        at,
                    })
                    .collect()
            };
            Some(Failure {
                deployment: deployment.id.clone(),
                end: deployment.end,
                recoveries: not_before(deployment.end, recoveries),
                sources,
            })
        })
        .collect()
}

fn not_before(end: Moment, mut recoveries: Vec<Recovery>) -> Vec<Recovery> {
    recoveries.retain(|recovery| recovery.at >= end);
    recoveries
}

/// What names deployments as failed, of the sources that the project looks at.
struct Causes<'f> {
    incidents: BTreeMap<&'f str, Vec<&'f Incident>>,
    repairs: BTreeMap<&'f str, Vec<&'f Repair>>,
}

impl<'f> Causes<'f> {
    fn of(facts: &'f Facts, rules: &Rules, links: &'f [Link], repairs: &'f [Repair]) -> Self {
        let by_id: HashMap<&str, &Incident> = facts
            .incidents
            .iter()
            .map(|it| (it.id.as_str(), it))
            .collect();
        let mut causes = Self {
            incidents: BTreeMap::new(),
            repairs: BTreeMap::new(),
        };
        if rules.failure_sources.contains(&FailureSource::Incident) {
            for link in links {
                let incidents = causes.incidents.entry(&link.deployment).or_default();
                incidents.extend(by_id.get(link.incident.as_str()));
            }
        }
        for repair in repairs {
            if let Some(failed) = &repair.failed
                && rules.failure_sources.contains(&repair.kind.source())
            {
                causes.repairs.entry(failed).or_default().push(repair);
            }
        }
        causes
    }
}

/// When a failed deployment was followed by a successful one at each of its places.
fn replaced(
    failed: &Deployment,
    deployments: &DeploymentRows,
    places: &BTreeMap<crate::Place, Vec<usize>>,
) -> Option<Moment> {
    let of_failed: BTreeSet<crate::Place> = failed
        .rows
        .iter()
        .map(|row| deployments.failed_rows[*row].place())
        .collect();
    let next = |place: &crate::Place| -> Option<Moment> {
        let rows = places.get(place)?;
        let end = |row: &usize| deployments.rows[*row].finished;
        let later = rows.partition_point(|row| end(row) <= failed.end);
        rows.get(later).map(end)
    };
    let moments: Option<Vec<Moment>> = of_failed.iter().map(next).collect();
    moments?.into_iter().max()
}
