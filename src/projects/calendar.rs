//! The months of a calendar, and what puts them on the list of those to look at.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use headwater_domain::Scope;
use headwater_domain::metrics::calendar_month::Model;
use headwater_store::derivations::{Derivation, Input, Reach};
use headwater_store::measuring::dated_columns;
use headwater_store::{Changes, StepContext, Store, StoreError};
use tokio_util::sync::CancellationToken;

/// Raise it when other tables have dates: all of them are looked at again.
const RULES: &str = "v1";

/// The key that stands for all times there are; no month is named so.
const EVERYTHING: &str = "everything";

/// Months that are looked at in one go.
const PAGE: usize = 1024;

/// Months of which a time came, or went. There is no step of it: what it makes follows in no order.
pub(crate) fn derivation() -> Derivation {
    let dated = dated_columns().into_iter();
    let reads = dated.flat_map(|(table, columns)| columns.map(|it| Input::month(table, it)));
    Derivation {
        name: "calendar",
        reach: Reach::Everywhere,
        reads: reads.collect(),
        writes: Vec::new(),
        needs: &[],
    }
}

/// Makes `calendar_months` follow the times that came or went since the last time. The tables are
/// read only where one of these is in no month between the first one and the last one.
pub(super) async fn follow(store: &Store, now: DateTime<Utc>) -> Result<Changes, StoreError> {
    let (derivation, scope) = (derivation(), Scope::everywhere());
    let (step, cancel) = (derivation.step(), CancellationToken::new());
    let context = StepContext {
        now,
        cancel: &cancel,
        progress: &|_| (),
    };
    if store.checkpoint(&scope, &step).await?.rules != RULES {
        // Listed before changes are: whatever ends in between lists it again.
        let page = store.begin(&scope, now).await?;
        page.add_work(&step, vec![EVERYTHING.to_owned()]).await?;
        page.commit().await?;
        let listed = store.list_all_keys(&scope, &derivation, RULES, &context);
        listed.await?;
    }
    let mut changes = Changes::default();
    loop {
        let listed = store.take_keys(&scope, &step, PAGE, &context).await?;
        let known = store.known_months().await?;
        let is_known = |month: &String| known.is_some_and(|known| is_within(known, month, now));
        if !is_known(&named(now)) || !listed.iter().all(is_known) {
            changes += renew(store, now).await?;
        }
        if listed.is_empty() {
            return Ok(changes);
        }
        let page = store.begin(&scope, now).await?;
        page.finish_taken(&step, &listed)?;
        page.commit().await?;
    }
}

/// Makes `calendar_months` what all times say that are stored.
pub(super) async fn renew(store: &Store, now: DateTime<Utc>) -> Result<Changes, StoreError> {
    let months = months(store.span_of_data().await?, now);
    store.keep_months(months, now).await
}

/// How a month is listed.
fn named(time: DateTime<Utc>) -> String {
    time.format("%Y-%m").to_string()
}

/// Whether a time may come to a month, or go from it, and the calendar stays as it is: not the
/// first month, nor the last one unless that is the current one.
fn is_within(
    (first, last): (DateTime<Utc>, DateTime<Utc>),
    month: &str,
    now: DateTime<Utc>,
) -> bool {
    let (first, last, current) = (named(first), named(last), named(now));
    let is_current = month == current && month == last;
    // Years of more or fewer than four digits compare otherwise.
    month.len() == current.len() && (is_current || (*first < *month && *month < *last))
}

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
    fn a_month_inside_the_calendar_changes_nothing_and_its_ends_may() {
        let time = |text: &str| format!("{text}-15T00:00:00Z").parse().unwrap();
        let known = (time("2023-11"), time("2026-03"));
        for (month, now, expected) in [
            ("2024-01", "2026-03", true),
            ("2026-03", "2026-03", true),
            // Something of the future was there, and may have gone.
            ("2026-03", "2026-02", false),
            ("2023-11", "2026-03", false),
            ("2023-10", "2026-03", false),
            ("2026-04", "2026-03", false),
            ("+12024-01", "2026-03", false),
            (EVERYTHING, "2026-03", false),
        ] {
            let given = is_within(known, month, time(now));
            assert_eq!(given, expected, "{month} in {now}");
        }
    }

    #[test]
    fn no_two_months_have_one_name_however_old_a_commit_says_it_is() {
        let months = named("1000-01-01", "2026-01-01", "2026-03-01");
        let distinct: BTreeSet<&String> = months.iter().collect();
        assert_eq!((distinct.len(), months.len()), (99 * 12, 99 * 12));
        assert_eq!(months.last().map(String::as_str), Some("26/03"));
    }
}
