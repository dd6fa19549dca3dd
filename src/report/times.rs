//! Times as a person reads them: in the reader's time zone.

use std::fmt::Display;

use chrono::{DateTime, Local, TimeZone, Utc};

/// A moment from now on, in the time zone of this machine: `14:05`, `Tue 14:05` or
/// `2026-12-24 14:05`.
#[must_use]
pub fn local(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    within(&Local, at, now)
}

/// The same in any time zone.
pub(crate) fn within<Z>(zone: &Z, at: DateTime<Utc>, now: DateTime<Utc>) -> String
where
    Z: TimeZone<Offset: Display>,
{
    let (at, now) = (at.with_timezone(zone), now.with_timezone(zone));
    let days = (at.date_naive() - now.date_naive()).num_days();
    let form = match days {
        0 => "%H:%M",
        1..=6 => "%a %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    at.format(form).to_string()
}

/// How long, in whole minutes: `1 h 15 min`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{} h", super::with_commas(hours)),
        (hours, minutes) => format!("{} h {minutes} min", super::with_commas(hours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_short_as_it_can_be_without_a_mistake() {
        let zone = chrono_tz::Europe::Berlin;
        let now = "2026-03-03T21:30:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-03-03T22:05:00Z", "23:05"),
            ("2026-03-03T23:05:00Z", "Wed 00:05"),
            ("2026-03-20T23:05:00Z", "2026-03-21 00:05"),
        ] {
            let at = at.parse().unwrap();
            assert_eq!(within(&zone, at, now), expected);
        }
    }
}
