//! The cases of `../shared/oracle/dora_cases`, whose numbers were computed by hand.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::DateTime;
use headwater_metrics::{
    By, Edition, Explained, Measured, Metric, Moment, Range, Rules, explain, measure, percentile,
    report,
};
use serde_json::{Value, json};

use crate::case;

#[test]
fn hand_made_cases_give_the_numbers_that_were_computed_by_hand() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle/dora_cases");
    let Ok(folders) = std::fs::read_dir(&cases) else {
        println!("absent, and skipped: {}", cases.display());
        return;
    };
    let mut wrong = Vec::new();
    let mut checked = 0;
    for folder in folders
        .filter_map(|it| it.ok().map(|it| it.path()))
        .filter(|it| it.is_dir())
    {
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        for check in expected["checks"].as_array().unwrap() {
            checked += 1;
            let place = format!(
                "{} {}",
                folder.file_name().unwrap().display(),
                check["project"]
            );
            check_one(&folder, check, &place, &mut wrong);
        }
    }
    assert!(checked > 0, "no case in {}", cases.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check_one(folder: &Path, check: &Value, place: &str, wrong: &mut Vec<String>) {
    let text = |name: &str| check[name].as_str().unwrap();
    let facts = case::facts(folder, text("project"));
    let rules = Rules::default();
    let measured = measure(&facts, &rules);
    let day = |name: &str| text(name).parse().unwrap();
    let range = Range::new(day("from"), day("to"), rules.timezone).unwrap();
    let all = [
        By::Day,
        By::Week,
        By::Month,
        By::Quarter,
        By::Repository,
        By::Environment,
    ];
    let by = all.into_iter().find(|by| by.name() == text("by")).unwrap();
    let edition = match text("report") {
        "2021" => Edition::Report2021,
        _ => Edition::Report2023,
    };
    let given = report(&facts, &rules, &measured, &range, by, edition);
    for (name, expected) in check["metrics"].as_object().unwrap() {
        let mut metrics = given["metrics"].as_array().unwrap().iter();
        let metric = metrics.find(|it| it["metric"] == name.as_str()).unwrap();
        compare(expected, metric, &format!("{place} {name}"), wrong);
    }
    for metric in Metric::ALL {
        let explained = explain(&facts, &rules, &measured, &range, metric);
        parts_add_up(
            metric,
            &explained,
            &format!("{place} {}", metric.name()),
            wrong,
        );
    }
    if let Some(expected) = check.get("coverage") {
        compare(
            expected,
            &given["coverage"],
            &format!("{place} coverage"),
            wrong,
        );
    }
    let tables = check["tables"].as_object().into_iter().flatten();
    for (table, expected) in tables {
        let rows = rows_of(table, &measured);
        let ids: Vec<&String> = expected.as_object().unwrap().keys().collect();
        if ids != rows.keys().collect::<Vec<_>>() {
            wrong.push(format!(
                "{place} {table}: {ids:?} and not {:?}",
                rows.keys()
            ));
        }
        for (id, expected) in expected.as_object().unwrap() {
            let row = rows.get(id).unwrap_or(&Value::Null);
            compare(expected, row, &format!("{place} {table} {id}"), wrong);
        }
    }
}

/// The number follows from the rows that the explanation names, and from nothing else.
pub(crate) fn parts_add_up(
    metric: Metric,
    explained: &Explained,
    place: &str,
    wrong: &mut Vec<String>,
) {
    let Explained { answer, parts } = explained;
    let counted = parts.iter().filter(|part| part.is_counted).count();
    let mut minutes: Vec<i64> = parts.iter().filter_map(|part| part.minutes).collect();
    let median = percentile(&mut minutes, 50);
    let made = match metric {
        Metric::DeploymentFrequency => json!({"samples": parts.len()}),
        Metric::ChangeFailureRate => json!({"samples": parts.len(), "failures": counted}),
        Metric::ReworkRate => json!({"samples": parts.len(), "reworks": counted}),
        _ => json!({"samples": parts.len(), "value": median}),
    };
    compare(&made, answer, &format!("{place} explained"), wrong);
    if parts
        .iter()
        .any(|part| part.row.is_empty() || part.because.is_empty())
    {
        wrong.push(format!("{place}: a row without an id or a reason"));
    }
}

pub(crate) fn rows_of(table: &str, measured: &Measured) -> BTreeMap<String, Value> {
    match table {
        "project_pr_metrics" => measured
            .lead_times
            .iter()
            .map(|it| {
                let row = it.row.map(|row| measured.deployments.rows[row].id.clone());
                let row = json!({
                    "pr_coding_time": it.coding().0, "pr_coding_sec": it.coding().1,
                    "pr_pickup_time": it.pickup().0, "pr_pickup_sec": it.pickup().1,
                    "pr_review_time": it.review().0, "pr_review_sec": it.review().1,
                    "pr_deploy_time": it.deploy().0, "pr_deploy_sec": it.deploy().1,
                    "pr_cycle_time": it.cycle_minutes(), "pr_cycle_sec": it.cycle_seconds(),
                    "deployment_method": it.deployment_method,
                    "reason": it.reason.map_or("", |reason| reason.name()),
                    "deployment_commit_id": row.unwrap_or_default(),
                    "first_commit_sha": it.first_commit.clone().map_or(String::new(), |it| it.1),
                    "pr_deployed_date": it.deployed.map(written),
                    "first_comment_date": it.first_review.clone().map(|it| written(it.0)),
                    "first_review_id": it.first_review.clone().map_or(String::new(), |it| it.1),
                });
                (it.id.clone(), row)
            })
            .collect(),
        "project_incident_deployment_relationships" => measured
            .links
            .iter()
            .map(|it| {
                let confidence = f64::from(i32::try_from(it.confidence_tenths).unwrap()) / 10.0;
                let row = json!({
                    "deployment_id": it.deployment,
                    "method": it.method.name(),
                    "confidence": confidence,
                });
                (it.incident.clone(), row)
            })
            .collect(),
        other => panic!("{other}"),
    }
}

fn written(moment: Moment) -> String {
    let moment = DateTime::from_timestamp_millis(moment).unwrap();
    headwater_domain::timestamp::to_text(moment)
}

/// What is expected must be there; lists as a whole and in order.
pub(crate) fn compare(expected: &Value, given: &Value, place: &str, wrong: &mut Vec<String>) {
    match (expected, given) {
        (Value::Object(expected), _) => {
            for (name, expected) in expected {
                compare(expected, &given[name], &format!("{place}.{name}"), wrong);
            }
        }
        (Value::Array(expected), Value::Array(given)) if expected.len() == given.len() => {
            for (number, (expected, given)) in expected.iter().zip(given).enumerate() {
                compare(expected, given, &format!("{place}[{number}]"), wrong);
            }
        }
        (Value::Number(expected), Value::Number(given)) if expected.as_f64() == given.as_f64() => {}
        _ if expected == given => {}
        _ => wrong.push(format!("{place}: {expected} and not {given}")),
    }
}
