//! Members that no table reads are neither asked for nor stored.

use std::fmt::Write as _;

use headwater::exit::Exit;
use headwater::sources::bitbucket::bitbucket;
use headwater_simulator::Behaviour;
use headwater_store::query::Cell;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::Value;

use crate::lake::{ALL, How, Lake, tiny};

const PULL_REQUESTS: &str = "SELECT id, data, content_hash FROM _raw_bitbucket_api_pull_requests \
                             ORDER BY id";

/// Whether a payload has a member at this path.
fn has(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (Value::Array(list), _) => list.iter().any(|element| has(element, path)),
        (_, []) => true,
        (value, [step, rest @ ..]) => value.get(step).is_some_and(|member| has(member, rest)),
    }
}

impl Lake {
    async fn payloads(&self, table: &str) -> Vec<Value> {
        let answer = self.ask(&format!("SELECT data FROM {table}")).await;
        let rows = answer.rows.iter().map(|row| match &row[0] {
            Cell::Text(text) => serde_json::from_str(text).unwrap(),
            other => panic!("{other:?}"),
        });
        rows.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_leave_members_out_gives_the_same_rows() {
    let simulator = tiny().await;
    let lake = Lake::beside(&simulator).await;
    assert_eq!(lake.sync(How::default()).await.0, Exit::Ok);
    let requests = simulator.take_requests();
    let is_asked = |path: &str, member: &str| {
        let mut targets = requests
            .iter()
            .map(headwater_simulator::RequestRecord::target);
        targets.any(|target| target.contains(path) && target.contains(member))
    };
    assert!(is_asked("/pullrequests?", "-values.rendered"));
    assert!(is_asked("/commits?", "-values.parents.links"));
    simulator.set_behaviour(Behaviour {
        ignores_fields: true,
        ..Behaviour::default()
    });
    lake.assert_equals_a_first_sync(&simulator).await;
    let (exit, again) = lake.sync(How { full: true }).await;
    assert_eq!((exit, again.written), (Exit::Ok, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_in_no_row_and_the_rest_of_each_collection_of_links_is() {
    let simulator = tiny().await;
    let lake = Lake::beside(&simulator).await;
    lake.sync(How::default()).await;
    for entry in bitbucket().streams {
        let collection = &entry.collection;
        for payload in lake.payloads(&collection.raw_table).await {
            for path in collection.endpoint.left_out {
                let steps: Vec<&str> = path.split('.').collect();
                assert!(!has(&payload, &steps), "{}: {path}", collection.stream);
            }
        }
    }
    for (stream, kept) in [
        ("pull_requests", &["links", "html", "href"][..]),
        ("pull_requests", &["author", "links", "avatar", "href"]),
        ("pull_requests", &["participants", "user", "links", "html"]),
        ("commits", &["links", "self", "href"]),
        ("pull_request_comments", &["content", "raw"]),
    ] {
        let payloads = lake.payloads(&format!("_raw_bitbucket_api_{stream}")).await;
        assert!(
            payloads.iter().any(|payload| has(payload, kept)),
            "{stream}: {kept:?}"
        );
    }
}

/// Stores a payload as an older version did: as it was received.
async fn store_whole(lake: &Lake, on: On, id: &Cell, payload: &str) {
    let mut hex = String::new();
    for byte in payload.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    let data = match on {
        Postgres => format!("decode('{hex}', 'hex')"),
        Sqlite | MariaDb => format!("X'{hex}'"),
    };
    let Cell::Integer(id) = id else {
        panic!("{id:?}");
    };
    lake.execute(&format!(
        "UPDATE _raw_bitbucket_api_pull_requests SET data = {data}, content_hash = 'of before' \
         WHERE id = {id}"
    ))
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_lose_what_is_not_collected_any_more(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let simulator = tiny().await;
    let Some(lake) = Lake::on(on, &simulator, ALL).await else {
        return;
    };
    lake.sync(How::default()).await;
    let before = lake.ask(PULL_REQUESTS).await.rows;
    // Every second one: old and new rows are mixed.
    for row in before.iter().step_by(2) {
        let Cell::Text(payload) = &row[1] else {
            panic!("{row:?}");
        };
        let members = payload
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        let whole = format!(
            r#"{{"rendered":{{"title":{{"raw":"x","html":"<p>x</p>"}}}},{},"summary":{{"raw":""}}}}"#,
            members.unwrap()
        );
        store_whole(&lake, on, &row[0], &whole).await;
    }
    assert_ne!(lake.ask(PULL_REQUESTS).await.rows, before);
    lake.execute("DELETE FROM _headwater_rewrites WHERE name LIKE '%no table reads'")
        .await;
    lake.opened_again().await.close().await.unwrap();
    assert_eq!(lake.ask(PULL_REQUESTS).await.rows, before);
    let (exit, again) = lake.sync(How { full: true }).await;
    assert_eq!((exit, again.written), (Exit::Ok, 0));
    lake.assert_equals_a_first_sync(&simulator).await;
}
