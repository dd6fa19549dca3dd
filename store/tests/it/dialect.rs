//! The pieces of SQL that databases spell differently, run on each of them.

use headwater_domain::tool::bitbucket::pull_request;
use headwater_store::Period;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::temp_store::TempStore;

const CREATED: &str = "bitbucket_created_at";
const UPDATED: &str = "bitbucket_updated_at";

/// Stores one pull request for each pair of times, and reads an expression of each.
async fn read_of(store: &TempStore, times: &[(&str, &str)], expression: &str) -> Vec<String> {
    let rows = (1..).zip(times).map(|(number, (created, updated))| {
        let row = pull_request::Model {
            connection_id: 1,
            repo_id: "acme/rocket".to_owned(),
            bitbucket_id: number,
            bitbucket_created_at: Some(created.parse().unwrap()),
            bitbucket_updated_at: Some(updated.parse().unwrap()),
            ..pull_request::Model::default()
        };
        (number, row)
    });
    let ids: Vec<i64> = (1..).take(times.len()).collect();
    store.replace(1, &ids, rows.collect()).await;
    let sql =
        format!("SELECT {expression} FROM _tool_bitbucket_pull_requests ORDER BY bitbucket_id");
    store.rows(&sql).await
}

/// A time, and the first days of its day, week, month and quarter.
const FIRST_DAYS: [(&str, [&str; 4]); 8] = [
    (
        "2026-03-02T00:00:00.000Z",
        ["2026-03-02", "2026-03-02", "2026-03-01", "2026-01-01"],
    ),
    (
        "2026-03-01T23:59:59.999Z",
        ["2026-03-01", "2026-02-23", "2026-03-01", "2026-01-01"],
    ),
    (
        "2026-04-01T00:00:00.001Z",
        ["2026-04-01", "2026-03-30", "2026-04-01", "2026-04-01"],
    ),
    (
        "2024-02-29T12:00:00.000Z",
        ["2024-02-29", "2024-02-26", "2024-02-01", "2024-01-01"],
    ),
    (
        "2025-12-31T23:59:59.999Z",
        ["2025-12-31", "2025-12-29", "2025-12-01", "2025-10-01"],
    ),
    (
        "2026-01-01T00:00:00.000Z",
        ["2026-01-01", "2025-12-29", "2026-01-01", "2026-01-01"],
    ),
    (
        "2026-08-31T10:00:00.000Z",
        ["2026-08-31", "2026-08-31", "2026-08-01", "2026-07-01"],
    ),
    (
        "1969-12-31T23:59:59.999Z",
        ["1969-12-31", "1969-12-29", "1969-12-01", "1969-10-01"],
    ),
];

#[rstest]
#[tokio::test]
async fn every_database_finds_the_same_first_day_of_a_period(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let times = FIRST_DAYS.map(|(time, _)| (time, time));
    let periods = [Period::Day, Period::Week, Period::Month, Period::Quarter];
    for (place, period) in periods.into_iter().enumerate() {
        let expression = store.dialect().first_day(period, CREATED);
        let read = read_of(&store, &times, &expression).await;
        assert_eq!(read, FIRST_DAYS.map(|(_, days)| days[place]), "{period:?}");
    }
}

/// Two times, and the milliseconds from one to the other.
const DIFFERENCES: [(&str, &str, i64); 5] = [
    ("2026-03-02T00:00:00.000Z", "2026-03-02T00:00:00.001Z", 1),
    ("2026-03-02T00:00:00.001Z", "2026-03-02T00:00:00.000Z", -1),
    (
        "2024-02-28T00:00:00.000Z",
        "2024-03-01T00:00:00.000Z",
        172_800_000,
    ),
    (
        "2026-03-29T00:30:00.500Z",
        "2026-03-29T01:30:00.499Z",
        3_599_999,
    ),
    (
        "1969-12-31T23:59:59.999Z",
        "2026-01-01T00:00:00.000Z",
        1_767_225_600_001,
    ),
];

#[rstest]
#[tokio::test]
async fn every_database_subtracts_times_to_the_millisecond(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TempStore::on(on).await else {
        return;
    };
    let times = DIFFERENCES.map(|(start, end, _)| (start, end));
    let seconds = store.dialect().seconds_between(CREATED, UPDATED);
    let milliseconds = format!("ROUND({seconds} * 1000)");
    let text = store.dialect().text(&milliseconds);
    let read = read_of(&store, &times, &text).await;
    let read: Vec<f64> = read.iter().map(|text| text.parse().unwrap()).collect();
    let expected = DIFFERENCES.map(|(_, _, expected)| expected);
    for (read, expected) in read.into_iter().zip(expected) {
        assert_eq!(format!("{read:.0}"), expected.to_string());
    }
}
