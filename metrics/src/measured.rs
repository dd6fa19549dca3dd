//! What each row means, for all of time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::commit_lead_time::{self, CommitLeadTime};
use crate::deployments::previous_of_environment;
use crate::first_deployment::FirstDeployments;
use crate::repairs::Repairs;
use crate::{
    DeploymentRows, Facts, Failure, FailureSource, LeadTime, Link, Repair, RepairKind, Rules, Sign,
    Unlinked, failures, incidents, lead_time, signs,
};

/// What each row of a project means, for all of time.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Deployments and their rows.
    pub deployments: DeploymentRows,
    /// For each successful production row whether its commits are unknown.
    pub missing_history: Vec<bool>,
    /// One row for each merged pull request.
    pub lead_times: Vec<LeadTime>,
    /// Pull requests that say something of repairs, by their ids.
    pub signs: BTreeMap<String, Sign>,
    /// Incidents with a deployment.
    pub links: Vec<Link>,
    /// Incidents without one.
    pub unlinked: Vec<(String, Unlinked)>,
    /// Deployments that repair others.
    pub repairs: Vec<Repair>,
    /// Counted deployments that failed.
    pub failures: Vec<Failure>,
    /// False where nothing can tell whether a deployment failed: incidents are the only source of
    /// failures, and the project never had one.
    pub failures_known: bool,
    /// Ids of deployments that repair in a way that the project counts as rework.
    pub reworks: BTreeSet<String>,
    /// Milliseconds from authoring to deployment of commits, by deployment.
    pub(crate) commit_samples: HashMap<String, Vec<i64>>,
    /// `prev_success_deployment_commit_id` of each row of `cicd_deployment_commits`, by its id and
    /// commit.
    pub previous: BTreeMap<(String, String), String>,
}

impl Measured {
    /// In which ways each deployment repairs.
    #[must_use]
    pub fn repair_kinds(&self) -> BTreeMap<&str, BTreeSet<RepairKind>> {
        let mut kinds: BTreeMap<&str, BTreeSet<RepairKind>> = BTreeMap::new();
        for repair in &self.repairs {
            kinds
                .entry(&repair.deployment)
                .or_default()
                .insert(repair.kind);
        }
        kinds
    }

    /// Lead times of the commits of a deployment.
    #[must_use]
    pub fn commits_of(&self, deployment: &str) -> CommitLeadTime {
        let samples = self.commit_samples.get(deployment);
        CommitLeadTime::of(samples.cloned().unwrap_or_default())
    }
}

/// Decides what each row of a project means.
#[must_use]
pub fn measure(facts: &Facts, rules: &Rules) -> Measured {
    let deployments = DeploymentRows::of(facts, rules);
    let first = FirstDeployments::of(facts, &deployments);
    let lead_times = lead_time::lead_times(facts, &deployments, &first);
    let (links, unlinked) = incidents::links(facts, rules, &deployments);
    let signs = signs::signs(facts, rules);
    let repairs = Repairs {
        facts,
        signs: &signs,
        deployments: &deployments,
        first: &first,
        lead_times: &lead_times,
        by_id: deployments.by_id(),
        message_pattern: rules.revert_message_pattern.as_ref(),
    }
    .find();
    let failures = failures::failures(facts, rules, &deployments, &links, &repairs);
    let previous = previous_of_environment(&facts.deployments).into_iter();
    let only_incidents = rules.failure_sources.len() == 1
        && rules.failure_sources.contains(&FailureSource::Incident);
    let reworks = repairs
        .iter()
        .filter(|it| rules.rework_sources.contains(&it.kind.source()))
        .map(|it| it.deployment.clone())
        .collect();
    Measured {
        failures_known: !(only_incidents && facts.incidents.is_empty()),
        reworks,
        previous: previous
            .map(|((id, commit), before)| ((id.to_owned(), commit.to_owned()), before.to_owned()))
            .collect(),
        commit_samples: commit_lead_time::samples(facts, &deployments, &first),
        missing_history: first.missing_history,
        deployments,
        lead_times,
        signs,
        links,
        unlinked,
        repairs,
        failures,
    }
}
