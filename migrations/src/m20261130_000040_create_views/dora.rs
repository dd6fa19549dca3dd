//! DORA's metrics by period: of the tables that `metrics refresh` and `sync` write.

use super::sql::{Grain, Measure, Sql, count, percentiles};

/// What groups the rows of these views.
const GROUPS: &str = "project_name, grain, period, period_start";

/// A metric, by the name of its view, and its query.
pub(crate) type Metric = (&'static str, fn(Sql, Grain) -> String);

pub(crate) const METRICS: [Metric; 6] = [
    ("v_dora_deployment_frequency", deployment_frequency),
    ("v_dora_lead_time", lead_time),
    ("v_dora_change_failure_rate", change_failure_rate),
    ("v_dora_recovery_time", recovery_time),
    ("v_dora_time_to_restore", time_to_restore),
    ("v_dora_rework_rate", rework_rate),
];

/// Columns that name the period of a row.
fn period(sql: Sql, grain: Grain, time: &str) -> String {
    let start = sql.start(grain, time);
    let name = sql.text(&format!("'{}'", grain.name()));
    let period = sql.period(grain, &start);
    format!("{name} AS grain, {period} AS period, {start} AS period_start")
}

/// Deployments that ended, each with its period.
fn deployments(sql: Sql, grain: Grain, condition: &str) -> String {
    let period = period(sql, grain, "finished_date");
    let day = sql.day("finished_date");
    format!(
        "SELECT project_name, {period}, {day} AS finished_on, failed, failure_known, rework \
         FROM project_deployments WHERE finished_date IS NOT NULL AND ({condition})"
    )
}

const PRODUCTION: &str = "result = 'SUCCESS'";
/// A failed deployment counts where the project says so; then it always is a failure.
const COUNTED: &str = "result = 'SUCCESS' OR failed";

fn deployment_frequency(sql: Sql, grain: Grain) -> String {
    let rows = deployments(sql, grain, PRODUCTION);
    format!(
        "SELECT {GROUPS}, COUNT(*) AS value, COUNT(*) AS samples, \
         COUNT(DISTINCT finished_on) AS deployment_days FROM ({rows}) AS counted GROUP BY {GROUPS}"
    )
}

fn lead_time(sql: Sql, grain: Grain) -> String {
    let period = period(sql, grain, "pr_deployed_date");
    let rows = format!(
        "SELECT project_name, {period}, pr_cycle_time AS minutes, pr_cycle_sec AS exact, \
         pr_coding_time AS coding, pr_pickup_time AS pickup, pr_review_time AS review, \
         pr_deploy_time AS deploy FROM project_pr_metrics WHERE pr_deployed_date IS NOT NULL"
    );
    let median = |column, percentiles| Measure {
        column,
        percentiles,
    };
    let measures = [
        median("minutes", &[(50, "value"), (75, "p75"), (90, "p90")]),
        median("exact", &[(50, "seconds")]),
        median("coding", &[(50, "coding_minutes")]),
        median("pickup", &[(50, "pickup_minutes")]),
        median("review", &[(50, "review_minutes")]),
        median("deploy", &[(50, "deploy_minutes")]),
    ];
    percentiles(&rows, GROUPS, &measures, &["COUNT(*) AS samples"])
}

fn change_failure_rate(sql: Sql, grain: Grain) -> String {
    let rows = deployments(sql, grain, COUNTED);
    let failures = count("failed");
    let known = count("failure_known");
    let ratio = sql.ratio(&failures, "COUNT(*)");
    format!(
        "SELECT {GROUPS}, CASE WHEN {known} = COUNT(*) THEN {ratio} END AS value, \
         COUNT(*) AS samples, {failures} AS failures FROM ({rows}) AS counted GROUP BY {GROUPS}"
    )
}

/// Minutes and exact seconds of something that took time.
const DURATIONS: [Measure; 2] = [
    Measure {
        column: "minutes",
        percentiles: &[(50, "value"), (75, "p75"), (90, "p90")],
    },
    Measure {
        column: "exact",
        percentiles: &[(50, "seconds")],
    },
];

fn recovery_time(sql: Sql, grain: Grain) -> String {
    let period = period(sql, grain, "recoveries.recovered_date");
    let exact = sql.seconds("failures.finished_date", "recoveries.recovered_date");
    let minutes = sql.divided(&exact, "60");
    let rows = format!(
        "SELECT recoveries.project_name AS project_name, {period}, {minutes} AS minutes, \
         {exact} AS exact FROM project_recoveries AS recoveries \
         JOIN project_deployments AS failures ON failures.id = recoveries.deployment_id \
         AND failures.project_name = recoveries.project_name \
         WHERE recoveries.recovered_date >= failures.finished_date"
    );
    percentiles(&rows, GROUPS, &DURATIONS, &["COUNT(*) AS samples"])
}

fn time_to_restore(sql: Sql, grain: Grain) -> String {
    let period = period(sql, grain, "incidents.resolution_date");
    let between = sql.seconds("incidents.created_date", "incidents.resolution_date");
    let whole = sql.divided(&between, "60");
    let in_order = "incidents.resolution_date >= incidents.created_date";
    let minutes =
        format!("COALESCE(incidents.lead_time_minutes, CASE WHEN {in_order} THEN {whole} END)");
    let rows = format!(
        "SELECT counted.project_name AS project_name, {period}, {minutes} AS minutes, \
         CASE WHEN {in_order} THEN {between} ELSE 60 * {minutes} END AS exact \
         FROM (SELECT id, project_name FROM project_incident_deployment_relationships \
         UNION ALL SELECT id, project_name FROM unlinked_incidents) AS counted \
         JOIN incidents ON incidents.id = counted.id \
         WHERE incidents.resolution_date IS NOT NULL AND {minutes} >= 0"
    );
    percentiles(&rows, GROUPS, &DURATIONS, &["COUNT(*) AS samples"])
}

fn rework_rate(sql: Sql, grain: Grain) -> String {
    let rows = deployments(sql, grain, PRODUCTION);
    let reworks = count("rework");
    let ratio = sql.ratio(&reworks, "COUNT(*)");
    format!(
        "SELECT {GROUPS}, {ratio} AS value, COUNT(*) AS samples, {reworks} AS reworks \
         FROM ({rows}) AS counted GROUP BY {GROUPS}"
    )
}
