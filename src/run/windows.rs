//! Windows: the times back to which everything is read before anything older is.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use headwater_collectors::chosen_lists;
use headwater_store::forecast::ChildLists;
use headwater_store::progress::WalkKey;
use headwater_store::{Store, StoreError};

use super::Job;
use crate::plan::Plan;

/// Days that the windows reach back.
const DAYS: [i64; 5] = [30, 90, 365, 730, 1460];

/// The times (UTC), the latest first, back to which lists are read before they are read as far
/// back as is wanted. They are midnights, so that runs of one day ask the same questions.
#[must_use]
pub fn windows(now: DateTime<Utc>, data_after: Option<DateTime<Utc>>) -> Vec<DateTime<Utc>> {
    let midnight = now.duration_trunc(TimeDelta::days(1)).unwrap_or(now);
    let times = DAYS.map(|days| midnight - TimeDelta::days(days));
    let is_nearer = |time: &DateTime<Utc>| data_after.is_none_or(|wanted| *time > wanted);
    times.into_iter().filter(is_nearer).collect()
}

/// Whether something of a scope that is read by time is missing, back to a window or, without one,
/// as far back as is wanted.
///
/// # Errors
/// When the database fails.
pub async fn lacks(
    store: &Store,
    plan: &Plan,
    job: &Job,
    window: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let reach = window.max(job.data_after);
    let scope = &job.scope;
    let chosen = |stream: &str| plan.streams.contains(&stream) && job.streams.contains(stream);
    for entry in job.source.streams_of(scope) {
        let list = &entry.collection;
        let stream = list.stream;
        if list.parent.is_some() || !list.endpoint.is_by_time() || !chosen(stream) {
            continue;
        }
        let walked = store.walk_state(WalkKey { scope, stream }).await?;
        let may_be_absent = list.endpoint.optional || list.endpoint.switch.is_some();
        if walked.walk == 0 && may_be_absent {
            continue;
        }
        if !walked.complete || walked.is_exceeded_by(reach) {
            return Ok(true);
        }
        for child in job.source.children_of(stream) {
            if !chosen(child.stream) {
                continue;
            }
            if let Some(chosen) = chosen_lists((store, scope), &child, &job.rules, false).await? {
                if chosen > 0 {
                    return Ok(true);
                }
                continue;
            }
            let done = store.checkpoint(scope, &child.children_step()).await?;
            let pending = ChildLists {
                parent_table: &list.raw_table,
                stream: child.stream,
                count: child.parent.as_ref().and_then(|(parent, _)| parent.count),
                pending_after: Some(done.seq),
            };
            if store.lists_to_read(scope, pending).await? > 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_back_from_midnight_and_not_beyond_what_is_wanted() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = time("2026-11-30T18:04:05.678Z");
        let near = [time("2026-10-31T00:00:00Z"), time("2026-09-01T00:00:00Z")];
        assert_eq!(windows(now, Some(time("2026-06-01T00:00:00Z"))), near);
        assert!(windows(now, Some(near[0])).is_empty());
        assert_eq!(windows(now, None).len(), DAYS.len());
        assert_eq!(windows(now, None)[..2], near);
    }
}
