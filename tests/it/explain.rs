//! `explain`: what it says is what the tables say.

use std::process::Output;

use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::lake::{How, Lake};
use crate::rules::{company, synced, under};

const RULES: &str = "deployment_pattern = \"^(Test|Deploy.*)$\"\nproduction_pattern = \"eu$\"\n\
                     deployment_ref_pattern = \"^[a-m]\"\nenvironments.\"prod-us\" = \"STAGING\"\n\
                     issue_type.INCIDENT = [\"bug\"]";

fn run(lake: &Lake, arguments: &[&str]) -> Output {
    lake.start(arguments).wait_with_output().unwrap()
}

fn explained(lake: &Lake, kind: &str, id: &str) -> Vec<Value> {
    let output = run(lake, &["explain", kind, id, "--format", "json"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{id}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What came of the rules about a column.
fn verdict(lines: &[Value], of: &str, column: &str) -> String {
    let mut lines = lines.iter();
    let found = lines
        .find(|line| line["of"] == of && line["decides"] == column && line["rule"] == "verdict");
    found.map_or_else(String::new, |line| {
        line["gives"].as_str().unwrap().to_owned()
    })
}

async fn texts(lake: &Lake, sql: &str) -> Vec<Vec<String>> {
    let answer = lake.ask(sql).await;
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let rows = answer.rows.iter();
    rows.map(|row| row.iter().map(text).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_explained_is_what_the_tables_say() {
    let simulator = company().await;
    let lake = synced(&simulator, RULES).await;
    for (kind, of, columns, sql) in [
        (
            "task",
            "task",
            &["type", "environment", "result", "status"][..],
            "SELECT MIN(id), type, environment, result, status FROM cicd_tasks \
             GROUP BY type, environment, result, status",
        ),
        (
            "deployment",
            "deployment",
            &["environment", "result", "status"],
            "SELECT MIN(id), environment, result, status FROM cicd_deployments \
             WHERE subtask_name = '' GROUP BY original_environment, result, status, environment",
        ),
        (
            "deployment",
            "deployment",
            &["environment", "result"],
            "SELECT MIN(id), environment, result FROM cicd_deployments \
             WHERE subtask_name <> '' GROUP BY environment, result",
        ),
        (
            "issue",
            "issue",
            &["type", "status"],
            "SELECT MIN(id), type, status FROM issues GROUP BY type, status",
        ),
    ] {
        let rows = texts(&lake, sql).await;
        assert!(!rows.is_empty(), "{sql}");
        for row in rows {
            let lines = explained(&lake, kind, &row[0]);
            for (column, expected) in columns.iter().zip(&row[1..]) {
                assert_eq!(
                    verdict(&lines, of, column),
                    *expected,
                    "{}: {column}",
                    row[0]
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_patterns_are_told_and_a_step_that_never_started_too() {
    let simulator = company().await;
    let lake = synced(&simulator, RULES).await;
    let skipped = "SELECT 'bitbucket:BitbucketPipelineStep:1:' || bitbucket_id \
                   FROM _tool_bitbucket_pipeline_steps WHERE result = 'NOT_RUN' LIMIT 1";
    let id = &texts(&lake, skipped).await[0][0];
    let lines = explained(&lake, "task", id);
    assert_eq!(lines[0]["because"], "never started, so no task");
    assert_eq!(lines[0]["gives"], "");
    let look = |rule: &str| lines.iter().find(|line| line["rule"] == rule).unwrap();
    assert!(
        look("deployment_pattern")["text"]
            .as_str()
            .unwrap()
            .starts_with("Deploy")
    );
    assert_eq!(look("deployment_pattern")["matches"], "yes");
    assert_eq!(
        look("deployment_ref_pattern")["looked_at"],
        "ref of the pipeline"
    );
    let table = run(&lake, &["explain", "task", id]);
    let text = String::from_utf8(table.stdout).unwrap();
    assert!(text.contains("^(Test|Deploy.*)$ matches"), "{text}");
    let csv = run(&lake, &["explain", "task", id, "--format", "csv"]);
    assert!(
        String::from_utf8(csv.stdout)
            .unwrap()
            .starts_with("of,decides,rule,")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_refused_with_advice() {
    let simulator = company().await;
    let lake = synced(&simulator, "").await;
    for (kind, id, said) in [
        (
            "task",
            "bitbucket:BitbucketPipelineStep:1:{nobody}",
            "there is no",
        ),
        (
            "issue",
            "bitbucket:BitbucketIssue:1:acme/nowhere:1",
            "SELECT id FROM issues",
        ),
        (
            "issue",
            "bitbucket:BitbucketDeployment:1:{x}",
            "explain deployment",
        ),
        ("deployment", "7", "explain --help"),
    ] {
        let output = run(&lake, &["explain", kind, id]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{id}: {errors}");
        assert!(errors.contains(said), "{id}: {errors}");
        assert!(output.stdout.is_empty());
    }
    let help = run(&lake, &["explain", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("bitbucket:BitbucketPipelineStep:1:{uuid}"),
        "{help}"
    );
}

/// A pull request that is deployed, with its number, repository and page.
const DEPLOYED: &str = "SELECT requests.id, repos.name, CAST(requests.pull_request_key AS CHAR(9)), \
                        requests.url FROM project_pr_metrics AS times \
                        JOIN pull_requests AS requests ON requests.id = times.id \
                        JOIN repos ON repos.id = requests.base_repo_id \
                        WHERE times.deployment_commit_id <> '' ORDER BY requests.id LIMIT 1";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_a_project_are_explained_by_the_rows_that_they_count(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = company().await;
    let rules = "issue_type.INCIDENT = [\"bug\", \"task\"]\n[[project]]\nname = \"shop\"\n\
                 scopes = [\"acme-cloud:acme/*\"]\n";
    let Some(lake) = Lake::with(on, &under(&simulator, rules)).await else {
        return;
    };
    lake.sync(How::default()).await;
    assert_eq!(
        run(&lake, &["metrics", "refresh"]).status.code(),
        Some(0),
        "metrics refresh"
    );
    let found = texts(&lake, DEPLOYED).await.remove(0);
    let named = format!("{}#{}", found[1], found[2].trim());
    let by_id = explained(&lake, "pr", &found[0]);
    assert_eq!(explained(&lake, "pr", &named), by_id, "{named}");
    assert_eq!(explained(&lake, "pr", &found[3]), by_id, "{}", found[3]);
    let page = named.replace('#', "/pull-requests/");
    let page = format!("https://bitbucket.org/{page}/diff");
    assert_eq!(explained(&lake, "pr", &page), by_id, "{page}");
    let alone = run(&lake, &["--json", "explain", &page]);
    assert_eq!(
        serde_json::from_slice::<Vec<Value>>(&alone.stdout).unwrap(),
        by_id
    );
    let deployed = by_id.iter().find(|line| line["decides"] == "deployed");
    assert_eq!(deployed.unwrap()["rule"], "project shop");
    assert_eq!(deployed.unwrap()["matches"], "yes");
    let incident = texts(&lake, "SELECT id FROM incidents ORDER BY id LIMIT 1").await;
    let causes = explained(&lake, "incident", &incident[0][0]);
    assert!(causes.iter().any(|line| line["decides"] == "cause"));
    let deployment = "SELECT id FROM project_deployments ORDER BY id LIMIT 1";
    let deployment = texts(&lake, deployment).await;
    let chain = explained(&lake, "deployment", &deployment[0][0]);
    assert!(chain.iter().any(|line| line["decides"] == "repairs"));

    let days = ["--from", "2026-01-01", "--to", "2027-01-01"];
    let arguments = [&["metrics", "dora", "shop", "--format", "json"][..], &days].concat();
    let report: Value = serde_json::from_slice(&run(&lake, &arguments).stdout).unwrap();
    for metric in report["metrics"].as_array().unwrap() {
        let name = metric["metric"].as_str().unwrap();
        let arguments = [
            &["explain", "metric", "shop", name, "--format", "json"][..],
            &days,
        ];
        let output = run(&lake, &arguments.concat());
        let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
        for field in ["value", "samples", "reason"] {
            assert_eq!(explained[field], metric[field], "{name}: {field}");
        }
        let parts = explained["parts"].as_array().unwrap().len();
        assert_eq!(metric["samples"], parts, "{name}");
        assert_eq!(
            explained["reason"].is_null(),
            explained["change"].is_null(),
            "{name}"
        );
    }
    for wrong in [
        vec!["explain", "metric", "shop"],
        vec!["explain", "metric", "shop", "lead_tine"],
        vec!["explain", "metric", "nobody", "lead_time"],
        vec!["explain", "pr", "acme/nothing#1"],
        vec!["explain", "pr", "acme/nothing#1", "lead_time"],
        vec!["explain", "pr"],
        vec!["explain", "https://bitbucket.org/acme/rocket/src/main"],
    ] {
        let output = run(&lake, &wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

/// A step with its build: repository, number, name and UUID.
const STEP: &str = "SELECT builds.repo_id, CAST(builds.build_number AS CHAR(9)), steps.name, \
                    steps.bitbucket_id FROM _tool_bitbucket_pipeline_steps AS steps \
                    JOIN _tool_bitbucket_pipelines AS builds \
                    ON builds.connection_id = steps.connection_id \
                    AND builds.repo_id = steps.repo_id \
                    AND builds.bitbucket_id = steps.pipeline_id \
                    WHERE steps.name = 'Test' ORDER BY builds.repo_id, builds.build_number LIMIT 1";

/// A build of which no row says that it deployed.
const IDLE: &str = "SELECT builds.repo_id, CAST(MIN(builds.build_number) AS CHAR(9)) \
                    FROM _tool_bitbucket_pipelines AS builds WHERE builds.bitbucket_id NOT IN \
                    (SELECT belongs_to FROM _tool_bitbucket_deployments) \
                    GROUP BY builds.repo_id ORDER BY builds.repo_id LIMIT 1";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_named_by_its_build_and_a_build_that_deploys_nothing_is_explained(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = company().await;
    let rules = "deployment_pattern = \"^nothing$\"";
    let Some(lake) = Lake::with(on, &under(&simulator, rules)).await else {
        return;
    };
    lake.sync(How::default()).await;
    let step = texts(&lake, STEP).await.remove(0);
    let [repository, number, name, uuid] = step.as_slice() else {
        panic!("{step:?}")
    };
    let build = format!("{repository}#{}", number.trim());
    let by_id = format!("bitbucket:BitbucketPipelineStep:1:{uuid}");
    let by_id = explained(&lake, "task", &by_id);
    for named in [
        format!("{build}/{name}"),
        format!("{build}/{}", name.to_uppercase()),
        format!("{build}/{uuid}"),
    ] {
        assert_eq!(explained(&lake, "task", &named), by_id, "{named}");
    }
    let page = build.replace('#', "/pipelines/results/");
    let page = format!("https://bitbucket.org/{page}/steps/{uuid}");
    let alone = run(&lake, &["--json", "explain", &page]);
    let errors = String::from_utf8_lossy(&alone.stderr).into_owned();
    let alone: Vec<Value> = serde_json::from_slice(&alone.stdout).expect(&errors);
    assert_eq!(alone, by_id, "{page}");
    for (named, said) in [
        (build.clone(), format!("\"{build}/{name}\"")),
        (format!("{build}/Nothing"), format!("\"{build}/{name}\"")),
        (
            format!("{repository}#999999"),
            "no build here is".to_owned(),
        ),
    ] {
        let refused = run(&lake, &["explain", "task", &named]);
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{named}: {errors}");
        assert!(errors.contains(&said), "{named}: {errors}");
    }
    let idle = texts(&lake, IDLE).await.remove(0);
    let idle = format!("{}#{}", idle[0], idle[1].trim());
    let lines = explained(&lake, "deployment", &idle);
    let of_pattern = lines
        .iter()
        .find(|line| line["rule"] == "deployment_pattern");
    assert_eq!(of_pattern.unwrap()["matches"], "no", "{lines:?}");
}
