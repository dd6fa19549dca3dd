//! The files in `examples`: each query answers, and the dashboard asks what Grafana can ask.

use serde_json::Value;

use super::root;
use crate::lake::{headwater, stdout};

/// A query of `examples`, with the file and, of a dashboard, the panel that has it.
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) sql: String,
}

/// The files of `examples/sql`, and the queries of the dashboard.
pub(crate) fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(root().join("examples/sql")).unwrap() {
        let path = entry.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        assert!(
            sql.starts_with("-- "),
            "{} says what it asks",
            path.display()
        );
        let name = path.display().to_string();
        examples.push(Example { name, sql });
    }
    let dashboard = dashboard();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let sql = filled_in(target["rawSql"].as_str().unwrap());
            let name = panel["title"].as_str().unwrap().to_owned();
            examples.push(Example { name, sql });
        }
    }
    let variable = &dashboard["templating"]["list"][0];
    examples.push(Example {
        name: "projects".to_owned(),
        sql: variable["query"].as_str().unwrap().to_owned(),
    });
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    examples
}

fn dashboard() -> Value {
    let text = std::fs::read_to_string(root().join("examples/grafana/delivery.json"));
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// A query of the dashboard with what Grafana puts into it.
fn filled_in(sql: &str) -> String {
    sql.replace("${project:sqlstring}", "'shop'")
        .replace("${__from:date:YYYY-MM-DD}", "1990-01-01")
        .replace("${__to:date:YYYY-MM-DD}", "2100-12-31")
}

#[test]
fn the_dashboard_asks_every_data_source_the_same() {
    let dashboard = dashboard();
    let provisioned = std::fs::read_to_string(root().join("examples/grafana/datasource.yaml"));
    let uid = "headwater";
    assert!(provisioned.unwrap().contains(&format!("uid: {uid}")));
    let panels = dashboard["panels"].as_array().unwrap();
    for (place, panel) in (1..).zip(panels) {
        assert_eq!(panel["id"], place, "{panel}");
        assert_eq!(panel["datasource"]["uid"], uid, "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], uid, "{target}");
            // PostgreSQL and MariaDB read the first, the plugin for SQLite the others.
            assert_eq!(target["rawSql"], target["queryText"], "{target}");
            assert_eq!(target["rawSql"], target["rawQueryText"], "{target}");
            let left = filled_in(target["rawSql"].as_str().unwrap());
            assert!(!left.contains('$'), "{left}");
        }
    }
}

#[test]
fn every_example_has_rows_on_the_company_of_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    stdout(&headwater(folder.path(), &["demo", "--quiet"]));
    for example in examples() {
        let options = [
            "query",
            "--database",
            "sqlite:headwater-demo.db",
            "--format",
            "csv",
            "--",
        ];
        let asked = [&options[..], &[&example.sql]].concat();
        let answer = stdout(&headwater(folder.path(), &asked));
        assert!(
            answer.lines().count() > 1,
            "{}: no rows\n{}",
            example.name,
            example.sql
        );
    }
}
