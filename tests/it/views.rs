//! Views hold the same rows on every database, and are what `headwater tables` says.

pub(crate) mod questions;

use headwater::views::views;
use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestStore;
use rstest::rstest;

use crate::lake::{Answer, headwater, stdout};

/// Two deployments of a project in one week and two years, one a quarter later that failed; four
/// pull requests; a recovery by incident and one by repair; three incidents.
const ROWS: &str = "
INSERT INTO project_deployments (id, project_name, finished_date, result, failed, failure_known, rework) VALUES
 ('d1', 'shop', @2024-12-30T10:00:00.000@, 'SUCCESS', FALSE, TRUE, FALSE),
 ('d2', 'shop', @2024-12-31T23:59:59.999@, 'SUCCESS', TRUE, TRUE, FALSE),
 ('d3', 'shop', @2025-01-01T00:00:00.000@, 'SUCCESS', FALSE, TRUE, TRUE),
 ('d4', 'shop', @2025-01-01T01:00:00.000@, 'SUCCESS', FALSE, TRUE, FALSE),
 ('f1', 'shop', @2025-02-01T00:00:00.000@, 'FAILURE', TRUE, TRUE, FALSE),
 ('f2', 'calm', @2025-02-01T00:00:00.000@, 'FAILURE', FALSE, FALSE, FALSE),
 ('d5', 'calm', @2025-02-02T00:00:00.000@, 'SUCCESS', FALSE, FALSE, FALSE),
 ('o1', 'old', @2021-01-01T00:00:00.000@, 'SUCCESS', FALSE, TRUE, FALSE),
 ('o2', 'old', @2025-01-01T12:00:00.000@, 'SUCCESS', FALSE, TRUE, FALSE);
INSERT INTO project_pr_metrics (id, project_name, pr_coding_time, pr_cycle_time, pr_cycle_sec, pr_deployed_date) VALUES
 ('p1', 'shop', 5, 40, 2400, @2024-12-30T10:00:00.000@),
 ('p2', 'shop', NULL, 10, 599, @2024-12-30T10:00:00.000@),
 ('p3', 'shop', 1, 30, 1799, @2024-12-31T23:59:59.999@),
 ('p4', 'shop', NULL, 20, 1200, @2025-01-01T00:00:00.000@),
 ('p5', 'shop', 9, 99, 5940, NULL);
INSERT INTO project_recoveries (deployment_id, project_name, incident_id, recovered_date) VALUES
 ('d2', 'shop', 'i1', @2025-01-01T00:02:00.998@),
 ('f1', 'shop', '', @2025-02-01T01:30:00.000@);
INSERT INTO incidents (id, created_date, resolution_date, lead_time_minutes) VALUES
 ('i1', @2025-01-01T00:00:30.000@, @2025-01-01T00:02:00.998@, NULL),
 ('i2', @2025-01-01T00:00:30.000@, @2025-01-01T00:00:10.000@, 7),
 ('i3', @2025-01-01T00:00:30.000@, @2025-01-01T00:00:10.000@, NULL);
INSERT INTO project_incident_deployment_relationships (id, project_name, deployment_id, method, confidence) VALUES
 ('i1', 'shop', 'd2', 'PROJECT', 0.3);
INSERT INTO unlinked_incidents (id, project_name, reason) VALUES
 ('i2', 'shop', 'NO_EARLIER_DEPLOYMENT'), ('i3', 'shop', 'NO_EARLIER_DEPLOYMENT');
INSERT INTO cicd_pipelines (id, cicd_scope_id, result, finished_date, duration_sec, queued_duration_sec) VALUES
 ('b1', 's', 'SUCCESS', @2024-02-29T12:00:00.000@, 60, NULL),
 ('b2', 's', 'SUCCESS', @2024-03-03T23:59:59.999@, 120, 3),
 ('b3', 's', 'FAILURE', @2024-02-26T00:00:00.000@, 30, NULL),
 ('b4', 's', '', @2024-03-04T00:00:00.000@, 1, 1);
INSERT INTO accounts (id, full_name, is_bot) VALUES ('a', 'Ada', FALSE), ('b', 'Bot', TRUE);
INSERT INTO pull_requests (id, author_id, base_repo_id) VALUES ('p1', 'z', 'r'), ('p2', 'a', 'r');
INSERT INTO pull_request_events (id, pull_request_id, kind, actor_id, at) VALUES
 ('e1', 'p1', 'commented', 'a', @2024-12-30T10:00:00.000@),
 ('e2', 'p1', 'approved', 'a', @2024-12-31T10:00:00.000@),
 ('e3', 'p1', 'updated', 'a', @2024-12-31T10:00:00.000@),
 ('e4', 'p2', 'commented', 'a', @2024-12-31T10:00:00.000@),
 ('e5', 'p2', 'changes requested', 'b', @2025-01-01T00:00:00.000@);
";

/// Queries, and their rows.
const ANSWERS: [(&str, &[&str]); 15] = [
    (
        "SELECT grain, period, period_start, value, deployment_days \
         FROM v_dora_deployment_frequency WHERE project_name = 'shop' \
         AND (samples > 0 OR grain IN ('month', 'quarter'))",
        &[
            "day 2024-12-30 2024-12-30 1 1",
            "day 2024-12-31 2024-12-31 1 1",
            "day 2025-01-01 2025-01-01 2 1",
            "month 2024-12 2024-12-01 2 2",
            "month 2025-01 2025-01-01 2 1",
            "month 2025-02 2025-02-01 0 0",
            "quarter 2024-Q4 2024-10-01 2 2",
            "quarter 2025-Q1 2025-01-01 2 1",
            "week 2024-12-30 2024-12-30 4 3",
        ],
    ),
    (
        "SELECT grain, period, value, seconds, p75, p90, coding_minutes, samples \
         FROM v_dora_lead_time WHERE project_name = 'shop' AND grain IN ('week', 'quarter')",
        &[
            "quarter 2024-Q4 30 1799 40 40 1 3",
            "quarter 2025-Q1 20 1200 20 20 null 1",
            "week 2024-12-30 20 1200 30 40 1 4",
            "week 2025-01-06 null null null null null 0",
            "week 2025-01-13 null null null null null 0",
            "week 2025-01-20 null null null null null 0",
            "week 2025-01-27 null null null null null 0",
        ],
    ),
    (
        "SELECT value FROM v_dora_lead_time_week WHERE samples > 0 \
         UNION ALL SELECT value FROM v_dora_lead_time_day WHERE samples > 0",
        &["10", "20", "20", "30"],
    ),
    (
        "SELECT project_name, period, value, samples, failures \
         FROM v_dora_change_failure_rate_quarter WHERE project_name <> 'old'",
        &[
            "calm 2025-Q1 null 1 0",
            "shop 2024-Q4 0.5 2 1",
            "shop 2025-Q1 0.3333 3 1",
        ],
    ),
    (
        "SELECT project_name, period, value, samples, reworks FROM v_dora_rework_rate_month \
         WHERE project_name <> 'old'",
        &[
            "calm 2025-02 0 1 0",
            "shop 2024-12 0 2 0",
            "shop 2025-01 0.5 2 1",
            "shop 2025-02 null 0 0",
        ],
    ),
    (
        "SELECT grain, period, value, seconds, samples FROM v_dora_recovery_time \
         WHERE grain = 'month' AND project_name = 'shop'",
        &[
            "month 2024-12 null null 0",
            "month 2025-01 2 120 1",
            "month 2025-02 90 5400 1",
        ],
    ),
    // Every period from the first thing that happened in a project to the last one; servers limit
    // how often a recursion may go on, some to a thousand times.
    (
        "SELECT project_name, COUNT(*), MIN(period_start), MAX(period_start) \
         FROM v_dora_deployment_frequency_day GROUP BY project_name",
        &[
            "calm 2 2025-02-01 2025-02-02",
            "old 1462 2021-01-01 2025-01-01",
            "shop 34 2024-12-30 2025-02-01",
        ],
    ),
    (
        "SELECT grain, COUNT(*), MIN(period), MAX(period) FROM v_dora_time_to_restore \
         WHERE project_name = 'old' GROUP BY grain",
        &[
            "day 1462 2021-01-01 2025-01-01",
            "month 49 2021-01 2025-01",
            "quarter 17 2021-Q1 2025-Q1",
            "week 210 2020-12-28 2024-12-30",
        ],
    ),
    (
        "SELECT period, value, p90, seconds, samples FROM v_dora_time_to_restore_day \
         WHERE samples > 0",
        &["2025-01-01 1 7 90 2"],
    ),
    (
        "SELECT week, week_start, pipelines, succeeded, failed, success_ratio, median_seconds, \
         p90_seconds, median_queued_seconds FROM v_pipeline_health",
        &[
            "2024-02-26 2024-02-26 3 2 1 0.6667 60 120 3",
            "2024-03-04 2024-03-04 1 0 0 null 1 1 1",
        ],
    ),
    (
        "SELECT reviewer, month, pull_requests, comments, approvals, change_requests \
         FROM v_review_load",
        &["Ada 2024-12 1 1 1 0", "Bot 2025-01 1 0 0 1"],
    ),
    (
        "SELECT project_name, id, minutes_to_restore, deployment_id, confidence, reason \
         FROM v_incidents",
        &[
            "shop i1 1 d2 0.3 ",
            "shop i2 7  null NO_EARLIER_DEPLOYMENT",
            "shop i3 null  null NO_EARLIER_DEPLOYMENT",
        ],
    ),
    (
        "SELECT pull_request_id, cycle_minutes, deployed_date FROM v_pull_request_cycle \
         WHERE cycle_minutes > 39",
        &["p1 40 2024-12-30T10:00:00.000+00:00", "p5 99 null"],
    ),
    ("SELECT COUNT(*) FROM v_deployments", &["0"]),
    ("SELECT COUNT(*) FROM v_data_freshness", &["0"]),
];

/// A time between two `@`, in the form that the database reads.
fn with_times(on: On, sql: &str) -> String {
    let parts = sql.split('@').enumerate().map(|(place, part)| {
        if place % 2 == 0 {
            return part.to_owned();
        }
        match on {
            MariaDb => format!("'{}'", part.replace('T', " ")),
            _ => format!("'{}+00:00'", part.replace('T', " ")),
        }
    });
    parts.collect()
}

#[rstest]
#[tokio::test]
async fn metrics_by_period_are_the_same_on_every_database(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TestStore::on(on).await else {
        return;
    };
    for statement in with_times(on, ROWS).split(';') {
        if !statement.trim().is_empty() {
            store.execute(statement).await;
        }
    }
    for (query, expected) in ANSWERS {
        let mut rows = store.rows(query, " ").await;
        rows.sort();
        assert_eq!(rows, expected, "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn every_view_has_the_columns_that_are_documented(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some(store) = TestStore::on(on).await else {
        return;
    };
    let address = headwater::config::DatabaseAddress::parse(&store.database.address).unwrap();
    for view in views() {
        let mut answer = Answer::default();
        let query = format!("SELECT * FROM {}", view.name);
        let done = headwater::database::query(&address, &query, &mut answer).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", view.name));
        let documented: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
        assert_eq!(answer.columns, documented, "{}", view.name);
        assert!(view.describes.ends_with('.'), "{}", view.name);
    }
    let made = match on {
        Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'view'",
        Postgres => {
            "SELECT COUNT(*) FROM information_schema.views WHERE table_schema = current_schema()"
        }
        MariaDb => "SELECT COUNT(*) FROM information_schema.views WHERE table_schema = database()",
    };
    assert_eq!(store.rows(made, " ").await, [views().len().to_string()]);
}

#[test]
fn views_are_listed_and_described_as_tables_are() {
    let folder = tempfile::tempdir().unwrap();
    let list = stdout(&headwater(folder.path(), &["tables", "--format", "csv"]));
    for view in views() {
        assert!(
            list.contains(&format!("{},view,", view.name)),
            "{}",
            view.name
        );
    }
    let arguments = ["tables", "v_dora_lead_time_week", "--format", "csv"];
    let described = stdout(&headwater(folder.path(), &arguments));
    assert!(
        described.contains("p90,number,,percentile 90 of these minutes"),
        "{described}"
    );
}

#[test]
fn a_view_is_left_out_of_comparisons() {
    let tables = headwater::sources::Sources::all().tables();
    let compared = tables.rows.iter().map(|table| table.name);
    let views: Vec<&str> = compared.filter(|name| name.starts_with("v_")).collect();
    assert!(views.is_empty(), "{views:?}");
}
