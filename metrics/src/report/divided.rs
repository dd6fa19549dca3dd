//! Samples of a range, divided by period, repository or environment.

use chrono::{NaiveDate, Weekday};

use crate::calendar::{named, period_of};
use crate::{By, Moment, Range};
use std::collections::BTreeMap;

/// One deployment, pull request, recovery or incident.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Id of the deployment, pull request or incident.
    pub(super) row: String,
    /// Why it counts as it does.
    pub(super) because: String,
    /// The moment that decides whether it is in range.
    pub(super) moment: Moment,
    pub(super) minutes: Option<i64>,
    pub(super) seconds: Option<i64>,
    /// Whether it is among those that a share counts.
    pub(super) is_counted: bool,
    pub(super) repositories: Vec<String>,
    pub(super) environments: Vec<String>,
}

/// Samples of a range, and of its parts.
pub(super) struct Divided {
    whole: Vec<Sample>,
    parts: Vec<(String, Vec<Sample>)>,
}

impl Divided {
    /// `groups` are repositories or environments that are listed even without samples.
    pub(super) fn new(
        range: &Range,
        by: By,
        week_start: Weekday,
        groups: Vec<String>,
        mut samples: Vec<Sample>,
    ) -> Self {
        samples.retain(|sample| range.has(sample.moment));
        let parts = match by {
            By::Repository => grouped(groups, &samples, |sample| &sample.repositories),
            By::Environment => grouped(groups, &samples, |sample| &sample.environments),
            _ => in_periods(range, by, week_start, &samples),
        };
        Self {
            whole: samples,
            parts,
        }
    }

    pub(super) fn whole(&self) -> &[Sample] {
        &self.whole
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &[Sample])> {
        self.parts
            .iter()
            .map(|(name, samples)| (name.as_str(), samples.as_slice()))
    }
}

fn grouped<'s>(
    groups: Vec<String>,
    samples: &'s [Sample],
    names: impl Fn(&'s Sample) -> &'s [String],
) -> Vec<(String, Vec<Sample>)> {
    let mut parts: BTreeMap<String, Vec<Sample>> =
        groups.into_iter().map(|name| (name, Vec::new())).collect();
    for sample in samples {
        for name in names(sample) {
            parts.entry(name.clone()).or_default().push(sample.clone());
        }
    }
    parts.into_iter().collect()
}

fn in_periods(
    range: &Range,
    by: By,
    week_start: Weekday,
    samples: &[Sample],
) -> Vec<(String, Vec<Sample>)> {
    let periods = range.periods(by, week_start);
    let mut parts: BTreeMap<NaiveDate, Vec<Sample>> = periods
        .into_iter()
        .map(|period| (period, Vec::new()))
        .collect();
    for sample in samples {
        let period = period_of(range.day_of(sample.moment), by, week_start);
        parts.entry(period).or_default().push(sample.clone());
    }
    let parts = parts.into_iter();
    parts
        .map(|(period, samples)| (named(period, by), samples))
        .collect()
}
