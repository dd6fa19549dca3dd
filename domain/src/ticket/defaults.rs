//! What an issue's state and kind mean where nobody configured anything else.

/// The status of a state: TODO, `IN_PROGRESS`, DONE or OTHER. Case does not matter.
#[must_use]
pub fn status(state: &str) -> &'static str {
    match state.trim().to_lowercase().as_str() {
        "new" | "open" => "TODO",
        "on hold" => "IN_PROGRESS",
        "resolved" | "closed" | "duplicate" | "invalid" | "wontfix" => "DONE",
        _ => "OTHER",
    }
}

/// The type of a kind: BUG or REQUIREMENT; a kind that nobody knows stays what it is. Case does
/// not matter.
#[must_use]
pub fn kind(kind: &str) -> String {
    match kind.trim().to_lowercase().as_str() {
        "bug" => "BUG".to_owned(),
        "enhancement" | "proposal" | "task" => "REQUIREMENT".to_owned(),
        _ => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_bitbucket_has_a_status() {
        let cases = [
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
        ];
        for (state, expected) in cases {
            assert_eq!(status(state), expected, "{state}");
        }
    }

    #[test]
    fn every_kind_of_bitbucket_has_a_type() {
        let cases = [
            ("bug", "BUG"),
            ("Bug", "BUG"),
            ("enhancement", "REQUIREMENT"),
            ("proposal", "REQUIREMENT"),
            ("task", "REQUIREMENT"),
            ("chore", "chore"),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
