//! The commits in the ranges of tags and deployments: the tables, `tags` and `diff`.

mod histories;

use headwater_simulator::{GitChange, Simulator};
use serde_json::Value;

use crate::lake::{How, Lake, ended_output};
use crate::rules::{company, synced, under};

const RULES: &str = "tags_pattern = \"^(v|night)\"";

fn change(simulator: &Simulator, change: &GitChange) {
    let slug = simulator.world().repositories()[0].slug.clone();
    simulator.world().change_git(&slug, change).unwrap();
}

fn push(simulator: &Simulator, count: usize) {
    change(simulator, &GitChange::Push { count });
}

fn tag(simulator: &Simulator, name: &str) {
    let name = name.to_owned();
    change(
        simulator,
        &GitChange::Tag {
            name,
            annotated: true,
        },
    );
}

/// A company of which one repository has released.
async fn released() -> (Simulator, String) {
    let simulator = company().await;
    tag(&simulator, "v1.0.0");
    push(&simulator, 3);
    tag(&simulator, "v1.1.0-rc1");
    push(&simulator, 2);
    tag(&simulator, "v1.1.0");
    tag(&simulator, "nightly");
    push(&simulator, 1);
    let slug = simulator.world().repositories()[0].slug.clone();
    (simulator, format!("acme/{slug}"))
}

fn printed(lake: &Lake, arguments: &[&str]) -> String {
    let output = lake.start(arguments).wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(lake: &Lake, arguments: &[&str]) -> String {
    let output = lake.start(arguments).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn parsed(lake: &Lake, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(lake, arguments)).unwrap()
}

/// The newest commits of the main branch, after some that are newer still.
fn newest(simulator: &Simulator, skipped: usize, count: usize) -> Vec<String> {
    let world = simulator.world();
    let main = &world.repositories()[0].main;
    let commits = main.iter().rev().skip(skipped).take(count);
    commits.map(|commit| commit.hash.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_listed_by_version_with_what_they_are_compared_with() {
    let (simulator, scope) = released().await;
    let lake = synced(&simulator, RULES).await;
    let rows = parsed(&lake, &["tags", &scope, "--format", "json"]);
    let cell = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let shown: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let commits = row["commits"]
                .as_i64()
                .map_or("-".to_owned(), |n| n.to_string());
            let old = cell(row, "compared_with");
            format!(
                "{} {} {old} {} {commits}",
                row["place"],
                cell(row, "tag"),
                cell(row, "state")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 v1.1.0 v1.1.0-rc1 complete 2",
            "2 v1.1.0-rc1 v1.0.0 complete 3",
            "3 v1.0.0 - - -",
            "null nightly - - -",
        ]
    );
    let reason = rows[3]["left_out_because"].as_str().unwrap();
    assert!(reason.contains("does not begin with a number"), "{reason}");
    let table = printed(&lake, &["tags", &scope]);
    assert_eq!(table.lines().count(), 5, "{table}");
    let csv = printed(
        &lake,
        &["tags", &format!("acme-cloud:{scope}"), "--format", "csv"],
    );
    assert!(csv.starts_with("place,tag,version,commit,"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_lists_its_commits_in_order_by_names_and_by_hashes() {
    let (simulator, scope) = released().await;
    let lake = synced(&simulator, RULES).await;
    let expected = newest(&simulator, 1, 5);
    let short = &newest(&simulator, 1, 1)[0][..9];
    let ranges = ["v1.0.0..v1.1.0", &format!("v1.0.0..{short}")];
    for range in ranges {
        let found = parsed(&lake, &["diff", &scope, range, "--format", "json"]);
        assert_eq!(found["commits"], Value::from(expected.clone()), "{range}");
        assert_eq!(found["complete"], true);
        let authors = found["authors"].as_array().unwrap().iter();
        let commits: i64 = authors
            .map(|author| author["commits"].as_i64().unwrap())
            .sum();
        assert_eq!(commits, 5, "{range}");
    }
    let stored = "SELECT COUNT(*) FROM commits_diffs WHERE sorting_index = 1 AND commit_sha = ";
    let stored = format!("{stored}'{}'", expected[0]);
    assert_eq!(
        lake.number(&stored).await,
        1,
        "stored for v1.1.0-rc1..v1.1.0"
    );
    let back = parsed(
        &lake,
        &["diff", &scope, "v1.1.0..v1.0.0", "--format", "json"],
    );
    assert_eq!(back["commits"], Value::Array(Vec::new()));
    let notes = printed(
        &lake,
        &["diff", &scope, "v1.0.0..v1.1.0", "--format", "markdown"],
    );
    assert!(
        notes.starts_with("# v1.1.0\n\n5 commits since v1.0.0."),
        "{notes}"
    );
    let table = printed(&lake, &["diff", &scope, "v1.0.0..main"]);
    assert!(table.contains("author"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_brings_the_pull_requests_that_it_merged() {
    let (simulator, scope) = released().await;
    let lake = synced(&simulator, RULES).await;
    let first = simulator.world().repositories()[0].main[0].hash.to_string();
    let range = format!("{first}..main");
    let found = parsed(&lake, &["diff", &scope, &range, "--format", "json"]);
    let merged = "SELECT COUNT(*) FROM pull_requests WHERE status = 'MERGED' AND base_repo_id = ";
    let merged = format!("{merged}'bitbucket:BitbucketRepo:1:{scope}'");
    let listed = found["pull_requests"].as_array().unwrap().len();
    assert!(listed > 0);
    assert!(listed <= lake.number(&merged).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_nothing_is_refused_with_a_sentence() {
    let (simulator, scope) = released().await;
    let lake = synced(&simulator, RULES).await;
    for (arguments, says) in [
        (vec!["diff", &scope, "v1.0.0"], "write OLD..NEW"),
        (
            vec!["diff", &scope, "v1.0.0..v9"],
            "has no tag, branch or commit v9",
        ),
        (
            vec!["diff", &scope, "--format=json", "--", "-v..v1.0.0"],
            "commit -v",
        ),
        (
            vec!["diff", "acme/nothing", "a..b"],
            "no such repository here",
        ),
        (vec!["diff", "acme/*", "a..b"], "means several repositories"),
        (vec!["tags", "acme"], "acme"),
    ] {
        let message = refused(&lake, &arguments);
        assert!(message.contains(says), "{arguments:?}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rules_and_moved_tags_give_what_a_first_sync_gives() {
    let (simulator, scope) = released().await;
    let mut lake = synced(&simulator, RULES).await;
    for rules in [
        "tags_pattern = \"^v\"\ntags_limit = 1",
        "tags_pattern = \"^v1.1\"\ntag_pairs = [[\"v1.0.0\", \"main\"]]",
        "",
        "tags_pattern = \".\"\ntags_order = \"alphabetically\"",
    ] {
        let fresh = synced(&simulator, rules).await;
        assert!(!lake.differences(&fresh).await.is_empty(), "{rules}");
        let requests = simulator.request_count();
        lake.configure(&under(&simulator, rules));
        ended_output(lake.start(&["transform"]));
        assert_eq!(simulator.request_count(), requests, "no request");
        assert_eq!(lake.differences(&fresh).await, [], "{rules}");
    }
    change(
        &simulator,
        &GitChange::DeleteTag {
            name: "v1.1.0-rc1".to_owned(),
        },
    );
    tag(&simulator, "nightly");
    change(&simulator, &GitChange::ForcePush { drop: 1, count: 2 });
    tag(&simulator, "v1.2.0");
    lake.sync(How::default()).await;
    let fresh = synced(
        &simulator,
        "tags_pattern = \".\"\ntags_order = \"alphabetically\"",
    )
    .await;
    assert_eq!(lake.differences(&fresh).await, []);
    let old = format!("SELECT COUNT(*) FROM ref_commits WHERE new_ref_id LIKE '%{scope}%'");
    assert_eq!(lake.number(&old).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_follow_each_other_and_an_unchanged_repository_is_left_alone() {
    let (simulator, _) = released().await;
    let lake = synced(&simulator, "deployment_pattern = \"(?i)deploy\"").await;
    let chained = "SELECT COUNT(*) FROM cicd_deployment_commits \
                   WHERE prev_success_deployment_commit_id <> ''";
    let pairs = "SELECT COUNT(*) FROM commits_diff_pairs WHERE kind = 'DEPLOYMENT'";
    let count = lake.number(chained).await;
    assert!(count > 0, "the company deploys");
    assert_eq!(lake.number(pairs).await, count);
    let (_, summary) = lake.sync(How::default()).await;
    assert_eq!((summary.written, summary.removed), (0, 0), "{summary:?}");
}
