//! Rules of a scope config: changing one and transforming, offline, is as good as collecting
//! everything again under the new one.

use headwater::exit::Exit;
use headwater_simulator::{Options, Simulator, Size};
use headwater_testing::On;
use rstest::rstest;

use crate::lake::{ALL, How, Lake, configuration, ended_output};

/// A company with issues, and enough merges for every kind of deployment.
pub(crate) async fn company() -> Simulator {
    let options = Options {
        size: Size {
            repositories: 2,
            pull_requests_per_repository: 24,
            ..Size::tiny()
        },
        trackers: Some(12),
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// A configuration with these lines below `[scope_config.default]`.
pub(crate) fn under(simulator: &Simulator, rules: &str) -> String {
    let connection = configuration(&simulator.endpoint(), ALL);
    format!("{connection}\n[scope_config.default]\n{rules}\n")
}

pub(crate) async fn synced(simulator: &Simulator, rules: &str) -> Lake {
    let lake = Lake::with(On::Sqlite, &under(simulator, rules)).await;
    let lake = lake.unwrap();
    let (exit, _) = lake.sync(How::default()).await;
    assert_eq!(exit, Exit::Ok, "{rules}");
    lake
}

/// One row a rule. Each differs from the row before it in what it makes of the company.
const RULES: [(&str, &str); 12] = [
    (
        "issue_status.todo",
        "issue_status.todo = [\"on hold\", \" Closed \"]",
    ),
    (
        "issue_status.in_progress",
        "issue_status.in_progress = [\"new\", \"resolved\"]",
    ),
    (
        "issue_status.done",
        "issue_status.done = [\"resolved\", \"open\"]",
    ),
    (
        "issue_status.other",
        "issue_status.done = [\"new\"]\nissue_status.other = [\"resolved\", \"open\"]",
    ),
    ("issue_type INCIDENT", "issue_type.INCIDENT = [\"bug\"]"),
    (
        "issue_type of a free type",
        "issue_type.INCIDENT = [\"bug\"]\nissue_type.CHORE = [\"task\"]",
    ),
    (
        "deployment_pattern",
        "deployment_pattern = \"^(Test|Build)$\"",
    ),
    (
        "production_pattern",
        "deployment_pattern = \"^(Test|Build)$\"\nproduction_pattern = \"nowhere\"",
    ),
    ("deployment_ref_pattern", "deployment_ref_pattern = \".\""),
    (
        "production_ref_pattern",
        "deployment_ref_pattern = \".\"\nproduction_ref_pattern = \"^main$\"",
    ),
    ("environments", "environments.\"prod-*\" = \"STAGING\""),
    ("no rules at all", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_rule_and_transform_without_network_equal_a_fresh_sync() {
    let simulator = company().await;
    let mut lake = synced(&simulator, "").await;
    for (rule, lines) in RULES {
        let fresh = synced(&simulator, lines).await;
        let before = lake.differences(&fresh).await;
        assert!(!before.is_empty(), "{rule} makes no difference here");
        let requests = simulator.request_count();
        lake.configure(&under(&simulator, lines));
        ended_output(lake.start(&["transform"]));
        assert_eq!(simulator.request_count(), requests, "{rule}: no request");
        let differences = lake.differences(&fresh).await;
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(
            shown.is_empty(),
            "{rule}: here: transformed, there: synced\n{shown:#?}"
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rules_are_followed_on_every_server(#[values(On::Postgres, On::MariaDb)] on: On) {
    let simulator = company().await;
    let Some(mut lake) = Lake::with(on, &under(&simulator, "")).await else {
        return;
    };
    lake.sync(How::default()).await;
    let rules = "deployment_pattern = \"^(Test|Build)$\"\nproduction_pattern = \"^Test$\"\n\
                 deployment_ref_pattern = \".\"\nenvironments.\"prod-*\" = \"STAGING\"\n\
                 issue_status.done = [\"new\"]\nissue_type.CHORE = [\"task\"]";
    lake.configure(&under(&simulator, rules));
    ended_output(lake.start(&["transform"]));
    let fresh = synced(&simulator, rules).await;
    let differences = lake.differences(&fresh).await;
    assert!(differences.is_empty(), "{differences:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_release_counts_once() {
    let simulator = company().await;
    let rules = "deployment_pattern = \"^(Test|Deploy.*)$\"\ndeployment_ref_pattern = \".\"";
    let lake = synced(&simulator, rules).await;
    let twice = "SELECT COUNT(*) FROM cicd_deployments made JOIN cicd_deployments told \
                 ON told.cicd_pipeline_id = made.id";
    assert_eq!(
        lake.number(twice).await,
        0,
        "made of a pipeline that Bitbucket tells of"
    );
    for (kind, condition) in [
        ("made", "subtask_name <> ''"),
        ("told", "subtask_name = ''"),
    ] {
        for table in ["cicd_deployments", "cicd_deployment_commits"] {
            let count = format!("SELECT COUNT(*) FROM {table} WHERE {condition}");
            assert!(lake.number(&count).await > 0, "{kind} {table}");
        }
    }
    let lost = "SELECT COUNT(*) FROM cicd_pipelines WHERE type = 'DEPLOYMENT' AND result <> '' \
                AND id NOT IN (SELECT id FROM cicd_deployments) \
                AND id NOT IN (SELECT cicd_pipeline_id FROM cicd_deployments)";
    assert_eq!(lake.number(lost).await, 0, "a release that does not count");
    let commits = "SELECT COUNT(*) FROM cicd_deployment_commits c JOIN cicd_deployments d \
                   ON d.id = c.cicd_deployment_id AND d.environment = c.environment";
    let all = lake.number("SELECT COUNT(*) FROM cicd_deployments").await;
    assert_eq!(lake.number(commits).await, all);
}

/// Columns of the tables of builds, and how many rows must say so.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_a_build_is_told_as_it_was() {
    let simulator = company().await;
    let lake = synced(&simulator, "").await;
    let skipped = "_tool_bitbucket_pipeline_steps s LEFT JOIN cicd_tasks t \
                   ON t.id = 'bitbucket:BitbucketPipelineStep:1:' || s.bitbucket_id";
    let told = "cicd_deployments";
    for (case, table, condition) in [
        (
            "skipped step",
            skipped,
            "s.result = 'NOT_RUN' AND t.id IS NULL",
        ),
        (
            "manual step never run",
            skipped,
            "s.state = 'PENDING' AND s.\"trigger\" LIKE '%manual' AND t.id IS NULL",
        ),
        (
            "manual deployment never run",
            told,
            "original_status = 'UNDEPLOYED' AND status = 'OTHER' AND result = '' \
             AND started_date IS NULL",
        ),
        (
            "deployment that failed",
            told,
            "original_result = 'FAILED' AND status = 'DONE' AND result = 'FAILURE'",
        ),
        (
            "two production environments, first",
            told,
            "original_environment = 'prod-eu' AND environment = 'PRODUCTION'",
        ),
        (
            "two production environments, second",
            told,
            "original_environment = 'prod-us' AND environment = 'PRODUCTION'",
        ),
        (
            "redeploy or rollback",
            "cicd_deployments d JOIN cicd_deployments e ON e.cicd_pipeline_id = \
             d.cicd_pipeline_id AND e.original_environment = d.original_environment",
            "d.id < e.id AND d.finished_date <> e.finished_date",
        ),
        (
            "rollback: an older release after a newer one",
            "cicd_deployments older JOIN cicd_deployments newer \
             ON older.cicd_scope_id = newer.cicd_scope_id \
             AND older.original_environment = newer.original_environment",
            "older.created_date < newer.created_date \
             AND older.finished_date > newer.finished_date",
        ),
        (
            "empty rules: a step is a deployment by what it deployed only",
            "cicd_tasks",
            "type = 'DEPLOYMENT' AND name LIKE 'Deploy%'",
        ),
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {condition}");
        assert!(lake.number(&sql).await > 0, "{case}");
    }
    for (case, table, condition) in [
        ("empty rules: no pipeline", "cicd_pipelines", "type <> ''"),
        (
            "empty rules: no other step",
            "cicd_tasks",
            "type <> '' AND name NOT LIKE 'Deploy%'",
        ),
        (
            "empty rules: none is made",
            "cicd_deployments",
            "subtask_name <> ''",
        ),
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {condition}");
        assert_eq!(lake.number(&sql).await, 0, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_told_later_takes_the_place_of_its_pipeline() {
    let simulator = company().await;
    let rules = "deployment_ref_pattern = \".\"";
    let lake = Lake::with(On::Sqlite, &under(&simulator, rules)).await;
    let lake = lake.unwrap();
    let made = "SELECT COUNT(*) FROM cicd_deployments WHERE subtask_name <> ''";
    ended_output(lake.start(&["sync", "--skip", "deployments"]));
    let pipelines = "SELECT COUNT(*) FROM cicd_pipelines WHERE result <> ''";
    let all = lake.number(pipelines).await;
    assert_eq!(lake.number(made).await, all, "nothing else is known yet");
    lake.sync(How::default()).await;
    let told = "SELECT COUNT(DISTINCT cicd_pipeline_id) FROM cicd_deployments \
                WHERE subtask_name = ''";
    assert_eq!(lake.number(made).await + lake.number(told).await, all);
    let fresh = synced(&simulator, rules).await;
    let differences = lake.differences(&fresh).await;
    assert!(differences.is_empty(), "{differences:?}");
}
