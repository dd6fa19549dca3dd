//! The bounds of lists that the server cannot filter: by the time of creation.

use chrono::{DateTime, Utc};

use crate::endpoint::Endpoint;
use crate::key::field;
use crate::page::RawItem;

/// When an item was created; none where it does not say.
pub(crate) fn created_at(endpoint: &Endpoint, item: &RawItem) -> Option<DateTime<Utc>> {
    if endpoint.created.is_empty() {
        return None;
    }
    let text = field(&item.0, endpoint.created)?;
    endpoint.dialect.times.read(&text)
}

/// The time by which an item is in a range (UTC): that of its last change where the list can be
/// asked for changes, else that of its creation. None where it tells none.
pub(crate) fn time_in_range(endpoint: &Endpoint, item: &[u8]) -> Option<DateTime<Utc>> {
    let text = match endpoint.since {
        Some(since) => field(item, &[since.field])?,
        None if endpoint.created.is_empty() => return None,
        None => field(item, endpoint.created)?,
    };
    endpoint.dialect.times.read(&text)
}

/// True when a page of a list with the newest item in front has come to what is known.
pub(crate) fn reaches(
    endpoint: &Endpoint,
    items: &[RawItem],
    lower: Option<DateTime<Utc>>,
) -> bool {
    let Some(lower) = lower.filter(|_| endpoint.newest_first.is_some()) else {
        return false;
    };
    // One item out of order, or without a time, ends nothing: the last one must be known.
    let last = items.last().and_then(|item| created_at(endpoint, item));
    last.is_some_and(|last| last < lower)
}

/// True when a page's first item was created at this time or later.
pub(crate) fn begins_at(endpoint: &Endpoint, items: &[RawItem], at: DateTime<Utc>) -> bool {
    let first = items.first().and_then(|item| created_at(endpoint, item));
    first.is_some_and(|first| first >= at)
}

/// False when an item is newer than one before it. What has no time is passed over.
pub(crate) fn is_newest_first(
    endpoint: &Endpoint,
    items: &[RawItem],
    last: &mut Option<DateTime<Utc>>,
) -> bool {
    let mut is_ordered = true;
    for at in items.iter().filter_map(|item| created_at(endpoint, item)) {
        is_ordered &= last.is_none_or(|last| at <= last);
        *last = Some(at);
    }
    is_ordered
}

/// Leaves out what was created before the wanted range. What has no time is kept.
pub(crate) fn leave_out_older(
    endpoint: &Endpoint,
    items: &mut Vec<RawItem>,
    data_after: Option<DateTime<Utc>>,
) {
    if let Some(data_after) = data_after {
        items.retain(|item| created_at(endpoint, item).is_none_or(|at| at >= data_after));
    }
}

#[cfg(test)]
mod tests {
    use headwater_domain::tool::bitbucket::deployment::Deployments;
    use headwater_domain::tool::bitbucket::pipeline::Pipelines;

    use super::*;
    use crate::endpoint::Collect;

    fn pipeline(day: u32, ended: bool) -> RawItem {
        let ended = if ended {
            r#","completed_on":"2026-11-30T00:00:00Z""#
        } else {
            ""
        };
        let data = format!(
            r#"{{"uuid":"{{{day}}}","created_on":"{}"{ended}}}"#,
            text(day)
        );
        RawItem(data.into_bytes())
    }

    fn text(day: u32) -> String {
        format!("2026-11-{day:02}T00:00:00.123Z")
    }

    fn day(day: u32) -> DateTime<Utc> {
        let time = DateTime::parse_from_rfc3339(&text(day)).unwrap();
        time.with_timezone(&Utc)
    }

    #[test]
    fn a_walk_ends_at_the_page_that_comes_to_what_is_known() {
        let page = [pipeline(9, true), pipeline(5, true)];
        for (lower, expected) in [
            (Some(day(4)), false),
            (Some(day(5)), false),
            (Some(day(6)), true),
            (None, false),
        ] {
            assert_eq!(
                reaches(&Pipelines::ENDPOINT, &page, lower),
                expected,
                "{lower:?}"
            );
        }
        let nameless = [pipeline(5, true), RawItem(b"{}".to_vec())];
        assert!(!reaches(&Pipelines::ENDPOINT, &nameless, Some(day(6))));
        assert!(
            !reaches(&Deployments::ENDPOINT, &page, Some(day(6))),
            "it is in no order"
        );
    }

    #[test]
    fn an_item_newer_than_the_one_before_breaks_the_order() {
        let endpoint = &Pipelines::ENDPOINT;
        let mut last = None;
        let page = [
            pipeline(9, true),
            pipeline(9, false),
            RawItem(b"{}".to_vec()),
            pipeline(7, true),
        ];
        assert!(is_newest_first(endpoint, &page, &mut last));
        assert!(is_newest_first(endpoint, &[pipeline(7, true)], &mut last));
        assert!(!is_newest_first(endpoint, &[pipeline(8, true)], &mut last));
    }

    #[test]
    fn what_was_created_before_the_range_is_left_out() {
        let mut page = vec![
            pipeline(9, true),
            pipeline(5, true),
            RawItem(b"{}".to_vec()),
        ];
        leave_out_older(&Pipelines::ENDPOINT, &mut page, Some(day(9)));
        assert_eq!(page.len(), 2);
        leave_out_older(&Pipelines::ENDPOINT, &mut page, None);
        assert_eq!(page.len(), 2);
    }
}
