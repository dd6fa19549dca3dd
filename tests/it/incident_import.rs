//! `import incidents`: what a tracker without a connection knows of incidents.

use std::process::Output;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::hashes::{offline, texts};
use crate::lake::{Lake, code, headwater};

fn import(lake: &Lake, name: &str, content: &str) -> Output {
    std::fs::write(lake.folder().join(name), content).unwrap();
    let arguments = ["import", "incidents", name, "--source", "pagerduty"];
    headwater(lake.folder(), &arguments)
}

#[track_caller]
fn printed(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code(output), 0, "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn shown(lake: &Lake) -> Vec<String> {
    let rows = lake
        .ask(
            "SELECT id, title, status, scope_id, lead_time_minutes, deployment_id FROM incidents \
             ORDER BY id",
        )
        .await;
    rows.rows.iter().map(|row| format!("{row:?}")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_updated_and_withdrawn_and_come_twice_without_harm(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let first = "id,title,created_date,resolution_date,deployment_id\n\
                 a,slow,2026-01-31T10:00:00Z,2026-01-31T11:30:59Z,d1\n\
                 b,down,2026-02-01 10:00:00,,\n\
                 c,noise,2026-02-02T10:00:00Z,,\n";
    let summary = printed(&import(&lake, "incidents.csv", first));
    assert!(
        summary.starts_with("3 incidents, 0 withdrawn: 3 new or changed, 0 removed"),
        "{summary}"
    );
    let hint = "incident_sources = [\"incident_sources:pagerduty\"]";
    assert!(summary.contains(hint), "{summary}");
    let again = printed(&import(&lake, "incidents.csv", first));
    assert!(again.contains("0 new or changed"), "{again}");
    let more = "{\"id\": \"b\", \"created_date\": \"2026-02-01T10:00:00Z\", \
                \"resolution_date\": \"2026-02-01T09:00:00Z\"}\n\n\
                {\"id\": \"c\", \"withdrawn\": true}\n\
                {\"id\": 7, \"created_date\": \"2026-02-03\", \"title\": null}\n";
    let summary = printed(&import(&lake, "incidents.jsonl", more));
    assert!(
        summary.starts_with("2 incidents, 1 withdrawn: 2 new or changed, 1 removed"),
        "{summary}"
    );
    let expected = [
        r#"[Text("7"), Text(""), Text(""), Text("pagerduty"), Null, Text("")]"#,
        r#"[Text("a"), Text("slow"), Text("DONE"), Text("pagerduty"), Integer(90), Text("d1")]"#,
        r#"[Text("b"), Text("down"), Text("DONE"), Text("pagerduty"), Null, Text("")]"#,
    ];
    assert_eq!(shown(&lake).await, expected);
    let again = printed(&import(&lake, "incidents.jsonl", more));
    assert!(again.contains("0 new or changed, 0 removed"), "{again}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_fault_changes_nothing(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let good = "id,created_date\na,2026-01-31\n";
    printed(&import(&lake, "good.csv", good));
    let before = shown(&lake).await;
    for (name, content, expected) in [
        (
            "i.csv",
            "id,created_date\nb,2026-01-31\nc,2026-01-31\nb,2026-02-01\n",
            "i.csv:4: the incident \"b\" is on line 2 too",
        ),
        (
            "i.jsonl",
            "{\"id\":\"b\",\"created_date\":\"2026-01-31\"}\n{\"id\":\"b\",\"withdrawn\":1}\n",
            "i.jsonl:2: the incident \"b\" is on line 1 too",
        ),
        (
            "i.csv",
            "id,created_date\nb,2026-01-31\nc,soon\n",
            "i.csv:3: column created_date: \"soon\" is not a time",
        ),
        (
            "i.csv",
            "id,created_date\nb,\n",
            "i.csv:2: column created_date: there is no value",
        ),
        (
            "i.csv",
            "id\nb\n",
            "i.csv:1: the header has no column created_date",
        ),
        (
            "i.csv",
            "id,created_date,widthdrawn\nb,2026-01-31,1\n",
            "did you mean withdrawn?",
        ),
        (
            "i.csv",
            "id,created_date,withdrawn\nb,2026-01-31,perhaps\n",
            "i.csv:2: column withdrawn: \"perhaps\" is not 0, 1, true or false",
        ),
        ("i.jsonl", "{\"id\":\n", "i.jsonl:1: the line is not JSON"),
        (
            "i.jsonl",
            "[1]\n",
            "i.jsonl:1: the line is not a JSON object",
        ),
        (
            "i.jsonl",
            "{\"id\":\"b\",\"created_date\":\"2026-01-31\",\"title\":{}}\n",
            "column title: a list or an object",
        ),
        (
            "i.jsonl",
            "{\"created_date\":\"2026-01-31\"}\n",
            "i.jsonl:1: column id: there is no value",
        ),
    ] {
        let refused = import(&lake, name, content);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(code(&refused), 3, "{content}\n{error}");
        assert!(error.contains(expected), "{error}\nexpected {expected}");
        assert_eq!(shown(&lake).await, before, "{content}");
    }
    assert_eq!(texts(&lake, "SELECT id FROM incidents").await, ["a"]);
}
