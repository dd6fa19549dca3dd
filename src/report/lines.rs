//! Plain lines, for logs and pipes.

use chrono::{DateTime, Utc};

use crate::output;

use super::digest::Digest;
use super::times;
use super::{Place, Report, Reporter, RunSummary, StepSummary};

/// Prints a line when a repository is done, and what a run came to.
#[derive(Default)]
pub struct Lines {
    digest: Digest,
}

impl Lines {
    /// Lines also of every step.
    #[must_use]
    pub fn verbose() -> Self {
        let digest = Digest::verbose();
        Self { digest }
    }
}

impl Reporter for Lines {
    fn event(&self, report: &Report) {
        for (tone, line) in self.digest.lines(report) {
            output::toned(tone, line);
        }
    }

    fn closing(&self, line: &str) {
        output::line(line);
    }
}

pub(super) fn limited_line(
    connection: &str,
    (until, now): (DateTime<Utc>, DateTime<Utc>),
    cause: &str,
) -> String {
    let why = match cause {
        "server" => "the server asks to wait",
        _ => "this hour's requests are used up",
    };
    let until = times::local(until, now);
    format!("{connection}: rate limit: {why}; goes on at {until}")
}

/// A line for each minute of a wait.
pub(super) fn waiting_line(
    connection: &str,
    (until, now): (DateTime<Utc>, DateTime<Utc>),
    seconds: u64,
) -> String {
    let (left, until) = (times::duration(seconds), times::local(until, now));
    format!("{connection}: waits {left} more for the rate limit, until {until}")
}

/// A line for each minute of an even pace.
pub(super) fn paced_line(
    connection: &str,
    (finishes_at, now): (DateTime<Utc>, DateTime<Utc>),
    seconds: u64,
) -> String {
    let (left, end) = (times::duration(seconds), times::local(finishes_at, now));
    format!("{connection}: requests go evenly for the rate limit; done in {left}, at about {end}")
}

/// `1 row`, `2,345 rows`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{} {noun}", with_commas(count))
}

pub(crate) fn with_commas(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn step_line(place: &Place, summary: &StepSummary) -> String {
    let Place {
        scope,
        stage,
        stream,
    } = place;
    let mut parts = vec![
        format!("{} read", with_commas(summary.items)),
        format!("{} written", with_commas(summary.written)),
    ];
    if summary.removed > 0 {
        parts.push(format!("{} removed", with_commas(summary.removed)));
    }
    if summary.rejected > 0 {
        parts.push(format!("{} rejected", with_commas(summary.rejected)));
    }
    if summary.unknown > 0 {
        parts.push(format!("{} unknown", with_commas(summary.unknown)));
    }
    if summary.requests > 0 {
        parts.push(counted(summary.requests, "request", "requests"));
    }
    for (count, what) in [
        (summary.unknown_hashes, "unknown"),
        (summary.ambiguous_hashes, "ambiguous"),
    ] {
        if count > 0 {
            let hashes = counted(count, "short hash", "short hashes");
            parts.push(format!("{hashes} {what}"));
        }
    }
    let facts = parts.join(", ");
    let mut line = format!(
        "{scope} {stage} {stream}: {facts} ({:.1} s)",
        summary.seconds
    );
    if summary.state != "success" {
        line = format!("{line} {}", summary.state);
    }
    if !summary.message.is_empty() {
        line = format!("{line}: {}", summary.message);
    }
    line
}

pub(super) fn run_line(summary: &RunSummary) -> String {
    let requests = counted(summary.requests, "request", "requests");
    let changed = if summary.written + summary.removed == 0 {
        "nothing changed, no rows written".to_owned()
    } else {
        format!(
            "{} written, {} removed",
            counted(summary.written, "row", "rows"),
            with_commas(summary.removed)
        )
    };
    let mut line = format!(
        "{}: {changed}, {requests}, {:.1} s",
        summary.state, summary.seconds
    );
    if summary.rejected > 0 {
        let rejected = counted(summary.rejected, "item", "items");
        line = format!("{line}; {rejected} could not be processed, the next run tries again");
    }
    let others = summary.others_failed;
    let unfinished = [
        (
            summary.scopes_failed.saturating_sub(others),
            "repository",
            "repositories",
        ),
        (
            others,
            "workspace or connection",
            "workspaces or connections",
        ),
    ];
    let unfinished = unfinished.into_iter().filter(|(count, ..)| *count > 0);
    let unfinished: Vec<String> = unfinished
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
    if !unfinished.is_empty() {
        line = format!("{line}; {} did not finish", unfinished.join(" and "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
        assert_eq!(counted(1_234_567, "row", "rows"), "1,234,567 rows");
    }

    #[test]
    fn a_step_tells_of_hashes_that_stay_short() {
        let place = Place {
            scope: "c:acme/rocket".to_owned(),
            stage: "convert",
            stream: "pull_requests",
        };
        let summary = StepSummary {
            state: "success",
            items: 9,
            unknown_hashes: 3,
            ambiguous_hashes: 1,
            ..StepSummary::default()
        };
        assert_eq!(
            step_line(&place, &summary),
            "c:acme/rocket convert pull_requests: 9 read, 0 written, 3 short hashes unknown, \
             1 short hash ambiguous (0.0 s)"
        );
    }

    #[test]
    fn only_repositories_are_counted_as_repositories() {
        for (failed, others, expected) in [
            (
                2,
                1,
                "; 1 repository and 1 workspace or connection did not finish",
            ),
            (2, 0, "; 2 repositories did not finish"),
            (1, 1, "; 1 workspace or connection did not finish"),
        ] {
            let summary = RunSummary {
                state: "partial",
                scopes_failed: failed,
                others_failed: others,
                ..RunSummary::default()
            };
            assert!(
                run_line(&summary).ends_with(expected),
                "{}",
                run_line(&summary)
            );
        }
    }

    #[test]
    fn a_run_that_changed_nothing_says_so() {
        let summary = RunSummary {
            state: "success",
            requests: 7,
            ..RunSummary::default()
        };
        assert_eq!(
            run_line(&summary),
            "success: nothing changed, no rows written, 7 requests, 0.0 s"
        );
    }
}
