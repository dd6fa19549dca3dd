//! What the steps of a run add up to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::exit::Exit;
use crate::report::{RunSummary, ScopeSummary, StepSummary};

/// Sums over steps, and the worst that happened.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may have happened beside the others"
)]
pub struct Tally {
    scopes: u64,
    scopes_failed: u64,
    /// Those of them that are workspaces, and connections that could not be listed.
    others_failed: u64,
    written: u64,
    removed: u64,
    rejected: u64,
    requests: u64,
    /// Items that were new or different, by stream.
    changed: BTreeMap<&'static str, u64>,
    /// Something was not done, but the rest was.
    incomplete: bool,
    /// Some step of the run's first stage did what it is for: with collection, something of a
    /// source was read.
    achieved: bool,
    /// The credentials or their permissions did not suffice for some scope.
    refused: bool,
    /// Something of our own failed, such as the database.
    broken: bool,
    /// Another process worked on some scope.
    leased: bool,
}

impl Tally {
    /// The tally of one scope about to run.
    #[must_use]
    pub fn of_scope() -> Self {
        Self {
            scopes: 1,
            ..Self::default()
        }
    }

    /// The same in a round of a run: a scope is counted in the first one.
    #[must_use]
    pub fn of_round(mut self, round: usize) -> Self {
        if round > 0 {
            self.scopes = 0;
        }
        self
    }

    /// True for the tally of a scope that got to the end of its steps.
    #[must_use]
    pub fn went_on(&self) -> bool {
        self.scopes_failed == 0
    }

    /// Adds what a step did.
    pub fn step(&mut self, summary: &StepSummary) {
        self.written += summary.written;
        self.removed += summary.removed;
        self.rejected += summary.rejected;
        self.requests += summary.requests;
        self.incomplete |= summary.state != "success";
    }

    /// Notes items of a stream that were new or different.
    pub fn changed(&mut self, stream: &'static str, items: u64) {
        if items > 0 {
            *self.changed.entry(stream).or_default() += items;
        }
    }

    /// Notes a step of the run's first stage that did at least a part of its work.
    pub fn achieved(&mut self) {
        self.achieved = true;
    }

    /// Adds requests made outside steps.
    pub fn requests(&mut self, requests: u64) {
        self.requests += requests;
    }

    /// Notes that the scope did not finish.
    pub fn scope_failed(&mut self) {
        self.scopes_failed = 1;
        self.incomplete = true;
    }

    /// Notes that what did not finish is no repository.
    pub fn no_repository(&mut self) {
        self.others_failed = self.scopes_failed;
    }

    /// Notes that credentials or permissions did not suffice.
    pub fn refused(&mut self) {
        self.refused = true;
        self.incomplete = true;
    }

    /// Notes that something was left undone.
    pub fn left_undone(&mut self) {
        self.incomplete = true;
    }

    /// Notes that something of our own failed.
    pub fn broken(&mut self) {
        self.broken = true;
        self.incomplete = true;
    }

    /// Notes that another process works on the scope.
    pub fn leased(&mut self) {
        self.leased = true;
        self.incomplete = true;
    }

    /// True when something of our own failed.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Notes a connection whose repositories could not even be listed.
    pub fn connection_failed(&mut self) {
        self.scopes += 1;
        self.scopes_failed += 1;
        self.others_failed += 1;
        self.incomplete = true;
    }

    /// True when something was left undone.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.incomplete
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.scopes += other.scopes;
        self.scopes_failed += other.scopes_failed;
        self.others_failed += other.others_failed;
        self.written += other.written;
        self.removed += other.removed;
        self.rejected += other.rejected;
        self.requests += other.requests;
        self.incomplete |= other.incomplete;
        self.achieved |= other.achieved;
        self.refused |= other.refused;
        self.broken |= other.broken;
        self.leased |= other.leased;
    }

    /// The exit code this adds up to. What is left undone makes a run partial, and failed only
    /// when nothing at all was achieved: no repository got to its end, and no list of any was
    /// read.
    #[must_use]
    pub fn exit(&self, cancelled: bool) -> Exit {
        let all_failed = self.scopes == self.scopes_failed;
        match () {
            () if cancelled => Exit::Cancelled,
            () if self.broken => Exit::Failed,
            () if self.leased => Exit::Leased,
            () if self.refused && all_failed => Exit::Credentials,
            () if self.scopes_failed > 0 && all_failed && !self.achieved => Exit::Failed,
            () if self.incomplete => Exit::Partial,
            () => Exit::Ok,
        }
    }

    /// What reporters show of a scope whose tally this is.
    #[must_use]
    pub fn scope_summary(&self, cancelled: bool, elapsed: Duration) -> ScopeSummary {
        ScopeSummary {
            state: self.exit(cancelled).state(),
            changed: self.changed.clone(),
            written: self.written,
            removed: self.removed,
            rejected: self.rejected,
            requests: self.requests,
            seconds: elapsed.as_secs_f64(),
        }
    }

    /// The summary that reporters show.
    #[must_use]
    pub fn summary(&self, exit: Exit, elapsed: Duration) -> RunSummary {
        RunSummary {
            state: exit.state(),
            exit_code: exit.code(),
            scopes: self.scopes,
            scopes_failed: self.scopes_failed,
            others_failed: self.others_failed,
            written: self.written,
            removed: self.removed,
            rejected: self.rejected,
            requests: self.requests,
            seconds: elapsed.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(change: impl FnOnce(&mut Tally)) -> Tally {
        let mut tally = Tally::of_scope();
        change(&mut tally);
        tally
    }

    #[test]
    fn the_exit_code_tells_the_worst_that_happened() {
        let fine = || scope(|_| ());
        let failed = || scope(Tally::scope_failed);
        let refused = || {
            scope(|tally| {
                tally.scope_failed();
                tally.refused();
            })
        };
        let in_part = || {
            scope(|tally| {
                tally.achieved();
                tally.scope_failed();
            })
        };
        let cases = [
            (vec![fine(), fine()], Exit::Ok),
            (vec![fine(), failed()], Exit::Partial),
            (vec![failed(), failed()], Exit::Failed),
            (vec![refused(), refused()], Exit::Credentials),
            (vec![fine(), refused()], Exit::Partial),
            // One list of the only repository failed, and others were read.
            (vec![in_part()], Exit::Partial),
            (vec![in_part(), failed()], Exit::Partial),
            (vec![in_part(), scope(Tally::broken)], Exit::Failed),
            (vec![in_part(), scope(Tally::leased)], Exit::Leased),
            (vec![fine(), scope(Tally::broken)], Exit::Failed),
            (vec![fine(), scope(Tally::leased)], Exit::Leased),
            (vec![], Exit::Ok),
        ];
        for (tallies, expected) in cases {
            let mut sum = Tally::default();
            for tally in tallies {
                sum.add(&tally);
            }
            assert_eq!(sum.exit(false), expected, "{sum:?}");
            assert_eq!(sum.exit(true), Exit::Cancelled);
        }
    }
}
