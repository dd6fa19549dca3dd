//! How long commits took from being written to being deployed.

use std::collections::HashMap;

use crate::first_deployment::FirstDeployments;
use crate::numbers::median;
use crate::{DeploymentRows, Facts, LooseCommit};

/// Lead times of the commits of one deployment, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitLeadTime {
    /// How many commits.
    pub samples: usize,
    /// Their mean in whole seconds: the milliseconds divided by the number, then by 1000, rounded
    /// down both times.
    pub mean: Option<i64>,
    /// Their lower median in whole seconds.
    pub median: Option<i64>,
}

impl CommitLeadTime {
    /// Of these milliseconds.
    pub(crate) fn of(mut samples: Vec<i64>) -> Self {
        let sum: i64 = samples.iter().sum();
        let count = i64::try_from(samples.len()).unwrap_or(i64::MAX);
        Self {
            samples: samples.len(),
            mean: (count > 0).then(|| sum / count / 1000),
            median: median(&mut samples).map(|it| it / 1000),
        }
    }
}

/// Milliseconds from authoring to the row's end, of the commits that each deployment was the first
/// to bring: merges have no code of their own, and commits without a time, or with one after the
/// deployment, tell nothing.
pub(crate) fn samples(
    facts: &Facts,
    deployments: &DeploymentRows,
    first: &FirstDeployments,
) -> HashMap<String, Vec<i64>> {
    let mut samples: HashMap<String, Vec<i64>> = HashMap::new();
    for (row, commits) in deployments.rows.iter().zip(&first.new_commits) {
        let history = facts.histories.get(&row.repository);
        for commit in commits {
            let own = history.and_then(|history| {
                let found = history.find(commit)?;
                Some(LooseCommit {
                    authored: history.authored.get(commit),
                    is_merge: history.graph.parents(found).len() > 1,
                })
            });
            let known = own.or_else(|| facts.loose_commits.get(&**commit).copied());
            let counted = known.filter(|it| !it.is_merge).and_then(|it| it.authored);
            let authored = counted.filter(|authored| *authored <= row.finished);
            if let Some(authored) = authored {
                let of_deployment = samples.entry(row.deployment_id.clone()).or_default();
                of_deployment.push(row.finished - authored);
            }
        }
    }
    samples
}
