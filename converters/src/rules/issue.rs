//! What an issue's state and kind mean.

use super::Rules;

impl Rules {
    /// Status of an issue in this state: TODO, `IN_PROGRESS`, DONE or OTHER.
    #[must_use]
    pub fn issue_status_of(&self, state: &str) -> &'static str {
        let state = state.trim().to_lowercase();
        let found = self
            .issue_status
            .iter()
            .find(|(_, states)| states.contains(&state));
        found.map_or("OTHER", |(status, _)| status)
    }

    /// Type of an issue of this kind; empty for a kind that no list has.
    #[must_use]
    pub fn issue_type_of(&self, kind: &str) -> &str {
        let kind = kind.trim().to_lowercase();
        let found = self.issue_type.iter().find(|(known, _)| *known == kind);
        found.map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_kinds_are_compared_trimmed_and_without_case() {
        let rules = Rules {
            issue_status: vec![
                ("TODO", vec!["new".to_owned(), "open".to_owned()]),
                ("DONE", vec!["resolved".to_owned()]),
            ],
            issue_type: vec![("bug".to_owned(), "BUG".to_owned())],
            ..Rules::default()
        };
        for (state, expected) in [
            ("new", "TODO"),
            (" Open ", "TODO"),
            ("RESOLVED", "DONE"),
            ("?", "OTHER"),
        ] {
            assert_eq!(rules.issue_status_of(state), expected, "{state}");
        }
        for (kind, expected) in [("bug", "BUG"), (" Bug", "BUG"), ("task", "")] {
            assert_eq!(rules.issue_type_of(kind), expected, "{kind}");
        }
    }
}
