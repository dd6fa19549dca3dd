//! The questions of docs/sql.md and the examples, asked of one company in three databases.

use std::path::Path;

use headwater::exit::Exit;
use headwater_store::query::Cell;
use headwater_testing::On::{MariaDb, Postgres, Sqlite};

use crate::documents::examples::examples;
use crate::lake::{ALL, How, Lake, configuration};

/// Questions of the document.
const QUESTIONS: usize = 20;

/// When a list was last read: another time in each database.
const READ_AT: &str = "succeeded_at";

/// The headings of the document that ask something, each with its query.
fn questions() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sql.md");
    let text = std::fs::read_to_string(path).unwrap();
    let sections = text.split("\n### ").skip(1);
    sections
        .map(|section| {
            let (heading, rest) = section.split_once('\n').unwrap();
            let query = rest.split("```sql\n").nth(1).unwrap();
            let (query, _) = query.split_once("```").unwrap();
            (heading.to_owned(), query.to_owned())
        })
        .collect()
}

/// Whole numbers are the same number, however a database calls their type.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// What a project's numbers are made of, in SQL that all databases read.
const MEASURED: [&str; 10] = [
    "INSERT INTO projects (name) VALUES ('shop')",
    "INSERT INTO project_mapping SELECT 'shop', 'cicd_scopes', id, '', '', 0, '', created_date, \
     created_date FROM cicd_scopes",
    "INSERT INTO incidents (id, incident_key, created_date, resolution_date, lead_time_minutes) \
     SELECT id, issue_key, created_date, COALESCE(resolution_date, updated_date), \
     lead_time_minutes FROM issues WHERE type = 'INCIDENT'",
    "INSERT INTO project_deployments (id, project_name, finished_date, result, failed, \
     failure_known, rework) SELECT cicd_deployment_id, 'shop', MAX(finished_date), 'SUCCESS', \
     FALSE, TRUE, FALSE FROM cicd_deployment_commits WHERE environment = 'PRODUCTION' \
     AND result = 'SUCCESS' GROUP BY cicd_deployment_id",
    "INSERT INTO project_incident_deployment_relationships (id, project_name, deployment_id, \
     method, confidence) SELECT incidents.id, 'shop', first.id, 'PROJECT', 0.3 FROM incidents, \
     (SELECT MIN(id) AS id FROM project_deployments) AS first WHERE incidents.incident_key < '5'",
    "INSERT INTO unlinked_incidents (id, project_name, reason) SELECT id, 'shop', \
     'NO_EARLIER_DEPLOYMENT' FROM incidents WHERE incident_key >= '5'",
    "UPDATE project_deployments SET failed = TRUE, rework = TRUE WHERE id IN (SELECT \
     deployment_id FROM project_incident_deployment_relationships)",
    "INSERT INTO project_recoveries (deployment_id, project_name, incident_id, recovered_date) \
     SELECT id, 'shop', '', finished_date FROM project_deployments WHERE failed",
    "INSERT INTO project_pr_metrics (id, project_name, pr_coding_time, pr_pickup_time, \
     pr_cycle_time, pr_cycle_sec, pr_merged_date, pr_deployed_date, reason) SELECT id, 'shop', \
     pull_request_key, 700 * pull_request_key, 900 * pull_request_key, 54000 * pull_request_key, \
     merged_date, merged_date, '' FROM pull_requests WHERE merged_date IS NOT NULL",
    "UPDATE project_pr_metrics SET pr_deployed_date = NULL, pr_pickup_time = NULL, \
     reason = 'NOT_DEPLOYED' WHERE pr_coding_time < 9",
];

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_examples_have_the_same_answers_on_every_database() {
    let simulator = crate::rules::company().await;
    let rules =
        "[scope_config.default]\nissue_type.INCIDENT = [\"bug\", \"task\", \"enhancement\"]\n";
    let text = format!("{}\n{rules}", configuration(&simulator.endpoint(), ALL));
    let mut questions = questions();
    assert_eq!(questions.len(), QUESTIONS);
    questions.extend(examples().into_iter().map(|it| (it.name, it.sql)));
    let mut expected: Vec<Vec<String>> = Vec::new();
    for on in [Sqlite, Postgres, MariaDb] {
        let Some(lake) = Lake::with(on, &text).await else {
            continue;
        };
        let (exit, _) = lake.sync(How::default()).await;
        assert_eq!(exit, Exit::Ok);
        for statement in MEASURED {
            lake.execute(statement).await;
        }
        let mut answers = Vec::new();
        for (place, (heading, query)) in questions.iter().enumerate() {
            let answer = lake.ask(query).await;
            // Of examples, the demo's company has rows for all.
            let has_rows = !answer.rows.is_empty();
            assert!(has_rows || place >= QUESTIONS, "{on:?}: {heading}");
            let rows = answer.rows.iter().map(|row| {
                let cells: Vec<String> = row.iter().map(shown).collect();
                cells.join(" ")
            });
            if query.contains(READ_AT) {
                answers.push(vec![rows.count().to_string()]);
            } else {
                answers.push(rows.collect::<Vec<String>>());
            }
        }
        if expected.is_empty() {
            expected = answers;
            continue;
        }
        for ((answer, expected), (heading, _)) in answers.iter().zip(&expected).zip(&questions) {
            assert_eq!(answer, expected, "{on:?}: {heading}");
        }
    }
}
