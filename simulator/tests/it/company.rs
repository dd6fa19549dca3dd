//! The company of the demo: what happens in it, and that it always happens in the same way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use headwater_simulator::{Company, Repository, State, World};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn evening() -> DateTime<Utc> {
    at("2026-11-26T18:00:00Z")
}

/// Everything of a world but its dice and revisions.
fn shown(world: &World) -> String {
    let now = world.now();
    let builds = world
        .repositories()
        .iter()
        .map(|it| (it.pipelines(now), it.deployments(now)));
    let builds: Vec<_> = builds.collect();
    format!("{:?}{:?}{builds:?}", world.users(), world.repositories())
}

#[test]
fn the_same_seed_and_moment_give_the_same_company_and_others_give_others() {
    let company = shown(&Company::new(7, evening()).world());
    assert!(company == shown(&Company::new(7, evening()).world()));
    assert!(company != shown(&Company::new(8, evening()).world()));
    // A working day: in a single hour nothing may have happened.
    let later = evening() + TimeDelta::days(1);
    assert!(company != shown(&Company::new(7, later).world()));
}

#[test]
fn it_lives_for_a_year_and_up_to_its_last_moment() {
    for (seed, until) in [
        (1, evening()),
        (2, at("2024-02-29T09:30:00Z")),
        (3, at("2030-01-01T00:00:00Z")),
        (4, at("2027-03-28T01:30:00Z")),
    ] {
        let world = Company::new(seed, until).world();
        assert_eq!(world.now(), until);
        let moments: Vec<DateTime<Utc>> = world.repositories().iter().flat_map(moments).collect();
        let (first, last) = (moments.iter().min().unwrap(), moments.iter().max().unwrap());
        assert!(until - *first > TimeDelta::days(350), "{seed}: {first}");
        // Not even pipelines or replies end after the last moment.
        assert!(*last <= until + TimeDelta::seconds(1), "{seed}: {last}");
        let quiet = until - *last;
        assert!(quiet < TimeDelta::days(14), "{seed}: {last}");
    }
}

fn moments(repository: &Repository) -> Vec<DateTime<Utc>> {
    let mut moments = Vec::new();
    for request in repository.pull_requests.values() {
        moments.extend(request.activity.iter().map(|entry| entry.date));
        moments.extend(request.commits.iter().map(|commit| commit.date));
    }
    for pipeline in repository.pipelines(DateTime::UNIX_EPOCH) {
        moments.extend(
            [Some(pipeline.created_on), pipeline.completed_on]
                .iter()
                .flatten(),
        );
        for step in pipeline.steps() {
            moments.extend([step.started_on, step.completed_on].iter().flatten());
        }
    }
    for issue in repository.issues.values() {
        moments.extend([issue.created_on, issue.updated_on]);
    }
    moments
}

#[test]
fn everything_that_happens_in_companies_happens_in_it() {
    let world = Company::new(7, evening()).world();
    let now = world.now();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut note = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
    for repository in world.repositories() {
        for request in repository.pull_requests.values() {
            note(request.state.name());
            for (word, kind) in [("hotfix/", "hotfix"), ("revert/", "revert")] {
                if request.source_branch.starts_with(word) && request.state == State::Merged {
                    note(kind);
                }
            }
        }
        for commit in &repository.main {
            note(if commit.merged.is_some() {
                "merge commit"
            } else {
                "commit"
            });
        }
        for pipeline in repository.pipelines(now) {
            note(if pipeline.failed {
                "failing pipeline"
            } else {
                "pipeline"
            });
        }
        for deployment in repository.deployments(now) {
            let (name, ..) = repository.environments()[deployment.environment];
            note(&format!(
                "{name} {}",
                deployment.state.1.unwrap_or("under way")
            ));
        }
        repository.tags.keys().for_each(|_| note("tag"));
        for issue in repository.issues.values() {
            note(issue.kind);
            note(issue.state);
        }
    }
    let names: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    for expected in [
        "OPEN",
        "MERGED",
        "DECLINED",
        "hotfix",
        "revert",
        "merge commit",
        "commit",
        "failing pipeline",
        "pipeline",
        "Staging SUCCESSFUL",
        "Staging FAILED",
        "Production SUCCESSFUL",
        "Production FAILED",
        "live-eu SUCCESSFUL",
        "tag",
        "bug",
        "enhancement",
        "proposal",
        "task",
        "new",
        "open",
        "resolved",
    ] {
        assert!(names.contains(expected), "no {expected}: {seen:#?}");
    }
    println!("{seen:#?}");
}
