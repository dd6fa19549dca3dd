//! DORA metrics through the program: hand-made cases, the peer's rows, and a company by hand.

pub(crate) mod case;
mod company;
mod peer;
mod random;
mod releases;

use std::path::{Path, PathBuf};

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use case::{Case, compare, has_project};

/// A folder beside the checkout, if it is there.
fn beside(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(folder);
    if folder.exists() {
        return Some(folder);
    }
    println!(
        "skipped: there is no {} beside the checkout",
        folder.display()
    );
    None
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn hand_made_cases_give_the_numbers_that_were_computed_by_hand(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(cases) = beside("oracle/dora_cases") else {
        return;
    };
    let folders = std::fs::read_dir(&cases).unwrap();
    let folders = folders.filter_map(|it| it.ok().map(|it| it.path()));
    let mut checked = 0;
    let mut wrong = Vec::new();
    for folder in folders.filter(|it| it.is_dir()) {
        let projects = std::fs::read_to_string(folder.join("project.toml")).unwrap();
        let Some(case) = Case::on(on, &projects).await else {
            return;
        };
        case.import_from(&folder, "\\N");
        checked += check(&case, &folder, &mut wrong).await;
    }
    assert!(checked > 0, "no case in {}", cases.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Computes the projects of a case and makes its checks; returns how many.
async fn check(case: &Case, folder: &Path, wrong: &mut Vec<String>) -> usize {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap();
    for project in expected["projects"].as_object().unwrap().keys() {
        case.refresh(project);
        let again = case.refresh(project);
        assert!(
            again.contains(": 0 rows written, 0 removed"),
            "{name} {project}: {again}"
        );
    }
    let checks = expected["checks"].as_array().unwrap();
    for check in checks {
        let text = |name: &str| check[name].as_str().unwrap();
        let project = text("project");
        let place = format!("{name} {project}");
        let mut arguments = vec![project];
        for option in ["--from", "--to", "--by", "--report"] {
            arguments.extend([option, text(&option[2..])]);
        }
        let given = case.dora(&arguments);
        assert_eq!(given["project"], project);
        for (metric, expected) in check["metrics"].as_object().unwrap() {
            let mut metrics = given["metrics"].as_array().unwrap().iter();
            let given = metrics.find(|it| it["metric"] == metric.as_str()).unwrap();
            compare(expected, given, &format!("{place} {metric}"), wrong);
        }
        if let Some(expected) = check.get("coverage") {
            compare(
                expected,
                &given["coverage"],
                &format!("{place} coverage"),
                wrong,
            );
        }
        for (table, expected) in check["tables"].as_object().into_iter().flatten() {
            let within = if has_project(table) {
                format!(" WHERE project_name = '{project}'")
            } else {
                String::new()
            };
            let given = case.rows(&format!("SELECT * FROM {table}{within}")).await;
            let expected_ids: Vec<&String> = expected.as_object().unwrap().keys().collect();
            let given_ids: Vec<&String> = given.keys().collect();
            if expected_ids != given_ids {
                wrong.push(format!(
                    "{place} {table}: {expected_ids:?} and not {given_ids:?}"
                ));
            }
            let given = Value::Object(given);
            compare(expected, &given, &format!("{place} {table}"), wrong);
        }
    }
    checks.len()
}
