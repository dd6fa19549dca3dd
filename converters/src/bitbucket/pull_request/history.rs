//! What the activity log of a pull request says, in order: the only source of merge, decline and
//! approval times.

use chrono::{DateTime, TimeDelta, Utc};
use headwater_domain::tool::bitbucket::{pull_request, pull_request_activity as activity};
use headwater_domain::{Origin, Sourced};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    pub(super) kind: &'static str,
    pub(super) actor_id: &'a str,
    actor_name: &'a str,
    pub(super) at: Option<DateTime<Utc>>,
    /// Key of the log entry; none for the creation, which the pull request itself gives.
    pub(super) activity_key: Option<&'a str>,
    /// Raw row of the log entry; none as above.
    pub(super) origin: Option<&'a Origin>,
}

/// How a pull request ended; all empty while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ending {
    /// When it was merged (UTC).
    pub(super) merged_at: Option<DateTime<Utc>>,
    /// When it was merged or declined (UTC).
    pub(super) closed_at: Option<DateTime<Utc>>,
    /// Account id of who merged it; empty unless it is merged.
    pub(super) merged_by_id: String,
    /// Display name of who merged it; empty unless it is merged.
    pub(super) merged_by_name: String,
}

/// A pull request and the events read from its log.
pub(super) struct History<'a> {
    pull_request: &'a pull_request::Model,
    events: Vec<Event<'a>>,
}

impl<'a> History<'a> {
    pub(super) fn of(
        pull_request: &'a pull_request::Model,
        log: &'a [Sourced<activity::Model>],
    ) -> Self {
        let mut entries: Vec<_> = log.iter().collect();
        entries.sort_by_key(|entry| (entry.row.happened_at, entry.row.activity_key.as_str()));
        let mut events = vec![Event {
            kind: "created",
            actor_id: &pull_request.author_id,
            actor_name: &pull_request.author_name,
            at: pull_request.bitbucket_created_at,
            activity_key: None,
            origin: None,
        }];
        let mut updates = Updates::default();
        for entry in entries {
            let kind = match entry.row.kind.as_str() {
                "approval" => Some("approved"),
                "changes_requested" => Some("changes requested"),
                _ => updates.kind_of(&entry.row),
            };
            if let Some(kind) = kind {
                events.push(Event {
                    kind,
                    actor_id: &entry.row.actor_id,
                    actor_name: &entry.row.actor_name,
                    at: entry.row.happened_at,
                    activity_key: Some(&entry.row.activity_key),
                    origin: Some(&entry.origin),
                });
            }
        }
        Self {
            pull_request,
            events,
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = Event<'a>> + '_ {
        self.events.iter().cloned()
    }

    fn last(&self, kind: &str) -> Option<&Event<'a>> {
        self.events.iter().rfind(|event| event.kind == kind)
    }

    /// How it ended, from the log (decision 11); where the log does not tell, when and by whom the
    /// pull request itself says that it was closed (decision 40), and last the merge commit's date.
    pub(super) fn ending(&self) -> Ending {
        match self.pull_request.state.as_str() {
            "MERGED" => self.merge(),
            "OPEN" => Ending::default(),
            _ => Ending {
                closed_at: match self.last("declined") {
                    Some(event) => event.at,
                    None => self.pull_request.closed_at,
                },
                ..Ending::default()
            },
        }
    }

    fn merge(&self) -> Ending {
        let merge = self.last("merged");
        let merged_at = match merge {
            Some(event) => event.at,
            None => self.pull_request.closed_at.or(self.pull_request.merged_at),
        };
        let (merged_by_id, merged_by_name) = match merge {
            Some(event) if !event.actor_id.is_empty() => (event.actor_id, event.actor_name),
            _ => (
                self.pull_request.merged_by_id.as_str(),
                self.pull_request.merged_by_name.as_str(),
            ),
        };
        Ending {
            merged_at,
            closed_at: merged_at,
            merged_by_id: merged_by_id.to_owned(),
            merged_by_name: merged_by_name.to_owned(),
        }
    }
}

/// How long after the first entry of a log another one may repeat it. Logs of 2019 to 2024 have
/// them 0.04 to 0.11 seconds apart.
const REPEATED_WITHIN: TimeDelta = TimeDelta::seconds(2);

/// Tells what an update was by the state before it, since entries repeat the state they leave.
#[derive(Default)]
struct Updates<'a> {
    /// State after the last update; empty before the first.
    state: String,
    /// The entry that the log begins with, where it repeats the creation.
    creation: Option<&'a activity::Model>,
}

impl<'a> Updates<'a> {
    /// None for what repeats the creation: the entry that the log begins with, and a second one
    /// that differs in its date only.
    fn kind_of(&mut self, update: &'a activity::Model) -> Option<&'static str> {
        if self.creation.is_some_and(|first| repeats(first, update)) {
            return None;
        }
        let is_first = self.state.is_empty();
        let kind = self.after(update);
        if is_first && kind.is_none() {
            self.creation = Some(update);
        }
        kind
    }

    fn after(&mut self, update: &activity::Model) -> Option<&'static str> {
        let before = std::mem::replace(&mut self.state, update.state.clone());
        if before == update.state {
            return Some("updated");
        }
        match update.state.as_str() {
            "MERGED" => Some("merged"),
            "DECLINED" | "SUPERSEDED" => Some("declined"),
            _ if before.is_empty() && update.changed_fields.is_empty() => None,
            "OPEN" if !before.is_empty() => Some("reopened"),
            _ => Some("updated"),
        }
    }
}

/// Whether an entry says what the first one said, right after it.
fn repeats(first: &activity::Model, update: &activity::Model) -> bool {
    let times = first.happened_at.zip(update.happened_at);
    let soon = times.is_some_and(|(first, at)| at - first <= REPEATED_WITHIN);
    let same = (&first.content_hash, &first.actor_id) == (&update.content_hash, &update.actor_id);
    soon && same && !first.content_hash.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, kind: &str, state: &str, changed: &str) -> Sourced<activity::Model> {
        Sourced {
            row: activity::Model {
                kind: kind.to_owned(),
                state: state.to_owned(),
                changed_fields: changed.to_owned(),
                happened_at: DateTime::from_timestamp(second, 0),
                activity_key: format!("{kind} {second}"),
                actor_id: "ann".to_owned(),
                actor_name: "Ann".to_owned(),
                ..activity::Model::default()
            },
            origin: Origin::default(),
        }
    }

    fn kinds(state: &str, log: &[Sourced<activity::Model>]) -> Vec<&'static str> {
        let pull_request = pull_request::Model {
            state: state.to_owned(),
            ..pull_request::Model::default()
        };
        History::of(&pull_request, log)
            .events()
            .map(|e| e.kind)
            .collect()
    }

    #[test]
    fn a_log_newest_first_becomes_events_oldest_first() {
        let log = [
            entry(5, "update", "MERGED", "status"),
            entry(4, "approval", "", ""),
            entry(3, "changes_requested", "", ""),
            entry(2, "update", "OPEN", "title"),
            entry(1, "update", "OPEN", ""),
        ];
        let expected = [
            "created",
            "updated",
            "changes requested",
            "approved",
            "merged",
        ];
        assert_eq!(kinds("MERGED", &log), expected);
    }

    #[test]
    fn an_edit_after_the_merge_is_not_a_second_merge() {
        let log = [
            entry(1, "update", "OPEN", ""),
            entry(2, "update", "MERGED", ""),
            entry(3, "update", "MERGED", "title"),
        ];
        assert_eq!(kinds("MERGED", &log), ["created", "merged", "updated"]);
    }

    #[test]
    fn the_times_come_from_the_log_and_only_in_the_final_state() {
        let log = [
            entry(1, "update", "OPEN", ""),
            entry(9, "update", "DECLINED", ""),
        ];
        let declined = pull_request::Model {
            state: "DECLINED".to_owned(),
            merged_by_id: "bob".to_owned(),
            ..pull_request::Model::default()
        };
        let ending = Ending {
            closed_at: DateTime::from_timestamp(9, 0),
            ..Ending::default()
        };
        assert_eq!(History::of(&declined, &log).ending(), ending);
    }

    #[test]
    fn without_a_log_the_merge_commit_tells_the_time_and_the_closer_the_person() {
        let merged = pull_request::Model {
            state: "MERGED".to_owned(),
            merged_at: DateTime::from_timestamp(7, 0),
            merged_by_id: "bob".to_owned(),
            merged_by_name: "Bob".to_owned(),
            ..pull_request::Model::default()
        };
        let ending = Ending {
            merged_at: DateTime::from_timestamp(7, 0),
            closed_at: DateTime::from_timestamp(7, 0),
            merged_by_id: "bob".to_owned(),
            merged_by_name: "Bob".to_owned(),
        };
        assert_eq!(History::of(&merged, &[]).ending(), ending);
    }

    fn says(second: i64, content: &str) -> Sourced<activity::Model> {
        let mut entry = entry(second, "update", "OPEN", "");
        content.clone_into(&mut entry.row.content_hash);
        entry
    }

    #[test]
    fn what_repeats_the_creation_is_no_event() {
        for (case, log, expected) in [
            ("once", vec![says(1, "a")], vec!["created"]),
            ("twice", vec![says(1, "a"), says(2, "a")], vec!["created"]),
            (
                "twice, and a push",
                vec![says(1, "a"), says(2, "a"), says(3, "b")],
                vec!["created", "updated"],
            ),
            (
                "once, and a push at once",
                vec![says(1, "a"), says(2, "b")],
                vec!["created", "updated"],
            ),
            (
                "pushed there and back",
                vec![says(1, "a"), says(90, "b"), says(99, "a")],
                vec!["created", "updated", "updated"],
            ),
            (
                "the same again, much later",
                vec![says(1, "a"), says(99, "a")],
                vec!["created", "updated"],
            ),
            (
                "nothing is known of what it says",
                vec![says(1, ""), says(2, "")],
                vec!["created", "updated"],
            ),
        ] {
            assert_eq!(kinds("OPEN", &log), expected, "{case}");
        }
    }

    #[test]
    fn without_a_log_the_pull_request_tells_when_it_was_closed() {
        let closed = |state: &str| pull_request::Model {
            state: state.to_owned(),
            closed_at: DateTime::from_timestamp(8, 0),
            merged_at: DateTime::from_timestamp(7, 0),
            merged_by_id: "bob".to_owned(),
            ..pull_request::Model::default()
        };
        let at = DateTime::from_timestamp;
        let ending = |state: &str, log: &[Sourced<activity::Model>]| {
            let closed = closed(state);
            let ending = History::of(&closed, log).ending();
            (ending.merged_at, ending.closed_at, ending.merged_by_id)
        };
        let of = |merged, closed, by: &str| (merged, closed, by.to_owned());
        assert_eq!(ending("MERGED", &[]), of(at(8, 0), at(8, 0), "bob"));
        assert_eq!(ending("DECLINED", &[]), of(None, at(8, 0), ""));
        assert_eq!(ending("SUPERSEDED", &[]), of(None, at(8, 0), ""));
        assert_eq!(ending("OPEN", &[]), of(None, None, ""));
        let log = [
            entry(1, "update", "OPEN", ""),
            entry(5, "update", "MERGED", ""),
        ];
        assert_eq!(ending("MERGED", &log), of(at(5, 0), at(5, 0), "ann"));
    }
}
