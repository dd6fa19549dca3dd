//! Times at the edges of what the databases can hold.

use chrono::{DateTime, Utc};
use headwater_domain::timestamp;
use headwater_domain::tool::bitbucket::pull_request;

use crate::temp_store::{TempStore, rocket};
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

/// The beginning and end of what is stored, of the calendar, and of counts of seconds in 32 bits.
const EDGES: [&str; 22] = [
    "1000-01-01T00:00:00.000+00:00",
    "1582-10-04T23:59:59.999+00:00",
    "1582-10-15T00:00:00.000+00:00",
    "1899-12-31T23:59:59.999+00:00",
    "1900-02-28T23:59:59.999+00:00",
    "1901-12-13T20:45:51.999+00:00",
    "1901-12-13T20:45:52.000+00:00",
    "1969-12-31T23:59:59.000+00:00",
    "1969-12-31T23:59:59.999+00:00",
    "1970-01-01T00:00:00.000+00:00",
    "1970-01-01T00:00:00.001+00:00",
    "1970-01-01T00:00:01.000+00:00",
    "2000-02-29T12:00:00.500+00:00",
    "2016-12-31T23:59:59.999+00:00",
    "2026-03-29T01:30:00.001+00:00",
    "2038-01-19T03:14:07.999+00:00",
    "2038-01-19T03:14:08.000+00:00",
    "2038-01-19T03:14:08.001+00:00",
    "2106-02-07T06:28:15.999+00:00",
    "2106-02-07T06:28:16.000+00:00",
    "9999-01-01T00:00:00.000+00:00",
    "9999-12-31T23:59:59.999+00:00",
];

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn opened_at(number: i64, at: DateTime<Utc>) -> pull_request::Model {
    pull_request::Model {
        connection_id: 1,
        repo_id: "acme/rocket".to_owned(),
        bitbucket_id: number,
        bitbucket_created_at: Some(at),
        ..pull_request::Model::default()
    }
}

#[rstest]
#[tokio::test]
async fn every_database_keeps_every_time_to_the_millisecond(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let ids: Vec<i64> = (1..).take(EDGES.len()).collect();
    let rows = || {
        let numbered = ids.iter().zip(EDGES);
        let row = |(&id, edge)| (id, opened_at(id, time(edge)));
        numbered.map(row).collect::<Vec<_>>()
    };
    let changes = store.replace(1, &ids, rows()).await;
    assert_eq!(changes.written, EDGES.len() as u64);
    let stored = store
        .rows(
            "SELECT bitbucket_created_at FROM _tool_bitbucket_pull_requests ORDER BY bitbucket_id",
        )
        .await;
    assert_eq!(stored, EDGES);
    assert_eq!(stored, EDGES.map(|edge| timestamp::to_text(time(edge))));
    // As the store reads them back they are equal, so nothing is written again.
    let again = store.replace(2, &ids, rows()).await;
    assert_eq!((again.written, again.unchanged), (0, EDGES.len() as u64));
}

/// What each expression gives for all times of the edges, in order.
async fn on_edges(store: &TempStore, expression: &str) -> Vec<String> {
    let sql = format!(
        "SELECT {expression} FROM (SELECT bitbucket_id, bitbucket_created_at AS at \
         FROM _tool_bitbucket_pull_requests) ORDER BY bitbucket_id"
    );
    store.rows(&sql).await
}

#[tokio::test]
async fn the_functions_of_sqlite_read_and_compare_what_a_file_stores() {
    let store = TempStore::new().await;
    let ids: Vec<i64> = (1..).take(EDGES.len()).collect();
    let rows = ids.iter().zip(EDGES);
    let rows = rows.map(|(&id, edge)| (id, opened_at(id, time(edge))));
    store.replace(1, &ids, rows.collect()).await;
    let read = on_edges(&store, "strftime('%Y-%m-%dT%H:%M:%f+00:00', at)").await;
    assert_eq!(read, EDGES);
    let seconds = EDGES.map(|edge| time(edge).timestamp().to_string());
    assert_eq!(on_edges(&store, "unixepoch(at)").await, seconds);
    let days = EDGES.map(|edge| edge[..10].to_owned());
    assert_eq!(on_edges(&store, "date(at)").await, days);
    // As text, which is how SQLite compares them: with its own times, and with days.
    for condition in [
        "typeof(at) = 'text'",
        "datetime(at) <= at",
        "at < COALESCE(datetime(at, '+1 second'), 'A')",
        "date(at) < at",
        "at < COALESCE(date(at, '+1 day'), 'A')",
    ] {
        let holds = on_edges(&store, condition).await;
        assert!(holds.iter().all(|it| it == "1"), "{condition}: {holds:?}");
    }
}

#[tokio::test]
async fn what_happened_today_is_before_now_and_after_midnight_in_a_file() {
    let store = TempStore::new().await;
    let now = Utc::now();
    let row = opened_at(1, now - chrono::TimeDelta::seconds(90));
    store.replace(1, &[1], vec![(1, row)]).await;
    for (condition, expected) in [
        ("at < datetime('now')", "1"),
        ("at > datetime('now', '-1 hour')", "1"),
        ("at > datetime('now', '-1 minute')", "0"),
        (
            "at BETWEEN datetime('now', '-2 minutes') AND CURRENT_TIMESTAMP",
            "1",
        ),
        ("at < date('now', '-1 day')", "0"),
    ] {
        assert_eq!(on_edges(&store, condition).await, [expected], "{condition}");
    }
}

#[rstest]
#[tokio::test]
async fn what_is_remembered_of_a_scope_keeps_its_times_too(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    // A range only widens, so the latest comes first.
    for edge in EDGES.into_iter().rev() {
        let after = Some(time(edge));
        assert_eq!(store.widen(&rocket(), after).await.unwrap(), after);
        let scopes = store.scopes().await.unwrap();
        let stored = scopes.iter().find(|known| known.scope == rocket());
        assert_eq!(stored.unwrap().data_after, after, "{edge}");
    }
}
