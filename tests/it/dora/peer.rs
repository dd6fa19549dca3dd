//! What Apache DevLake computes of the same rows.

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::beside;
use super::case::{Case, compare};

const PROJECT: &str = "[[project]]\nname = \"project1\"\nscopes = []\n";

/// Cells that differ on purpose, each with the number of its decision (docs/decisions/README.md):
/// what is said before a pull request is there, or after it is merged, is no review of it.
const EXCEPTIONS: [(&str, &str, u32); 10] = [
    ("pr3", "first_comment_date", 13),
    ("pr3", "first_review_id", 13),
    ("pr3", "pr_pickup_time", 13),
    ("pr3", "pr_review_time", 13),
    ("pr4", "first_comment_date", 13),
    ("pr4", "first_review_id", 13),
    ("pr4", "pr_pickup_time", 13),
    ("pr5", "first_comment_date", 13),
    ("pr5", "first_review_id", 13),
    ("pr5", "pr_review_time", 13),
];

/// The rows of a CSV file by their first column, in the form that the database gives.
fn expected(path: &std::path::Path) -> Map<String, Value> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cells = headers.iter().zip(record.iter());
        let row: Map<String, Value> = cells
            .map(|(name, cell)| (name.to_owned(), json!(cell)))
            .collect();
        (record[0].to_owned(), Value::Object(row))
    });
    rows.collect()
}

/// Numbers as text and no value as empty text, as CSV files have them.
fn as_text(rows: Map<String, Value>) -> Map<String, Value> {
    let text = |value: Value| match value {
        Value::Null => json!(""),
        Value::Number(number) => json!(number.to_string()),
        other => other,
    };
    let rows = rows.into_iter().map(|(id, row)| {
        let Value::Object(row) = row else {
            panic!("{row}");
        };
        let row = row.into_iter().map(|(name, value)| (name, text(value)));
        (id, Value::Object(row.collect()))
    });
    rows.collect()
}

fn differences(expected: &Map<String, Value>, given: &Map<String, Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    let ids: Vec<&String> = expected.keys().collect();
    assert_eq!(ids, given.keys().collect::<Vec<_>>());
    for (id, row) in expected {
        for (column, cell) in row.as_object().unwrap() {
            let is_exception = EXCEPTIONS
                .iter()
                .any(|(of, name, _)| of == id && name == column);
            if !is_exception {
                let place = format!("{id} {column}");
                compare(cell, &given[id][column], &place, &mut wrong);
            }
        }
    }
    wrong
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lead_times_are_those_of_the_peer(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(folder) = beside("oracle/dora/change_lead_time") else {
        return;
    };
    let Some(case) = Case::on(on, PROJECT).await else {
        return;
    };
    let result = "project_pr_metrics";
    case.fill_from(&folder, "", &[result]).await;
    case.refresh("project1");
    let sql = format!("SELECT * FROM {result} WHERE project_name = 'project1'");
    let given = as_text(case.rows(&sql).await);
    let wrong = differences(&expected(&folder.join("project_pr_metrics.csv")), &given);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deployments_of_pipelines_are_those_of_the_peer(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(folder) = beside("oracle/dora/deployment_generator") else {
        return;
    };
    let Some(case) = Case::on(on, PROJECT).await else {
        return;
    };
    let result = "cicd_deployment_commits";
    case.fill_from(&folder, "", &[result]).await;
    case.refresh("project1");
    let given = as_text(case.rows(&format!("SELECT * FROM {result}")).await);
    let wrong = differences(
        &expected(&folder.join("cicd_deployment_commits.csv")),
        &given,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let made = case
        .rows("SELECT id, subtask_name FROM cicd_deployments")
        .await;
    assert_eq!(made.len(), given.len());
}
