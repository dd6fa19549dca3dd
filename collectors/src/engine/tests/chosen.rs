//! Lists of parents of which the rules of a scope want some alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_domain::rules::Steps;
use headwater_domain::tool::bitbucket::deployment::Deployments;
use headwater_domain::tool::bitbucket::pipeline::Pipelines;
use headwater_domain::tool::bitbucket::pipeline_step::PipelineSteps;
use regex::Regex;

use super::*;

/// Three pipelines that have ended: `{a}` and `{b}` of branches, `{c}` started by its name.
const PIPELINES: &str = r#"{"values": [
    {"uuid": "{c}", "created_on": "2026-03-03T10:00:00Z", "completed_on": "2026-03-03T10:05:00Z",
     "target": {"ref_name": "main", "selector": {"type": "custom", "pattern": "ship-it"}}},
    {"uuid": "{b}", "created_on": "2026-03-02T10:00:00Z", "completed_on": "2026-03-02T10:05:00Z",
     "target": {"ref_name": "release/1"}},
    {"uuid": "{a}", "created_on": "2026-03-01T10:00:00Z", "completed_on": "2026-03-01T10:05:00Z",
     "target": {"source": "topic"}}]}"#;

fn deployments(named: &[(&str, &str)]) -> Option<Vec<u8>> {
    let deployment = |(uuid, pipeline): &(&str, &str)| {
        format!(
            r#"{{"uuid": "{{{uuid}}}", "state": {{"name": "COMPLETED"}}, "release":
               {{"created_on": "2026-03-01T10:05:00Z", "pipeline": {{"uuid": "{{{pipeline}}}"}}}}}}"#
        )
    };
    let values: Vec<String> = named.iter().map(deployment).collect();
    ok(&format!(r#"{{"values": [{}]}}"#, values.join(",")))
}

/// A lake beside these pipelines, and the place of the list of deployments that is served.
async fn built(steps: Steps) -> (SmallServer, Lake, Arc<AtomicUsize>) {
    let phase = Arc::new(AtomicUsize::new(0));
    let serving = Arc::clone(&phase);
    let server = SmallServer::start(move |_, target| {
        if target.contains("/steps/") {
            return ok(r#"{"values": [{"uuid": "{s}"}]}"#);
        }
        if target.to_lowercase().contains("/deployments/%7b") {
            return answer(404, &[], b"");
        }
        if target.contains("/deployments/") {
            return match serving.load(Ordering::SeqCst) {
                0 => deployments(&[("1", "a")]),
                1 => deployments(&[("1", "a"), ("2", "b")]),
                _ => deployments(&[("2", "b")]),
            };
        }
        ok(PIPELINES)
    })
    .await;
    let mut lake = Lake::beside(&server).await;
    lake.rules.steps = steps;
    (server, lake, phase)
}

/// The pipelines of which steps are stored.
async fn with_steps(lake: &Lake) -> Vec<String> {
    let rows = lake.rows::<PipelineSteps>().await;
    rows.into_iter().map(|row| row.parent).collect()
}

async fn sync(lake: &Lake) -> Collected {
    lake.collect::<Pipelines>().await.unwrap();
    lake.collect_all::<Deployments>().await.unwrap();
    lake.collect::<PipelineSteps>().await.unwrap()
}

#[tokio::test]
async fn steps_follow_deployments_that_come_and_go_although_their_pipelines_stay_the_same() {
    let (_server, lake, phase) = built(Steps::Deployments).await;
    let first = sync(&lake).await;
    assert_eq!((first.requests, first.items, first.removed), (1, 1, 0));
    assert_eq!(with_steps(&lake).await, ["{a}"]);

    let again = sync(&lake).await;
    assert_eq!((again.requests, again.removed), (0, 0), "nothing changed");

    phase.store(1, Ordering::SeqCst);
    let more = sync(&lake).await;
    assert_eq!((more.requests, more.items, more.removed), (1, 1, 0));
    assert_eq!(with_steps(&lake).await, ["{a}", "{b}"]);

    phase.store(2, Ordering::SeqCst);
    let less = sync(&lake).await;
    assert_eq!((less.requests, less.removed), (0, 1));
    assert_eq!(with_steps(&lake).await, ["{b}"]);
}

#[tokio::test]
async fn another_rule_reads_what_is_missing_and_removes_what_is_wanted_no_more() {
    let (_server, mut lake, _) = built(Steps::Deployments).await;
    sync(&lake).await;
    let pattern = |text: &str| Some(Regex::new(text).unwrap());
    for (steps, deployment, deployment_ref, requests, removed, expected) in [
        (Steps::Matching, None, pattern("^release/"), 1, 0, "{a} {b}"),
        (Steps::Matching, pattern("^ship-"), None, 1, 1, "{a} {c}"),
        (Steps::Matching, pattern("^topic$"), None, 0, 1, "{a}"),
        (Steps::All, None, None, 2, 0, "{a} {b} {c}"),
        (Steps::Deployments, None, None, 0, 2, "{a}"),
    ] {
        lake.rules.steps = steps;
        lake.rules.deployment_pattern = deployment;
        lake.rules.deployment_ref_pattern = deployment_ref;
        let done = sync(&lake).await;
        let mut found = with_steps(&lake).await;
        found.sort();
        assert_eq!(found.join(" "), expected, "{steps:?}");
        assert_eq!(
            (done.requests, done.removed),
            (requests, removed),
            "{steps:?}"
        );
    }
}

#[tokio::test]
async fn lists_that_are_wanted_are_counted_before_they_are_read() {
    let (_server, mut lake, phase) = built(Steps::Deployments).await;
    let steps = Collection::of::<PipelineSteps>();
    lake.collect::<Pipelines>().await.unwrap();
    lake.collect_all::<Deployments>().await.unwrap();
    let count = |lake: &Lake, all| {
        let (store, scope, rules) = (lake.store.clone(), lake.scope.clone(), lake.rules.clone());
        let steps = steps.clone();
        async move {
            let counted = crate::chosen_lists((&store, &scope), &steps, &rules, all).await;
            counted.unwrap()
        }
    };
    assert_eq!(count(&lake, false).await, Some(1));
    lake.collect::<PipelineSteps>().await.unwrap();
    assert_eq!(count(&lake, false).await, Some(0));
    assert_eq!(count(&lake, true).await, Some(1));
    phase.store(1, Ordering::SeqCst);
    lake.collect_all::<Deployments>().await.unwrap();
    assert_eq!(count(&lake, false).await, Some(1));
    lake.rules.steps = Steps::All;
    assert_eq!(count(&lake, false).await, None, "of all pipelines");
}

#[tokio::test]
async fn a_failure_of_a_pipeline_that_is_wanted_no_more_is_settled() {
    let (_server, mut lake, _) = built(Steps::All).await;
    let letter = |pipeline: &str| DeadLetter {
        stage: "collect".to_owned(),
        stream: PipelineSteps::NAME.to_owned(),
        item: format!("{pipeline}/"),
        raw_id: None,
        path: "HTTP 500".to_owned(),
        message: "the server failed".to_owned(),
    };
    lake.collect::<Pipelines>().await.unwrap();
    let page = lake.store.begin(&lake.scope, now()).await.unwrap();
    page.record_letters(&[letter("{b}")]).await.unwrap();
    page.commit().await.unwrap();
    lake.rules.steps = Steps::Deployments;
    sync(&lake).await;
    assert_eq!(lake.store.dead_letter_count(&lake.scope).await.unwrap(), 0);
}

#[tokio::test]
async fn steps_of_the_newest_pipelines_are_read_first() {
    let pipelines: Vec<String> = (10..30)
        .map(|day| {
            format!(
                r#"{{"uuid": "{{p{day}}}", "created_on": "2026-03-{day}T10:00:00Z",
                   "completed_on": "2026-03-{day}T10:05:00Z"}}"#
            )
        })
        .collect();
    let list = format!(r#"{{"values": [{}]}}"#, pipelines.join(","));
    let server = SmallServer::start(move |_, target| {
        if target.contains("/steps/") {
            ok(r#"{"values": []}"#)
        } else {
            ok(&list)
        }
    })
    .await;
    let lake = Lake::beside(&server).await;
    lake.collect::<Pipelines>().await.unwrap();
    let asked = server.requests().len();
    lake.collect::<PipelineSteps>().await.unwrap();
    let targets = server.targets()[asked..].join(" ");
    let place = |day: u32| targets.find(&format!("p{day}%7")).unwrap();
    // A few are asked for at the same time.
    assert!(place(29) < place(20), "{targets}");
    assert!(place(24) < place(12), "{targets}");
}
