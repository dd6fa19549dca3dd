//! Pipelines, what they deploy, and releases.

use chrono::TimeDelta;
use rand::Rng as _;

use crate::world::builds::{Deployment, Pipeline, PipelineStep, PullRequestTarget};
use crate::world::git::Tag;
use crate::world::model::{Hash, PullRequest, Time};

use super::play::{Act, Play};
use super::services::Shipping;

/// How far a pipeline goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// It builds and tests.
    Nowhere,
    ToStaging,
    ToProduction,
}

/// A pipeline that is going to start.
#[derive(Clone, Debug)]
pub(super) struct Build {
    commit: Hash,
    ref_name: String,
    ref_type: &'static str,
    pull_request: Option<PullRequestTarget>,
    goes: Goes,
}

impl Build {
    pub(super) fn of_pull_request(found: &PullRequest) -> Build {
        Build {
            commit: found.source_commit,
            ref_name: found.source_branch.clone(),
            ref_type: "branch",
            pull_request: Some(PullRequestTarget {
                id: found.id,
                title: found.title.to_string(),
                destination: found.destination_branch.clone(),
                destination_commit: found.destination_commit.to_string(),
            }),
            goes: Goes::Nowhere,
        }
    }

    pub(super) fn of_main(commit: Hash, ships: bool) -> Build {
        Build {
            commit,
            ref_name: "main".to_owned(),
            ref_type: "branch",
            pull_request: None,
            goes: if ships {
                Goes::ToProduction
            } else {
                Goes::ToStaging
            },
        }
    }

    fn of_tag(commit: Hash, name: &str) -> Build {
        Build {
            ref_name: name.to_owned(),
            ref_type: "tag",
            ..Build::of_main(commit, true)
        }
    }
}

/// A step as it is planned.
struct Planned {
    name: &'static str,
    /// Minutes that it takes.
    minutes: i64,
    /// Chance that it fails, in thousandths.
    fails: u32,
    environment: Option<usize>,
}

/// How a pipeline went.
#[derive(Debug)]
struct Went {
    steps: Vec<(PipelineStep, Option<usize>)>,
    /// When it ended, or would.
    ended: Time,
    failed: bool,
}

impl Play {
    /// Runs a pipeline. What it shows is what it has come to at the end of the year.
    pub(super) fn build(&mut self, line: usize, at: Time, build: Build) {
        let went = self.run(line, at, &build);
        let place = self.lines[line].place;
        self.lines[line].last_build += 1;
        let failed_to_ship = went.failed && went.steps.last().is_some_and(failed_or_skipped);
        let pipeline = Pipeline {
            uuid: format!("{{{}}}", self.world.dice.uuid()),
            build_number: self.lines[line].last_build,
            ref_name: build.ref_name.clone(),
            ref_type: build.ref_type,
            commit: build.commit.to_string(),
            created_on: at,
            completed_on: Some(went.ended).filter(|ended| *ended <= self.until),
            failed: went.failed,
            deploys: build.goes != Goes::Nowhere,
            pull_request: build.pull_request.clone(),
            recorded: Some(went.steps.iter().map(|(step, _)| step.clone()).collect()),
        };
        let mut deployments = Vec::new();
        for (step, environment) in &went.steps {
            let Some(environment) = environment.filter(|_| step.started_on.is_some()) else {
                continue;
            };
            deployments.push(Deployment {
                uuid: format!("{{{}}}", self.world.dice.uuid()),
                pipeline: pipeline.clone(),
                environment,
                state: step.state,
                started_on: step.started_on,
                completed_on: step.completed_on,
                step: step.clone(),
            });
        }
        if let Some(builds) = &mut self.world.repositories[place].builds {
            builds.pipelines.push(pipeline);
            builds.deployments.extend(deployments);
        }
        if build.goes != Goes::ToProduction {
            return;
        }
        let commit = build.commit;
        if !went.failed {
            self.plan(line, went.ended, Act::Live { commit });
        } else if failed_to_ship && self.is_newest(line, commit) {
            let again = went.ended + TimeDelta::minutes(12) + self.minutes(50);
            self.plan(line, again, Act::Build(build));
        }
    }

    /// Whether nothing was merged after a commit; then someone starts its pipeline again.
    fn is_newest(&self, line: usize, commit: Hash) -> bool {
        let waiting = self.lines[line].waiting.last();
        waiting.is_none_or(|(newest, _)| *newest == commit)
    }

    fn run(&mut self, line: usize, at: Time, build: &Build) -> Went {
        let mut went = Went {
            steps: Vec::new(),
            ended: at,
            failed: false,
        };
        for planned in self.planned(line, build) {
            let started = went.ended + TimeDelta::seconds(self.rng.random_range(3..20));
            let took = TimeDelta::seconds(self.rng.random_range(40..60) * planned.minutes);
            let fails = self.rng.random_range(0..1000) < planned.fails;
            let step = self.step(&planned, (started, started + took), (went.failed, fails));
            if !went.failed {
                went.ended = started + took;
                went.failed = fails;
            }
            went.steps.push((step, planned.environment));
        }
        went
    }

    /// A step as it is at the end of the year.
    fn step(
        &mut self,
        planned: &Planned,
        (started, ended): (Time, Time),
        (skipped, fails): (bool, bool),
    ) -> PipelineStep {
        let state = match (skipped, fails) {
            (true, _) => ("COMPLETED", Some("NOT_RUN")),
            _ if started > self.until => ("PENDING", None),
            _ if ended > self.until => ("IN_PROGRESS", None),
            (_, true) => ("COMPLETED", Some("FAILED")),
            (_, false) => ("COMPLETED", Some("SUCCESSFUL")),
        };
        let ran = !skipped && started <= self.until;
        PipelineStep {
            uuid: format!("{{{}}}", self.world.dice.uuid()),
            name: planned.name,
            manual: false,
            state,
            started_on: ran.then_some(started),
            completed_on: (ran && ended <= self.until).then_some(ended),
            run_number: 1,
        }
    }

    fn planned(&mut self, line: usize, build: &Build) -> Vec<Planned> {
        let service = self.lines[line].service;
        let step = |name, minutes, fails, environment| Planned {
            name,
            minutes,
            fails,
            environment,
        };
        let slow = self.rng.random_range(4..9);
        // Who opens a pull request has not always run every test.
        let fails = if build.pull_request.is_some() {
            140
        } else {
            45
        };
        let mut steps = vec![step("Build and test", slow, fails, None)];
        if build.goes != Goes::Nowhere {
            steps.push(step("Deploy to staging", 3, 20, Some(0)));
        }
        if build.goes == Goes::ToProduction {
            steps.push(step(service.last_step, 5, 55, Some(1)));
        }
        steps
    }

    /// Tags the head of the main branch and starts its pipeline, if there is anything new.
    pub(super) fn release(&mut self, line: usize, at: Time, is_patch: bool) {
        let own = &mut self.lines[line];
        let Some((commit, _)) = own.waiting.last().copied() else {
            return;
        };
        let (major, minor, patch) = own.version;
        own.version = match (is_patch, minor) {
            (true, _) => (major, minor, patch + 1),
            (false, 24..) => (major + 1, 0, 0),
            (false, _) => (major, minor + 1, 0),
        };
        let (major, minor, patch) = own.version;
        let name = format!("v{major}.{minor}.{patch}");
        let (place, revision) = (own.place, self.world.next_revision());
        let repository = &mut self.world.repositories[place];
        repository.revision = revision;
        let date = repository.main.last().map_or(at, |head| head.date);
        let tag = Tag {
            target: commit,
            date,
            annotation: Some((format!("Release {name}"), at)),
        };
        repository.tags.insert(name.clone(), tag);
        let build = Build::of_tag(commit, &name);
        self.plan(line, at + TimeDelta::seconds(5), Act::Build(build));
    }

    /// A commit of the main branch is where customers are, with all that was merged before it.
    pub(super) fn live(&mut self, line: usize, at: Time, commit: Hash) {
        let own = &mut self.lines[line];
        let Some(last) = own.waiting.iter().position(|(merged, _)| *merged == commit) else {
            return;
        };
        let shipped: Vec<(Hash, u64)> = own.waiting.drain(..=last).collect();
        let service = own.service;
        // A release is tried for longer before it ships.
        let percent = match service.shipping {
            Shipping::EachMerge => service.risk,
            Shipping::Release { .. } => service.risk * 2 / 3,
        };
        for (_, id) in shipped {
            let task = self.lines[line].tasks.get(&id).cloned();
            let Some(task) = task else { continue };
            if task.is_urgent() {
                self.repaired(line, at, &task);
            } else if self.rng.random_range(0..100) < percent {
                let minutes = self.around(70) + 6;
                let noticed = at + TimeDelta::minutes(minutes);
                self.plan(line, noticed, Act::Trouble { cause: id });
            }
        }
    }
}

fn failed_or_skipped((step, _): &(PipelineStep, Option<usize>)) -> bool {
    matches!(step.state.1, Some("FAILED" | "NOT_RUN"))
}
