//! The number of the pull request that a commit's subject says it merges.

/// What servers begin the subject of a merge with, before the number.
const BEGINNINGS: [&str; 3] = [
    "Merge pull request #",
    "Merged pull request #",
    "Pull request #",
];

/// What they end it with, before the number and a bracket.
const ENDINGS: [&str; 2] = ["(pull request #", "(#"];

/// The number of the pull request that a subject, the first line of a message, names as merged:
/// `Merged in feature/x (pull request #12)`, `Merge pull request #12 from ...`,
/// `Pull request #12: ...`, `Title (#12)`. What a revert takes back is named in quotes, which is no
/// end of a subject.
#[must_use]
pub fn merged_number(subject: &str) -> Option<i64> {
    let subject = subject.trim();
    let begun = BEGINNINGS.iter().find_map(|words| {
        let rest = subject.strip_prefix(words)?;
        let end = rest.find(|it: char| !it.is_ascii_digit());
        let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
        // `Pull request #12's tests` is about it.
        let ends = rest.is_empty() || rest.starts_with([' ', ':', '.', ',']);
        number(digits).filter(|_| ends)
    });
    begun.or_else(|| {
        let rest = subject.strip_suffix(')')?;
        let start = rest.rfind(|it: char| !it.is_ascii_digit())? + 1;
        // A sign of several bytes is no `#`.
        let (words, digits) = (rest.get(..start)?, rest.get(start..)?);
        let ends = ENDINGS.iter().any(|ending| words.ends_with(ending));
        number(digits).filter(|_| ends)
    })
}

fn number(digits: &str) -> Option<i64> {
    digits.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_write_the_number_at_the_ends_of_a_subject() {
        for (subject, expected) in [
            ("Merged in feature/x (pull request #12)", Some(12)),
            ("Merged feature/x into main (pull request #12) ", Some(12)),
            ("Merge pull request #12 from ann/topic", Some(12)),
            (
                "Merge pull request #12 in ACME/rocket from a to b",
                Some(12),
            ),
            ("Merge pull request #12", Some(12)),
            ("Pull request #12: Faster", Some(12)),
            ("Faster (#12)", Some(12)),
            ("Faster (#7) (#12)", Some(12)),
            ("Revert \"Faster (#7)\"", None),
            ("Revert \"Faster (#7)\" (#12)", Some(12)),
            ("Faster #12", None),
            ("Pull request #12's tests", None),
            ("Faster (see #12)", None),
            ("Faster (#12) again", None),
            ("(#)", None),
            ("(#0)", None),
            ("(#99999999999999999999)", None),
            ("Merge pull request #", None),
            (")", None),
            ("", None),
            ("é)", None),
            ("(#é12)", None),
        ] {
            assert_eq!(merged_number(subject), expected, "{subject}");
        }
    }

    proptest! {
        #[test]
        fn any_subject_can_be_read(text in any::<String>(), number in 1..i64::MAX) {
            let _ = merged_number(&text);
            prop_assert_eq!(merged_number(&format!("x{text} (#{number})")), Some(number));
        }
    }
}
