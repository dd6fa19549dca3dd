//! Raw rows that are not all there, or hold what is no text.

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hashes::{import, offline, texts};
use crate::lake::{Lake, ended_output};

const PARAMS: &str = r#"{"ConnectionId":1,"FullName":"acme/rocket"}"#;

fn refs() -> [(&'static str, Value); 2] {
    let commit = json!({"type": "commit", "hash": "a".repeat(40)});
    [
        ("branches", json!({"name": "main", "target": commit})),
        ("tags", json!({"name": "v1", "target": commit})),
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn branches_and_tags_need_no_row_of_their_repository(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    for (stream, item) in refs() {
        import(&lake, stream, &[item]);
    }
    ended_output(lake.start(&["transform"]));
    let names = "SELECT name FROM refs ORDER BY name";
    assert_eq!(texts(&lake, names).await, ["main", "refs/tags/v1"]);
    let default = "SELECT COUNT(*) FROM refs WHERE is_default";
    assert_eq!(lake.number(default).await, 0, "nobody says which");
    let repository = json!({"full_name": "acme/rocket", "name": "rocket", "uuid": "{r}",
        "mainbranch": {"name": "main"}});
    import(&lake, "repositories", &[repository]);
    ended_output(lake.start(&["transform"]));
    assert_eq!(lake.number(default).await, 1);
    assert_eq!(texts(&lake, names).await, ["main", "refs/tags/v1"]);
}

/// Imports the lines of a file as they are.
fn import_lines(lake: &Lake, stream: &str, lines: &[String]) {
    let path = lake.folder().join("rows.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let table = format!("_raw_bitbucket_api_{stream}");
    ended_output(lake.start(&["raw", "import", &table, path.to_str().unwrap()]));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn half_a_character_loses_no_item_whatever_file_it_is_in(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(lake) = Lake::with(on, &offline()).await else {
        return;
    };
    let data = r#"{"id": 12, "title": "a\ud800b", "\udc00": {"\ud83d": "\ud83d\u0000"}}"#;
    let nested = format!(r#"{{"params": {PARAMS}, "data": {data}}}"#);
    import_lines(&lake, "pull_requests", &[nested]);
    // As text within the line, and in a cell of a CSV file, the halves stay escaped.
    let text = Value::from(data.replace("12", "13")).to_string();
    let as_text = format!(r#"{{"params": {PARAMS}, "data": {text}}}"#);
    import_lines(&lake, "pull_requests", &[as_text]);
    let path = lake.folder().join("raw.csv");
    let mut file = csv::Writer::from_path(&path).unwrap();
    file.write_record(["params", "data"]).unwrap();
    file.write_record([PARAMS, &data.replace("12", "14")])
        .unwrap();
    file.flush().unwrap();
    let table = "_raw_bitbucket_api_pull_requests";
    ended_output(lake.start(&["raw", "import", table, path.to_str().unwrap()]));
    ended_output(lake.start(&["transform"]));
    let titles = "SELECT title FROM pull_requests ORDER BY pull_request_key";
    let title = "a\u{fffd}b";
    assert_eq!(texts(&lake, titles).await, [title, title, title]);
    let letters = "SELECT COUNT(*) FROM _headwater_dead_letters";
    assert_eq!(lake.number(letters).await, 0);
}
