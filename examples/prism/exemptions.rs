//! Where the real service departs from Atlassian's description of it.
//!
//! All of it is null where the description has something. Recordings of the service show it, so
//! the simulator sends it and headwater has to live with it. Nothing else is forgiven.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Failure;
use crate::front::Violation;

/// A place that may be null.
pub(crate) struct Exemption {
    /// End of the place in the answer, list items being `*`.
    place: &'static str,
    /// Why that is right.
    pub(crate) reason: &'static str,
}

const EXEMPTIONS: [Exemption; 12] = [
    Exemption {
        place: ".author",
        reason: "the author of a pull request is null when the account is gone",
    },
    Exemption {
        place: ".closed_by",
        reason: "nobody closed an open pull request, and accounts go",
    },
    Exemption {
        place: ".source.repository",
        reason: "the source repository is null when the fork is gone",
    },
    Exemption {
        place: ".participants.*.state",
        reason: "a participant who has not voted has the state null, which the description \
                 lists as a value while it asks for text",
    },
    Exemption {
        place: ".mainbranch",
        reason: "a repository that nobody has pushed to has no main branch",
    },
    Exemption {
        place: ".user",
        reason: "the author of a comment is null when the account is gone",
    },
    Exemption {
        place: ".content",
        reason: "a deleted comment may have the content null",
    },
    Exemption {
        place: ".values.*.old",
        reason: "a file that was added had no path before",
    },
    Exemption {
        place: ".values.*.new",
        reason: "a file that was removed has no path any more",
    },
    Exemption {
        place: ".tagger",
        reason: "nobody is known to have made a lightweight tag",
    },
    Exemption {
        place: ".date",
        reason: "a lightweight tag has no time of its own",
    },
    Exemption {
        place: ".message",
        reason: "a lightweight tag has no message",
    },
];

impl Exemption {
    /// The exemption for a violation; none when it is to be mended.
    pub(crate) fn of(violation: &Violation, body: &Value) -> Option<&'static Self> {
        if !violation.value(body).is_some_and(Value::is_null) {
            return None;
        }
        let place = violation.place();
        EXEMPTIONS.iter().find(|known| place.ends_with(known.place))
    }

    /// Fails when an exemption was not needed: the list shall not be longer than it has to.
    pub(crate) fn all_needed(used: &BTreeMap<&'static str, usize>) -> Result<(), Failure> {
        for Self { place, reason } in &EXEMPTIONS {
            if !used.contains_key(reason) {
                return Err(format!("{place} is exempt and nothing is wrong there").into());
            }
        }
        Ok(())
    }
}
