//! What a walk asks a list for.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::progress::WalkState;
use url::Url;

use super::backfill::Missing;
use super::commit_range::Span;
use super::{OVERLAP, shift_detection};
use crate::endpoint::Collection;
use crate::engine::Task;

/// Before the bounds of a question.
const LOWER: &str = " lower=";

/// Before the upper one of them.
const UPPER: &str = " upper=";

/// What a walk asks for.
pub(super) struct Plan {
    /// Only items that changed at this time or later (UTC).
    pub(super) lower: Option<DateTime<Utc>>,
    /// True when the walk sees every item in range, so that what it misses is gone.
    pub(super) complete: bool,
    pub(super) data_after: Option<DateTime<Utc>>,
    /// Which commits, of a list that has heads.
    pub(super) span: Option<Span>,
    /// The part of the range that is not known yet, where only that is asked for.
    pub(super) missing: Option<Missing>,
}

impl Plan {
    /// What changed since the last walk, of a list of which that can be asked; else all of it.
    pub(super) fn new(
        task: &Task<'_>,
        collection: &Collection,
        stored: &WalkState,
        data_after: Option<DateTime<Utc>>,
    ) -> Self {
        // A range that reaches further back than what was walked makes everything new, where the
        // part that is missing cannot be asked for alone.
        let widened = stored.is_exceeded_by(data_after);
        let incremental = stored.complete && !widened && !task.range.full;
        let newest_first = collection.endpoint.newest_first;
        let again = newest_first.map(|newest| TimeDelta::hours(newest.again_hours));
        let since = stored
            .since
            .filter(|_| incremental)
            .map(|since| since - again.unwrap_or(OVERLAP));
        let filtered = collection.endpoint.is_by_time();
        Self {
            lower: since.max(data_after).filter(|_| filtered),
            complete: since.is_none() || !filtered,
            data_after,
            span: None,
            missing: None,
        }
    }

    /// Everything back to a time.
    pub(super) fn whole(collection: &Collection, data_after: Option<DateTime<Utc>>) -> Self {
        Self {
            lower: data_after.filter(|_| collection.endpoint.is_by_time()),
            complete: true,
            data_after,
            span: None,
            missing: None,
        }
    }

    /// The question as text: an interrupted walk is resumed only for the same question.
    pub(super) fn question(&self) -> String {
        if let Some(span) = &self.span {
            return span.question();
        }
        let lower = self.lower.map(|time| time.to_rfc3339());
        let upper = self.missing.as_ref().map_or_else(String::new, |missing| {
            format!("{UPPER}{}", missing.upper.to_rfc3339())
        });
        format!(
            "complete={}{LOWER}{}{upper}",
            self.complete,
            lower.unwrap_or_default()
        )
    }

    /// What an interrupted walk asks for, where that differs from this in nothing but how far back
    /// it reaches. None where it is something else, or nothing was interrupted.
    pub(super) fn interrupted(&self, stored: &WalkState) -> Option<Self> {
        stored.resume_at.as_ref()?;
        let asked = shift_detection::question(stored.resume_query.as_deref()?);
        let (_, bounds) = asked.split_once(LOWER)?;
        let lower = bounds.split_once(UPPER).map_or(bounds, |(lower, _)| lower);
        let lower = match lower {
            "" => None,
            lower => Some(
                DateTime::parse_from_rfc3339(lower)
                    .ok()?
                    .with_timezone(&Utc),
            ),
        };
        let plan = Self {
            lower,
            complete: self.complete,
            data_after: lower,
            span: None,
            missing: self.missing.clone(),
        };
        (plan.question() == asked).then_some(plan)
    }

    pub(super) fn begin(&self, stored: &WalkState) -> WalkState {
        let mut state = stored.clone();
        let asked = stored
            .resume_query
            .as_deref()
            .map(shift_detection::question);
        if state.resume_at.is_none() || asked != Some(self.question().as_str()) {
            state.walk += 1;
            state.resume_at = None;
            state.resume_since = None;
        }
        state
    }

    pub(super) fn first_url(&self, collection: &Collection, list_url: &Url) -> Url {
        if let Some(span) = &self.span {
            return span.first_url(list_url);
        }
        let mut url = list_url.clone();
        let dialect = collection.endpoint.dialect;
        let before = self.missing.as_ref().map(|missing| missing.upper);
        let since = collection.endpoint.since;
        let filter = since.and_then(|since| (dialect.filter)(since, self.lower, before));
        if let Some((name, filter)) = filter {
            url.query_pairs_mut().append_pair(name, &filter);
        }
        if let Some(page) = self.missing.as_ref().and_then(|missing| missing.page) {
            collection.begin_at(&mut url, page);
        }
        url
    }
}
