//! On how many days something was deployed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, Weekday};

use super::divided::Sample;
use crate::calendar::period_of;
use crate::numbers::median;
use crate::{By, Range};

/// Months of a group.
const SIX_MONTHS: usize = 6;

/// Days with a deployment.
pub(super) struct Frequency {
    /// Distinct days.
    pub(super) deployment_days: i64,
    /// Lower median over weeks, empty ones too.
    pub(super) per_week: Option<i64>,
    /// Lower median over months.
    pub(super) per_month: Option<i64>,
    /// Lower median over groups of six months.
    pub(super) per_six_months: Option<i64>,
}

/// Of the deployments of a range: complete weeks and months, or all that touch the range if none
/// is complete.
pub(super) fn of(range: &Range, week_start: Weekday, deployments: &[Sample]) -> Frequency {
    let days: BTreeSet<NaiveDate> = deployments
        .iter()
        .map(|it| range.day_of(it.moment))
        .collect();
    let per = |by: By| -> Vec<i64> {
        let mut counts: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        for day in &days {
            *counts.entry(period_of(*day, by, week_start)).or_default() += 1;
        }
        let periods = range.complete_periods(by, week_start).into_iter();
        periods
            .map(|period| counts.get(&period).copied().unwrap_or_default())
            .collect()
    };
    let months = per(By::Month);
    Frequency {
        deployment_days: i64::try_from(days.len()).unwrap_or(i64::MAX),
        per_week: median(&mut per(By::Week)),
        per_six_months: median(&mut six_months(&months)),
        per_month: median(&mut months.clone()),
    }
}

/// Sums of six months each, counted back from the last one; what is left of the oldest months
/// counts only if there is no full group.
fn six_months(months: &[i64]) -> Vec<i64> {
    let groups = months.rchunks(SIX_MONTHS);
    let full = groups.clone().filter(|group| group.len() == SIX_MONTHS);
    let full: Vec<i64> = full.map(|group| group.iter().sum()).collect();
    if full.is_empty() {
        groups.map(|group| group.iter().sum()).collect()
    } else {
        full
    }
}

#[cfg(test)]
mod tests {
    use super::six_months;

    #[test]
    fn six_months_are_counted_back_from_the_last_one() {
        assert_eq!(six_months(&[9, 1, 1, 1, 1, 1, 1]), [6]);
        assert_eq!(six_months(&[2, 3]), [5]);
        assert_eq!(six_months(&[1; 12]), [6, 6]);
    }
}
