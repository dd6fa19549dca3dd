//! What an issue's state and kind mean.

use super::{Finding, Rules, Trace, TraceEntry};

/// States that mean something where nothing else is configured.
pub const USUAL_STATUS: [(&str, &[&str]); 4] = [
    ("TODO", &["new", "open"]),
    ("IN_PROGRESS", &["on hold"]),
    (
        "DONE",
        &["resolved", "closed", "duplicate", "invalid", "wontfix"],
    ),
    ("OTHER", &[]),
];

/// Types and their kinds where nothing else is configured.
pub const USUAL_TYPES: [(&str, &[&str]); 2] = [
    ("BUG", &["bug"]),
    ("REQUIREMENT", &["enhancement", "proposal", "task"]),
];

/// The status of what is done.
pub const DONE: &str = "DONE";

const OTHER: &str = "OTHER";

impl Rules {
    /// Status of an issue in this state: TODO, `IN_PROGRESS`, DONE or OTHER. States are compared
    /// trimmed and without case.
    pub fn issue_status_of<'a>(&'a self, state: &'a str, log: Trace<'_, 'a>) -> &'static str {
        let folded = state.trim().to_lowercase();
        let mut tell = |rule, found| {
            log(TraceEntry {
                decides: "status",
                rule,
                subject: "state of the issue",
                text: state,
                found,
            });
        };
        for (status, states) in &self.issue_status {
            let rule = list_of(status);
            if states.contains(&folded) {
                tell(rule, Finding::Listed(status));
                return status;
            }
            let empty = states.is_empty();
            tell(
                rule,
                if empty {
                    Finding::Unset
                } else {
                    Finding::Unlisted
                },
            );
        }
        tell("any other state", Finding::Told(OTHER));
        OTHER
    }

    /// Type of an issue of this kind; empty for a kind that no list has. Kinds are compared
    /// trimmed and without case.
    pub fn issue_type_of<'a>(&'a self, kind: &'a str, log: Trace<'_, 'a>) -> &'a str {
        let folded = kind.trim().to_lowercase();
        let found = self.issue_type.iter().find(|(known, _)| *known == folded);
        log(TraceEntry {
            decides: "type",
            rule: "issue_type",
            subject: "kind of the issue",
            text: kind,
            found: match found {
                Some((_, name)) => Finding::Listed(name),
                None => Finding::Unlisted,
            },
        });
        found.map_or("", |(_, name)| name)
    }
}

/// The list of a status, as the configuration names it.
fn list_of(status: &str) -> &'static str {
    match status {
        "TODO" => "issue_status.todo",
        "IN_PROGRESS" => "issue_status.in_progress",
        "DONE" => "issue_status.done",
        _ => "issue_status.other",
    }
}

pub(super) fn usual_status() -> Vec<(&'static str, Vec<String>)> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    USUAL_STATUS
        .map(|(status, states)| (status, owned(states)))
        .to_vec()
}

pub(super) fn usual_types() -> Vec<(String, String)> {
    let types = USUAL_TYPES.into_iter();
    let each = |(name, kinds): (&str, &'static [&str])| {
        let name = name.to_owned();
        kinds
            .iter()
            .map(move |&kind| (kind.to_owned(), name.clone()))
    };
    types.flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::untraced;

    fn status(rules: &Rules, state: &str) -> &'static str {
        rules.issue_status_of(state, &mut untraced)
    }

    #[test]
    fn every_state_of_bitbucket_has_a_status() {
        for (state, expected) in [
            ("new", "TODO"),
            ("open", "TODO"),
            ("On Hold ", "IN_PROGRESS"),
            ("resolved", "DONE"),
            ("closed", "DONE"),
            ("duplicate", "DONE"),
            ("invalid", "DONE"),
            ("wontfix", "DONE"),
            ("submitted", "OTHER"),
            ("", "OTHER"),
        ] {
            assert_eq!(status(&Rules::default(), state), expected, "{state}");
        }
    }

    #[test]
    fn every_kind_of_bitbucket_has_a_type() {
        for (kind, expected) in [
            ("bug", "BUG"),
            (" Bug", "BUG"),
            ("enhancement", "REQUIREMENT"),
            ("proposal", "REQUIREMENT"),
            ("task", "REQUIREMENT"),
            ("chore", ""),
            ("", ""),
        ] {
            let rules = Rules::default();
            assert_eq!(rules.issue_type_of(kind, &mut untraced), expected, "{kind}");
        }
    }

    #[test]
    fn configured_lists_replace_the_usual_ones() {
        let rules = Rules {
            issue_status: vec![("DONE", vec!["resolved".to_owned()])],
            issue_type: vec![("outage".to_owned(), "INCIDENT".to_owned())],
            ..Rules::default()
        };
        for (state, expected) in [(" RESOLVED", "DONE"), ("new", "OTHER")] {
            assert_eq!(status(&rules, state), expected, "{state}");
        }
        for (kind, expected) in [("Outage", "INCIDENT"), ("bug", "")] {
            assert_eq!(rules.issue_type_of(kind, &mut untraced), expected, "{kind}");
        }
    }

    #[test]
    fn every_list_tells_whether_it_has_the_state() {
        let rules = Rules::default();
        let mut told = Vec::new();
        rules.issue_status_of("Closed", &mut |entry| told.push((entry.rule, entry.found)));
        assert_eq!(
            told,
            [
                ("issue_status.todo", Finding::Unlisted),
                ("issue_status.in_progress", Finding::Unlisted),
                ("issue_status.done", Finding::Listed("DONE")),
            ]
        );
    }
}
