//! Days, weeks, months and quarters in a project's time zone.

use std::fmt;

use chrono::offset::LocalResult;
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Weekday,
};
use chrono_tz::Tz;

use crate::Moment;

/// By what a metric is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Calendar days.
    Day,
    /// Weeks from the project's first weekday on.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// The project's repositories.
    Repository,
    /// Names of environments.
    Environment,
}

impl By {
    /// The name of the part in an answer: `period`, `repository` or `environment`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Environment => "environment",
            _ => "period",
        }
    }

    /// How the command line spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Repository => "repository",
            Self::Environment => "environment",
        }
    }
}

/// Why two days are no range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeError {
    from: NaiveDate,
    to: NaiveDate,
}

impl fmt::Display for RangeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the range ends before it begins: {} is not before {}; the last day is not part of a range",
            self.from, self.to
        )
    }
}

impl std::error::Error for RangeError {}

/// The days from `from` to the day before `to`, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    from: NaiveDate,
    to: NaiveDate,
    zone: Tz,
    start: Moment,
    end: Moment,
}

impl Range {
    /// The days from `from` to the day before `to`.
    ///
    /// # Errors
    /// When `to` is not later than `from`.
    pub fn new(from: NaiveDate, to: NaiveDate, zone: Tz) -> Result<Self, RangeError> {
        if to <= from {
            return Err(RangeError { from, to });
        }
        Ok(Self {
            from,
            to,
            zone,
            start: first_instant(from, zone),
            end: first_instant(to, zone),
        })
    }

    /// The range where none is given: the six months before tomorrow.
    #[must_use]
    pub fn until_today(now: Moment, zone: Tz) -> Self {
        let to = day_of(now, zone) + Days::new(1);
        let from = to - Months::new(6);
        Self {
            from,
            to,
            zone,
            start: first_instant(from, zone),
            end: first_instant(to, zone),
        }
    }

    /// The first day.
    #[must_use]
    pub fn from(&self) -> NaiveDate {
        self.from
    }

    /// The day after the last one.
    #[must_use]
    pub fn to(&self) -> NaiveDate {
        self.to
    }

    /// Whether a moment is in the range.
    #[must_use]
    pub fn has(&self, moment: Moment) -> bool {
        (self.start..self.end).contains(&moment)
    }

    pub(crate) fn days(&self) -> i64 {
        (self.to - self.from).num_days()
    }

    pub(crate) fn day_of(&self, moment: Moment) -> NaiveDate {
        day_of(moment, self.zone)
    }

    /// First days of the periods that touch the range, ascending.
    pub(crate) fn periods(&self, by: By, week_start: Weekday) -> Vec<NaiveDate> {
        let mut periods = Vec::new();
        let mut period = period_of(self.from, by, week_start);
        while period < self.to {
            periods.push(period);
            period = next(period, by);
        }
        periods
    }

    /// First days of the periods that are in the range as a whole; all that touch it if none is.
    pub(crate) fn complete_periods(&self, by: By, week_start: Weekday) -> Vec<NaiveDate> {
        let touched = self.periods(by, week_start);
        let is_complete =
            |period: &&NaiveDate| **period >= self.from && next(**period, by) <= self.to;
        let complete: Vec<NaiveDate> = touched.iter().filter(is_complete).copied().collect();
        if complete.is_empty() {
            touched
        } else {
            complete
        }
    }
}

/// The first day of the period that a day is in.
pub(crate) fn period_of(day: NaiveDate, by: By, week_start: Weekday) -> NaiveDate {
    let first_of = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
    match by {
        By::Week => day - Days::new(u64::from(day.weekday().days_since(week_start))),
        By::Month => first_of(day.month()),
        By::Quarter => first_of(day.month0() / 3 * 3 + 1),
        By::Day | By::Repository | By::Environment => day,
    }
}

fn next(period: NaiveDate, by: By) -> NaiveDate {
    match by {
        By::Week => period + Days::new(7),
        By::Month => period + Months::new(1),
        By::Quarter => period + Months::new(3),
        By::Day | By::Repository | By::Environment => period + Days::new(1),
    }
}

/// The name of a period: its first day, `2024-12`, or `2024-Q4`.
pub(crate) fn named(period: NaiveDate, by: By) -> String {
    match by {
        By::Month => period.format("%Y-%m").to_string(),
        By::Quarter => format!("{}-Q{}", period.format("%Y"), period.month0() / 3 + 1),
        _ => period.to_string(),
    }
}

fn day_of(moment: Moment, zone: Tz) -> NaiveDate {
    let moment = DateTime::from_timestamp_millis(moment).unwrap_or_default();
    moment.with_timezone(&zone).date_naive()
}

/// Midnight; the end of the gap where there is none, the earlier of two.
fn first_instant(day: NaiveDate, zone: Tz) -> Moment {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    if let Some(moment) = earliest(midnight, zone) {
        return moment;
    }
    // Within a gap no local time exists, after it all do: the first that does is looked for.
    let (mut missing, mut existing) = (0, 49 * 3600);
    while existing - missing > 1 {
        let middle = i64::midpoint(missing, existing);
        match earliest(midnight + TimeDelta::seconds(middle), zone) {
            Some(_) => existing = middle,
            None => missing = middle,
        }
    }
    earliest(midnight + TimeDelta::seconds(existing), zone)
        .unwrap_or_else(|| midnight.and_utc().timestamp_millis())
}

fn earliest(local: NaiveDateTime, zone: Tz) -> Option<Moment> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) => Some(moment.timestamp_millis()),
        LocalResult::Ambiguous(one, other) => Some(one.min(other).timestamp_millis()),
        LocalResult::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn starts(text: &str, zone: Tz) -> String {
        let moment = DateTime::from_timestamp_millis(first_instant(day(text), zone)).unwrap();
        moment.to_rfc3339()
    }

    #[test]
    fn a_day_begins_at_local_midnight_or_where_the_clock_goes_on() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(starts("2024-03-31", berlin), "2024-03-30T23:00:00+00:00");
        assert_eq!(starts("2024-04-01", berlin), "2024-03-31T22:00:00+00:00");
        // Midnight did not exist: the clock went from 23:59:59 to 01:00.
        let sao_paulo = chrono_tz::America::Sao_Paulo;
        assert_eq!(starts("2018-11-04", sao_paulo), "2018-11-04T03:00:00+00:00");
        // Midnight was there twice.
        let havana = chrono_tz::America::Havana;
        assert_eq!(starts("2024-11-03", havana), "2024-11-03T04:00:00+00:00");
        // A whole day did not exist.
        let apia = chrono_tz::Pacific::Apia;
        assert_eq!(starts("2011-12-30", apia), "2011-12-30T10:00:00+00:00");
        assert_eq!(starts("2011-12-31", apia), "2011-12-30T10:00:00+00:00");
    }

    #[test]
    fn periods_are_all_that_touch_the_range() {
        let range = Range::new(day("2024-12-31"), day("2025-01-07"), Tz::UTC).unwrap();
        let named = |by| -> Vec<String> {
            let periods = range.periods(by, Weekday::Mon);
            periods.into_iter().map(|it| named(it, by)).collect()
        };
        assert_eq!(named(By::Week), ["2024-12-30", "2025-01-06"]);
        assert_eq!(named(By::Month), ["2024-12", "2025-01"]);
        assert_eq!(named(By::Quarter), ["2024-Q4", "2025-Q1"]);
        assert_eq!(named(By::Day).len(), 7);
        assert_eq!(range.periods(By::Week, Weekday::Sun).len(), 2);
        // No week is complete: both count.
        assert_eq!(range.complete_periods(By::Week, Weekday::Mon).len(), 2);
    }

    #[test]
    fn six_months_before_the_last_of_august_end_with_february() {
        let now = day("2024-08-30").and_hms_opt(12, 0, 0).unwrap().and_utc();
        let range = Range::until_today(now.timestamp_millis(), Tz::UTC);
        assert_eq!(
            (range.from(), range.to()),
            (day("2024-02-29"), day("2024-08-31"))
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let error = Range::new(day("2024-05-06"), day("2024-05-06"), Tz::UTC).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("2024-05-06 is not before 2024-05-06")
        );
    }
}
