//! The months of a calendar.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use headwater_domain::metrics::calendar_month::Model;

/// Months that two digits of a year tell apart.
const MOST: u32 = 99 * 12;

/// Every month from the first time to the last, and to the current one; of a longer span, the last
/// 99 years. Without times, the current month.
pub(super) fn months(
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> Vec<Model> {
    let (first, last) = span.unwrap_or((now, now));
    let last = first_day(last.max(now));
    let earliest = last.checked_sub_months(Months::new(MOST - 1));
    let mut day = first_day(first.min(now)).max(earliest.unwrap_or(last));
    let mut months = Vec::new();
    while day <= last {
        months.push(Model {
            month: day.format("%y/%m").to_string(),
            month_timestamp: day.and_hms_opt(0, 0, 0).map(|time| time.and_utc()),
        });
        let Some(next) = day.checked_add_months(Months::new(1)) else {
            break;
        };
        day = next;
    }
    months
}

fn first_day(time: DateTime<Utc>) -> NaiveDate {
    let day = time.date_naive();
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn named(first: &str, last: &str, now: &str) -> Vec<String> {
        let time = |text: &str| format!("{text}T12:00:00Z").parse().unwrap();
        let months = months(Some((time(first), time(last))), time(now));
        months.into_iter().map(|month| month.month).collect()
    }

    #[test]
    fn months_go_from_the_first_data_to_the_current_month_without_a_gap() {
        let months = named("2023-11-30", "2024-01-02", "2024-03-31");
        assert_eq!(months, ["23/11", "23/12", "24/01", "24/02", "24/03"]);
        assert_eq!(named("2025-05-01", "2025-06-01", "2025-05-31").len(), 2);
        let of_now = super::months(None, "2024-02-29T23:59:59Z".parse().unwrap());
        let time = of_now[0].month_timestamp.unwrap();
        assert_eq!(
            (of_now.len(), time.to_rfc3339().as_str()),
            (1, "2024-02-01T00:00:00+00:00")
        );
    }

    #[test]
    fn no_two_months_have_one_name_however_old_a_commit_says_it_is() {
        let months = named("1000-01-01", "2026-01-01", "2026-03-01");
        let distinct: BTreeSet<&String> = months.iter().collect();
        assert_eq!((distinct.len(), months.len()), (99 * 12, 99 * 12));
        assert_eq!(months.last().map(String::as_str), Some("26/03"));
    }
}
