//! When people work: from nine to half past five of their own time, not at weekends, and hardly at the end
//! of a year and in the middle of August.

use chrono::{Datelike as _, NaiveDate, TimeDelta, Weekday};

use crate::world::model::Time;

/// Minutes after midnight at which a working day begins and ends.
const BEGINS: i64 = 9 * 60;
const ENDS: i64 = 17 * 60 + 30;

/// So many minutes of work later, for a person whose local time is that many minutes ahead of UTC.
pub(super) fn after(from: Time, zone: i64, minutes: i64) -> Time {
    let shift = TimeDelta::minutes(zone);
    let mut local = from + shift;
    let mut left = TimeDelta::minutes(minutes.max(0));
    loop {
        let day = midnight(local);
        let begins = day + TimeDelta::minutes(BEGINS);
        let ends = day + TimeDelta::minutes(ENDS);
        if works(day.date_naive()) && local < ends {
            let begun = local.max(begins);
            if begun + left < ends {
                return begun + left - shift;
            }
            left -= ends - begun;
        }
        local = begins + TimeDelta::days(1);
    }
}

/// Midnight before a moment.
pub(super) fn midnight(at: Time) -> Time {
    at.date_naive()
        .and_hms_opt(0, 0, 0)
        .map_or(at, |midnight| midnight.and_utc())
}

fn works(day: NaiveDate) -> bool {
    let holidays = [(12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (5, 1)];
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
        && !holidays.contains(&(day.month(), day.day()))
}

/// How much is begun in a week, in percent of the usual.
pub(super) fn busyness(week: Time) -> i64 {
    match (week.month(), week.day()) {
        (12, 18..) | (1, 1..=5) => 15,
        (8, 5..=18) => 35,
        _ => 100,
    }
}

/// The Monday before a moment, at midnight.
pub(super) fn monday(at: Time) -> Time {
    let days = at.weekday().num_days_from_monday();
    midnight(at) - TimeDelta::days(i64::from(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stops_in_the_evening_and_goes_on_after_the_weekend() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        for (from, zone, minutes, expected) in [
            ("2026-11-27T10:00:00Z", 0, 30, "2026-11-27T10:30:00Z"),
            ("2026-11-27T17:00:00Z", 0, 60, "2026-11-30T09:30:00Z"),
            ("2026-11-28T12:00:00Z", 0, 5, "2026-11-30T09:05:00Z"),
            ("2026-11-27T03:00:00Z", 330, 90, "2026-11-27T05:00:00Z"),
            ("2026-12-23T17:00:00Z", 0, 60, "2026-12-28T09:30:00Z"),
        ] {
            assert_eq!(
                after(at(from), zone, minutes),
                at(expected),
                "{from} {zone}"
            );
        }
    }
}
