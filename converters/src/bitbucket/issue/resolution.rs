//! When an issue was resolved: from its change log where that was collected, else its last change.

use chrono::{DateTime, Utc};
use headwater_domain::Sourced;
use headwater_domain::tool::bitbucket::{issue, issue_change};

use crate::rules::issue::DONE;
use crate::rules::{Rules, untraced};

/// When the issue became what it is (UTC); none while it is not done.
pub(in crate::bitbucket) fn date(
    issue: &issue::Model,
    changes: &[Sourced<issue_change::Model>],
    rules: &Rules,
) -> Option<DateTime<Utc>> {
    let is_done = |state: &str| {
        let status = rules.issue_status_of(state, &mut untraced);
        !state.is_empty() && status == DONE
    };
    if !is_done(&issue.state) {
        return None;
    }
    let resolving = changes.iter().map(|change| &change.row).filter(|change| {
        // From one state of being done to another, it stays done.
        change.field == "state" && is_done(&change.new_value) && !is_done(&change.old_value)
    });
    let logged = resolving.filter_map(|change| change.bitbucket_created_at);
    logged.max().or(issue.bitbucket_updated_at)
}

/// Whole minutes from report to resolution.
pub(super) fn lead_time(
    reported: Option<DateTime<Utc>>,
    resolved: Option<DateTime<Utc>>,
) -> Option<i64> {
    let minutes = (resolved? - reported?).num_minutes();
    (minutes >= 0).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// State before, state after, when.
    type Logged = (&'static str, &'static str, i64);

    fn at(seconds: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0)
    }

    fn log(changes: &[Logged]) -> Vec<Sourced<issue_change::Model>> {
        let row = |(old, new, when): &Logged| Sourced {
            row: issue_change::Model {
                field: "state".to_owned(),
                old_value: (*old).to_owned(),
                new_value: (*new).to_owned(),
                bitbucket_created_at: at(*when),
                ..issue_change::Model::default()
            },
            origin: headwater_domain::Origin::default(),
        };
        changes.iter().map(row).collect()
    }

    #[test]
    fn an_issue_is_resolved_when_it_last_became_done() {
        let cases: [(&str, &[Logged], Option<i64>); 6] = [
            ("open", &[("open", "resolved", 5)], None),
            ("closed", &[], Some(100)),
            ("closed", &[("new", "open", 5)], Some(100)),
            (
                "closed",
                &[("open", "resolved", 5), ("resolved", "closed", 9)],
                Some(5),
            ),
            (
                "resolved",
                &[
                    ("new", "resolved", 5),
                    ("resolved", "open", 7),
                    ("open", "resolved", 9),
                ],
                Some(9),
            ),
            ("wontfix", &[("", "wontfix", 3)], Some(3)),
        ];
        for (state, changes, expected) in cases {
            let issue = issue::Model {
                state: state.to_owned(),
                bitbucket_updated_at: at(100),
                ..issue::Model::default()
            };
            assert_eq!(
                date(&issue, &log(changes), &Rules::default()),
                expected.and_then(at),
                "{state} {changes:?}"
            );
        }
    }

    #[test]
    fn lead_time_is_in_whole_minutes_and_never_negative() {
        assert_eq!(lead_time(at(0), at(119)), Some(1));
        assert_eq!(lead_time(at(0), None), None);
        assert_eq!(lead_time(at(120), at(0)), None);
    }
}
