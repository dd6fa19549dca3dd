//! Pipelines and deployments, derived from pull requests where a repository records none.
//!
//! Where nothing of them is stored, each pull request ran one pipeline when it was opened and one
//! when it was merged, which deployed. So they never disagree with the pull requests, and a world of
//! a seed stays what it was.

use chrono::TimeDelta;

use super::model::{Event, PullRequest, Repository, State, Time};

/// Minutes after which a pipeline has ended.
const RUNS_FOR: i64 = 6;

/// Minutes after the end of a pipeline at which its release is deployed again.
const AGAIN_AFTER: i64 = 60;

/// Minutes after the end of a pipeline at which an older release takes its place.
const ROLLED_BACK_AFTER: i64 = 90;

/// Place of the first environment of production in [`ENVIRONMENTS`].
const PRODUCTION: usize = 2;

/// One run of a pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Stable identity, in braces.
    pub uuid: String,
    /// Number within the repository.
    pub build_number: u64,
    /// Branch or tag it ran for.
    pub ref_name: String,
    /// `branch` or `tag`.
    pub ref_type: &'static str,
    /// Commit it ran on.
    pub commit: String,
    /// When it was created.
    pub created_on: Time,
    /// When it ended; none while it runs.
    pub completed_on: Option<Time>,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it deploys.
    pub deploys: bool,
    /// The pull request that it ran for; none for one that ran for a branch.
    pub pull_request: Option<PullRequestTarget>,
    /// Its steps, where they do not follow from the rest.
    pub(crate) recorded: Option<Vec<PipelineStep>>,
}

/// Name, slug and type of an environment.
pub type Environment = (&'static str, &'static str, &'static str);

/// What a repository built and deployed, recorded one by one.
#[derive(Clone, Debug)]
pub(crate) struct Builds {
    pub(crate) environments: &'static [Environment],
    /// Oldest first.
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) deployments: Vec<Deployment>,
}

/// What a pipeline of a pull request says of it.
#[derive(Clone, Debug)]
pub struct PullRequestTarget {
    /// Its number.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// The branch that it goes into.
    pub destination: String,
    /// Head of that branch.
    pub destination_commit: String,
}

/// One step of a pipeline.
#[derive(Clone, Debug)]
pub struct PipelineStep {
    /// Stable identity, in braces.
    pub uuid: String,
    /// Its name.
    pub name: &'static str,
    /// Whether a person has to start it.
    pub manual: bool,
    /// State, and result where there is one.
    pub state: (&'static str, Option<&'static str>),
    /// When it started; none while it did not.
    pub started_on: Option<Time>,
    /// When it ended.
    pub completed_on: Option<Time>,
    /// How often it ran.
    pub run_number: u64,
}

/// One deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Stable identity, in braces.
    pub uuid: String,
    /// The pipeline that deployed.
    pub pipeline: Pipeline,
    /// The step that deployed.
    pub step: PipelineStep,
    /// Place in the repository's environments.
    pub environment: usize,
    /// State, and outcome where there is one.
    pub state: (&'static str, Option<&'static str>),
    /// When it started; none while it did not.
    pub started_on: Option<Time>,
    /// When it ended.
    pub completed_on: Option<Time>,
}

/// The environments of repositories that have no others.
pub const ENVIRONMENTS: [Environment; 4] = [
    ("Test", "test", "Test"),
    ("staging", "staging", "Staging"),
    ("prod-eu", "prod-eu", "Production"),
    ("prod-us", "prod-us", "Production"),
];

fn mixed(parts: [u64; 3]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in parts.iter().flat_map(|part| part.to_le_bytes()) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    hash ^ (hash >> 61)
}

pub(super) fn uuid(parts: [u64; 3]) -> String {
    let hex = format!("{:032x}", mixed(parts));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    format!("{{{}}}", parts.join("-"))
}

/// The identity of an environment, in braces.
#[must_use]
pub fn environment_uuid(repository: &Repository, environment: usize) -> String {
    uuid([repository.serial, environment as u64, 3])
}

impl Repository {
    /// Its environments.
    #[must_use]
    pub fn environments(&self) -> &'static [Environment] {
        self.builds
            .as_ref()
            .map_or(&ENVIRONMENTS, |builds| builds.environments)
    }

    /// Its pipelines, newest first, as they are at a time.
    #[must_use]
    pub fn pipelines(&self, now: Time) -> Vec<Pipeline> {
        if let Some(builds) = &self.builds {
            return builds.pipelines.iter().rev().cloned().collect();
        }
        let pull_requests = self.pull_requests.values();
        let mut pipelines: Vec<Pipeline> = pull_requests
            .flat_map(|found| {
                let opened = self.pipeline_of(found, found.created_on, false, now);
                let merged = merged_at(found).map(|at| self.pipeline_of(found, at, true, now));
                std::iter::once(opened).chain(merged)
            })
            .collect();
        pipelines.sort_by_key(|p| std::cmp::Reverse((p.created_on, p.build_number)));
        pipelines
    }

    fn pipeline_of(&self, found: &PullRequest, at: Time, deploys: bool, now: Time) -> Pipeline {
        let kind = u64::from(deploys);
        let draw = mixed([self.serial, found.id, 7 + kind]);
        let ended = at + TimeDelta::minutes(RUNS_FOR);
        let ref_name = if deploys {
            &found.destination_branch
        } else {
            &found.source_branch
        };
        Pipeline {
            uuid: uuid([self.serial, found.id, 1 + kind]),
            build_number: found.id * 2 + kind,
            ref_name: ref_name.clone(),
            ref_type: "branch",
            commit: match found.merge_commit.filter(|_| deploys) {
                Some(hash) => hash.to_string(),
                None => format!("{draw:032x}{:08x}", found.id),
            },
            created_on: at,
            completed_on: (ended <= now).then_some(ended),
            failed: draw.is_multiple_of(7),
            deploys,
            pull_request: (!deploys && found.id.is_multiple_of(2)).then(|| PullRequestTarget {
                id: found.id,
                title: found.title.to_string(),
                destination: found.destination_branch.clone(),
                destination_commit: found.destination_commit.to_string(),
            }),
            recorded: None,
        }
    }

    /// Its deployments, in no particular order. A step that waits for a person has one that is not
    /// deployed; some releases are deployed again, and some give way to the one before.
    #[must_use]
    pub fn deployments(&self, now: Time) -> Vec<Deployment> {
        if let Some(builds) = &self.builds {
            return builds.deployments.clone();
        }
        let mut deployments = Vec::new();
        let mut before: Option<Deployment> = None;
        let pipelines = self.pipelines(now).into_iter().rev();
        for pipeline in pipelines.filter(|pipeline| pipeline.deploys) {
            let own = self.deployments_of(&pipeline);
            let live = own.iter().find(|deployment| {
                deployment.environment == PRODUCTION && deployment.state.1 == Some("SUCCESSFUL")
            });
            let live = live.cloned();
            deployments.extend(own);
            let ended = pipeline.completed_on;
            if let (Some(live), Some(ended)) = (&live, ended) {
                let at = ended + TimeDelta::minutes(AGAIN_AFTER);
                if pipeline.build_number % 4 == 1 && at <= now {
                    deployments.push(live.again(self.serial, (40, &pipeline), at));
                }
            }
            if let (Some(before), Some(ended)) = (&before, ended) {
                let at = ended + TimeDelta::minutes(ROLLED_BACK_AFTER);
                if pipeline.build_number.is_multiple_of(5) && at <= now {
                    deployments.push(before.again(self.serial, (60, &pipeline), at));
                }
            }
            before = live.or(before);
        }
        deployments
    }

    /// What the steps of a pipeline deployed.
    fn deployments_of(&self, pipeline: &Pipeline) -> Vec<Deployment> {
        let mut deployments = Vec::new();
        for (place, step) in pipeline.steps().into_iter().enumerate() {
            let waits = step.manual && step.state.0 == "PENDING" && pipeline.completed_on.is_some();
            let Some(environment) = place
                .checked_sub(2)
                .filter(|_| step.started_on.is_some() || waits)
            else {
                continue;
            };
            deployments.push(Deployment {
                uuid: uuid([self.serial, pipeline.build_number, 20 + environment as u64]),
                pipeline: pipeline.clone(),
                environment: environment + 1,
                state: if waits {
                    ("UNDEPLOYED", None)
                } else {
                    step.state
                },
                started_on: step.started_on,
                completed_on: step.completed_on,
                step,
            });
        }
        deployments
    }
}

impl Deployment {
    /// The same release deployed again, because of a pipeline.
    fn again(&self, serial: u64, (kind, because): (u64, &Pipeline), at: Time) -> Self {
        Self {
            uuid: uuid([serial, because.build_number, kind + self.environment as u64]),
            state: ("COMPLETED", Some("SUCCESSFUL")),
            started_on: Some(at - TimeDelta::seconds(55)),
            completed_on: Some(at),
            ..self.clone()
        }
    }
}

fn merged_at(found: &PullRequest) -> Option<Time> {
    let log = found.activity.iter();
    let mut merges = log.filter(|entry| match &entry.event {
        Event::Update(update) => update.state == State::Merged,
        _ => false,
    });
    merges.next().map(|entry| entry.date)
}

impl Pipeline {
    /// Its steps, in their order. After one that failed the rest is skipped; the last one waits
    /// for a person, who not always comes.
    #[must_use]
    pub fn steps(&self) -> Vec<PipelineStep> {
        if let Some(recorded) = &self.recorded {
            return recorded.clone();
        }
        let names: &[&str] = if self.deploys {
            &[
                "Build",
                "Test",
                "Deploy to staging",
                "Deploy to prod-eu",
                "Deploy to prod-us",
            ]
        } else {
            &["Build", "Test"]
        };
        let fails_at = (self.failed && self.completed_on.is_some()).then_some(names.len() / 2);
        let steps = (0_i64..)
            .zip(names)
            .enumerate()
            .map(|(place, (minute, name))| {
                let manual = place == 4;
                let skipped = fails_at.is_some_and(|at| place > at);
                let waits = manual && self.build_number.is_multiple_of(3);
                let begun = self.completed_on.is_some() || place == 0;
                let start = self.created_on + TimeDelta::seconds(5 + 60 * minute);
                let state = match self.completed_on {
                    Some(_) if skipped => ("COMPLETED", Some("NOT_RUN")),
                    Some(_) if waits => ("PENDING", None),
                    Some(_) if fails_at == Some(place) => ("COMPLETED", Some("FAILED")),
                    Some(_) => ("COMPLETED", Some("SUCCESSFUL")),
                    None if place == 0 => ("IN_PROGRESS", None),
                    None => ("PENDING", None),
                };
                let started_on = (begun && !skipped && !waits).then_some(start);
                PipelineStep {
                    uuid: {
                        let number = self.build_number * 10 + place as u64;
                        let seed = u64::from_str_radix(&self.uuid[1..9], 16).unwrap_or_default();
                        uuid([seed, number, 4])
                    },
                    name,
                    manual,
                    state,
                    started_on,
                    completed_on: started_on
                        .filter(|_| self.completed_on.is_some())
                        .map(|start| start + TimeDelta::seconds(55)),
                    run_number: 1 + u64::from(
                        self.build_number.is_multiple_of(5) && started_on.is_some(),
                    ),
                }
            });
        steps.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::world::{Size, World};

    #[test]
    fn releases_are_skipped_awaited_deployed_again_and_rolled_back() {
        let world = World::generate(7, "acme", &Size::benchmark(300, 0));
        let now = world.now();
        let mut words = BTreeMap::new();
        let (mut steps, mut again) = (BTreeMap::new(), 0);
        for repository in world.repositories() {
            for step in repository.pipelines(now).iter().flat_map(Pipeline::steps) {
                *steps.entry(step.state).or_insert(0) += 1;
            }
            let mut releases = BTreeMap::new();
            for deployment in repository.deployments(now) {
                *words.entry(deployment.state).or_insert(0) += 1;
                let release = (deployment.pipeline.uuid, deployment.environment);
                *releases.entry(release).or_insert(0) += 1;
            }
            again += releases.values().filter(|count| **count > 1).count();
        }
        for state in [
            ("COMPLETED", Some("NOT_RUN")),
            ("COMPLETED", Some("FAILED")),
            ("PENDING", None),
        ] {
            assert!(steps.contains_key(&state), "{state:?}: {steps:?}");
        }
        for state in [
            ("COMPLETED", Some("SUCCESSFUL")),
            ("COMPLETED", Some("FAILED")),
            ("UNDEPLOYED", None),
        ] {
            assert!(words.contains_key(&state), "{state:?}: {words:?}");
        }
        assert!(again > 0, "no release was deployed again");
    }
}
