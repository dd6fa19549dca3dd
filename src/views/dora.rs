//! Views of DORA's metrics: each by day, week, month and quarter, and one with all of them.

use super::{View, ViewColumn, column};

const PERIOD: [ViewColumn; 4] = [
    column("project_name", "text", "project; joins `projects.name`"),
    column("grain", "text", "day, week, month or quarter"),
    column(
        "period",
        "text",
        "period in UTC, as 2024-12-30 (a day, or a week from Monday), 2024-12 or 2024-Q4",
    ),
    column("period_start", "date", "its first day"),
];

/// Name of the view, what it measures, what decides the period, its own columns.
type Metric = (
    &'static str,
    &'static str,
    &'static str,
    &'static [ViewColumn],
);

const METRICS: [Metric; 6] = [
    (
        "v_dora_deployment_frequency",
        "Deployment frequency",
        "in which production deployments ended",
        &[
            column("value", "number", "production deployments that ended"),
            column("samples", "number", "the same"),
            column("deployment_days", "number", "days (UTC) with one"),
        ],
    ),
    (
        "v_dora_lead_time",
        "Lead time for changes",
        "in which pull requests were first deployed to production",
        &[
            column("value", "number", "minutes of the cycle, lower median"),
            column("p75", "number", "percentile 75 of these minutes"),
            column("p90", "number", "percentile 90 of these minutes"),
            column("seconds", "number", "seconds of the cycle, lower median"),
            column("coding_minutes", "number", "lower median of coding"),
            column(
                "pickup_minutes",
                "number",
                "lower median until a first review",
            ),
            column(
                "review_minutes",
                "number",
                "lower median from review to merge",
            ),
            column(
                "deploy_minutes",
                "number",
                "lower median from merge to deployment",
            ),
            column("samples", "number", "pull requests"),
        ],
    ),
    (
        "v_dora_change_failure_rate",
        "Change failure rate",
        "in which counted deployments ended",
        &[
            column(
                "value",
                "decimal",
                "failures / samples, four decimals; null where nothing can tell failures",
            ),
            column("samples", "number", "counted deployments"),
            column("failures", "number", "those that count as failed"),
        ],
    ),
    (
        "v_dora_recovery_time",
        "Failed deployment recovery time",
        "in which failed deployments were recovered from",
        &DURATION,
    ),
    (
        "v_dora_time_to_restore",
        "Time to restore",
        "in which incidents were resolved",
        &DURATION,
    ),
    (
        "v_dora_rework_rate",
        "Rework rate",
        "in which production deployments ended",
        &[
            column("value", "decimal", "reworks / samples, four decimals"),
            column("samples", "number", "production deployments"),
            column("reworks", "number", "those that count as unplanned repairs"),
        ],
    ),
];

const DURATION: [ViewColumn; 5] = [
    column("value", "number", "minutes, lower median"),
    column("p75", "number", "percentile 75 of the minutes"),
    column("p90", "number", "percentile 90 of the minutes"),
    column("seconds", "number", "seconds, lower median"),
    column("samples", "number", "recoveries or incidents"),
];

const GRAINS: [&str; 4] = ["day", "week", "month", "quarter"];

pub(super) fn views() -> Vec<View> {
    let mut views = Vec::new();
    for (name, metric, when, own) in METRICS {
        let columns: Vec<ViewColumn> = PERIOD.iter().chain(own).copied().collect();
        views.push(View {
            name: name.to_owned(),
            describes: format!(
                "{metric} of a project in one day, week, month or quarter {when}; periods without \
                 any have samples 0."
            ),
            columns: columns.clone(),
        });
        views.extend(GRAINS.map(|grain| View {
            name: format!("{name}_{grain}"),
            describes: format!(
                "{metric} of a project in one {grain} {when}; one without any has samples 0."
            ),
            columns: columns.clone(),
        }));
    }
    views
}
