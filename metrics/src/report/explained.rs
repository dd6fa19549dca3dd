//! The rows that a number counts, of the same samples as the number itself.

use serde_json::Value;

use super::{Counting, Edition};
use crate::report::divided::Sample;
use crate::{By, Facts, Measured, Moment, Range, Rules};

/// A metric that can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `deployment_frequency`.
    DeploymentFrequency,
    /// `lead_time`.
    LeadTime,
    /// `change_failure_rate`.
    ChangeFailureRate,
    /// `failed_deployment_recovery_time`.
    RecoveryTime,
    /// `time_to_restore`.
    TimeToRestore,
    /// `rework_rate`.
    ReworkRate,
}

impl Metric {
    /// Every metric, in the order of the report.
    pub const ALL: [Self; 6] = [
        Self::DeploymentFrequency,
        Self::LeadTime,
        Self::ChangeFailureRate,
        Self::RecoveryTime,
        Self::TimeToRestore,
        Self::ReworkRate,
    ];

    /// Its name in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeploymentFrequency => "deployment_frequency",
            Self::LeadTime => "lead_time",
            Self::ChangeFailureRate => "change_failure_rate",
            Self::RecoveryTime => "failed_deployment_recovery_time",
            Self::TimeToRestore => "time_to_restore",
            Self::ReworkRate => "rework_rate",
        }
    }

    /// The table whose rows it counts.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::LeadTime => "pull_requests",
            Self::TimeToRestore => "incidents",
            _ => "project_deployments",
        }
    }
}

/// One row that a number counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its id in [`Metric::table`].
    pub row: String,
    /// The moment that puts it in range.
    pub at: Moment,
    /// Minutes that it adds; none for metrics that count.
    pub minutes: Option<i64>,
    /// False for a row that is only in the whole of a share.
    pub is_counted: bool,
    /// Why it counts as it does.
    pub because: String,
}

/// A number with the rows that it counts.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The metric, as in the report.
    pub answer: Value,
    /// Its rows, by moment, then by id.
    pub parts: Vec<Part>,
}

/// A metric over a range of days, with exactly the rows that it counts.
#[must_use]
pub fn explain(
    facts: &Facts,
    rules: &Rules,
    measured: &Measured,
    range: &Range,
    metric: Metric,
) -> Explained {
    let counting = Counting {
        facts,
        rules,
        measured,
        range,
        by: By::Quarter,
        edition: Edition::default(),
    };
    let (answer, samples) = match metric {
        Metric::DeploymentFrequency => (
            counting.deployment_frequency(),
            counting.production_deployments(),
        ),
        Metric::LeadTime => (counting.lead_time(), counting.deployed_pull_requests()),
        Metric::ChangeFailureRate => (
            counting.change_failure_rate(),
            counting.counted_deployments(),
        ),
        Metric::RecoveryTime => (counting.recovery(), counting.recoveries()),
        Metric::TimeToRestore => (counting.restore(), counting.resolved_incidents()),
        Metric::ReworkRate => (counting.rework(), counting.reworked_deployments()),
    };
    let samples = counting.divided(samples);
    let mut parts: Vec<Part> = samples.whole().iter().map(part).collect();
    parts.sort_by(|one, other| (one.at, &one.row).cmp(&(other.at, &other.row)));
    Explained { answer, parts }
}

fn part(sample: &Sample) -> Part {
    Part {
        row: sample.row.clone(),
        at: sample.moment,
        minutes: sample.minutes,
        is_counted: sample.is_counted,
        because: sample.because.clone(),
    }
}
