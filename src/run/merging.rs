//! The step that links merged pull requests with the commits they became.

use headwater_converters::{Outcome, merges};

use super::Tally;
use super::progress::Progress;
use super::steps::{ScopeRun, Step};
use crate::entities;
use crate::report::{Event, counted};

impl ScopeRun<'_> {
    /// Links merged pull requests with commits, when something changed that this follows from.
    pub(super) async fn link_merges(&self, tally: &mut Tally) -> Step<()> {
        let (store, scope) = (self.runner.store, &self.job.scope);
        if scope.is_workspace() || !entities::links_merges(self.runner.source, &self.job.streams) {
            return Ok(());
        }
        let stale = merges::is_stale(store, scope).await;
        if matches!(stale, Ok(false)) {
            return Ok(());
        }
        let progress = Progress::begin(self, "convert", "merges");
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let done = match stale {
            Ok(_) => merges::run(store, scope, &self.repository_id(), &watch).await,
            // Told as the step that could not begin.
            Err(error) => Err(error),
        };
        if let Ok(outcome) = &done {
            self.tell_unlinked(outcome);
        }
        let done = done.map(|outcome| Outcome {
            items: outcome.items,
            changes: outcome.changes,
            ..Outcome::default()
        });
        self.end_conversion(progress, done, tally).await
    }

    /// Says how many were not linked, when something was written about it.
    fn tell_unlinked(&self, outcome: &merges::Outcome) {
        let changed = outcome.changes.written + outcome.changes.removed > 0;
        if outcome.unlinked == 0 || !changed {
            return;
        }
        let message = format!(
            "{}:{}: no commit was found of {}; the table unlinked_pull_requests says why",
            self.job.connection,
            self.job.scope.full_name,
            counted(
                outcome.unlinked,
                "merged pull request",
                "merged pull requests"
            )
        );
        self.runner.reporter.event(&Event::Notice { message });
    }
}
