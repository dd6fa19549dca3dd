//! What people write at the company.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::play::Kind;

const FEATURES: [&str; 7] = [
    "Add", "Show", "Extend", "Redesign", "Offer", "Support", "Move",
];
const FIXES: [&str; 4] = ["Fix", "Correct", "Stop losing", "Do not cache"];
const CHORES: [&str; 6] = ["Refactor", "Test", "Speed up", "Document", "Log", "Tidy up"];
const ENDINGS: [&str; 8] = [
    "for guests",
    "on small screens",
    "for business customers",
    "in the new client",
    "behind a flag",
    "across regions",
    "for large orders",
    "after a timeout",
];
const LIBRARIES: [&str; 6] = [
    "serde",
    "jackson",
    "react",
    "grpc",
    "openssl",
    "postgres-client",
];
const TROUBLES: [&str; 6] = [
    "Errors 500 around",
    "Timeouts in",
    "Wrong totals from",
    "Nothing but a blank page for",
    "Twice the usual load from",
    "Customers cannot use",
];
const REASONS: [&str; 6] = [
    "Support has three tickets about it.",
    "We agreed on this in the planning of last week.",
    "The old code read the value twice and trusted the first answer.",
    "Rolling back is a plain revert, no migration is involved.",
    "The flag stays off until the texts are translated.",
    "There is a follow-up for the documentation.",
];
const REMARKS: [&str; 12] = [
    "Could this be a constant?",
    "This fails on an empty list.",
    "Please add a test for the second branch.",
    "I would rather see an error here than a silent default.",
    "Why not reuse the existing parser?",
    "What happens when the request is sent twice?",
    "The name says the opposite of what it does.",
    "Is that covered by the contract test?",
    "Nice, this is much easier to read.",
    "How long does this take with ten thousand rows?",
    "Let us not log the whole address.",
    "Can we keep the old field for one more release?",
];
const ANSWERS: [&str; 6] = [
    "Done.",
    "Good point, changed.",
    "I added a test for it.",
    "In a follow-up, if you agree.",
    "It cannot be empty here, but I say so now.",
    "Renamed.",
];
const FINDINGS: [&str; 5] = [
    "It began with the last deployment.",
    "The logs show a missing index.",
    "We see it for one customer in five.",
    "The cache held the old price.",
    "Only the new client is concerned.",
];
const FILES: [&str; 6] = ["model", "handler", "client", "totals", "store", "view"];

pub(super) fn pick<'a, R: Rng + ?Sized>(rng: &mut R, from: &[&'a str]) -> &'a str {
    from.choose(rng).copied().unwrap_or_default()
}

/// The title of a change, and of the issue that asks for it.
pub(super) fn title<R: Rng + ?Sized>(rng: &mut R, kind: &Kind, things: &[&str]) -> String {
    let thing = pick(rng, things);
    let verb = match kind {
        Kind::Feature => pick(rng, &FEATURES),
        Kind::Fix => pick(rng, &FIXES),
        Kind::Dependency => {
            let (major, minor) = (rng.random_range(1..9), rng.random_range(0..30));
            return format!("Update {} to {major}.{minor}", pick(rng, &LIBRARIES));
        }
        _ => pick(rng, &CHORES),
    };
    if rng.random_bool(0.5) {
        format!("{verb} {thing} {}", pick(rng, &ENDINGS))
    } else {
        format!("{verb} {thing}")
    }
}

pub(super) fn trouble<R: Rng + ?Sized>(rng: &mut R, things: &[&str]) -> String {
    format!("{} {}", pick(rng, &TROUBLES), pick(rng, things))
}

pub(super) fn description<R: Rng + ?Sized>(rng: &mut R, issue: Option<u64>) -> String {
    let mut text = format!("{} {}", pick(rng, &REASONS), pick(rng, &REASONS));
    if let Some(issue) = issue {
        text = format!("{text}\n\nFixes #{issue}.");
    }
    text
}

pub(super) fn remark<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &REMARKS)
}

pub(super) fn answer<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &ANSWERS)
}

pub(super) fn finding<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &FINDINGS)
}

pub(super) fn reason<R: Rng + ?Sized>(rng: &mut R) -> &'static str {
    pick(rng, &REASONS)
}

pub(super) fn file<R: Rng + ?Sized>(rng: &mut R, language: &str) -> String {
    let ending = match language {
        "typescript" => "ts",
        "kotlin" => "kt",
        "rust" => "rs",
        other => other,
    };
    format!("src/{}.{ending}", pick(rng, &FILES))
}

/// A branch named after a change.
pub(super) fn branch(kind: &Kind, issue: Option<u64>, title: &str) -> String {
    let folder = match kind {
        Kind::Feature => "feature",
        Kind::Fix => "bugfix",
        Kind::Chore => "chore",
        Kind::Dependency => "renovate",
        Kind::Hotfix => "hotfix",
        Kind::Revert { .. } => "revert",
    };
    let words = crate::world::repositories::slug(title);
    match issue {
        Some(issue) => format!("{folder}/{issue}-{words}"),
        None => format!("{folder}/{words}"),
    }
}
