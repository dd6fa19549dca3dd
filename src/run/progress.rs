//! One step while it runs: what it has done so far, and how its end is noted.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use headwater_collectors as collectors;
use headwater_store::runs::StepRecord;
use tracing::Span;

use super::steps::{ScopeRun, Step, Stop};
use super::{Runner, Tally};
use crate::exit::chain;
use crate::report::{Event, Place, StepSummary};
use crate::source::GIT;

impl ScopeRun<'_> {
    /// Notes a finished step in the database, in the tally, and for whoever watches.
    pub(super) async fn end(
        &self,
        progress: Progress<'_>,
        mut summary: StepSummary,
        tally: &mut Tally,
    ) -> Step<()> {
        summary.seconds = progress.began.elapsed().as_secs_f64();
        if summary.state.is_empty() {
            summary.state = if summary.rejected > 0 {
                "partial"
            } else {
                "success"
            };
        }
        tally.step(&summary);
        if progress.place.stage == "collect" && progress.place.stream != GIT {
            tally.changed(progress.place.stream, summary.written);
        } else if progress.place.stage == "extract" && progress.place.stream == GIT {
            tally.changed("commits", summary.items);
        }
        let is_first = (progress.place.stage == "collect") == self.plan.stages.collect;
        if is_first && matches!(summary.state, "success" | "partial") {
            tally.achieved();
        }
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let record = StepRecord {
            stage: progress.place.stage.to_owned(),
            stream: progress.place.stream.to_owned(),
            state: summary.state.to_owned(),
            items: count(summary.items),
            written: count(summary.written),
            removed: count(summary.removed),
            requests: count(summary.requests),
            started_at: Some(progress.began_at),
            finished_at: Some(self.runner.clock.now()),
            message: summary.message.clone(),
        };
        let store = &self.runner.store;
        // What cannot be read is said again.
        summary.said_before = summary.state == "success"
            && store
                .was_said(&self.job.scope, &record)
                .await
                .unwrap_or(false);
        let recorded = store.record_step(self.run, &self.job.scope, &record).await;
        if let Err(error) = &recorded {
            summary.state = "failed";
            summary.message = chain(error);
        }
        self.runner.reporter.event(&Event::StepFinished {
            place: progress.place.clone(),
            summary,
        });
        recorded.map_err(|error| Stop::from(&error))
    }
}

pub(super) fn cancelled() -> StepSummary {
    StepSummary {
        state: "cancelled",
        ..StepSummary::default()
    }
}

pub(super) fn failed(error: &dyn std::error::Error) -> StepSummary {
    StepSummary {
        state: "failed",
        message: chain(error),
        ..StepSummary::default()
    }
}

/// Counts what a step does and reports it.
pub(super) struct Progress<'a> {
    runner: &'a Runner,
    place: Place,
    /// The step, for the log: what happens in it is entered below it.
    pub(super) span: Span,
    began: Instant,
    began_at: DateTime<Utc>,
    sums: Mutex<collectors::Progress>,
}

impl<'a> Progress<'a> {
    pub(super) fn begin(
        scope_run: &ScopeRun<'a>,
        stage: &'static str,
        stream: &'static str,
    ) -> Self {
        let job = &scope_run.job;
        let place = Place {
            scope: format!("{}:{}", job.connection, job.scope.full_name),
            stage,
            stream,
        };
        let span = tracing::info_span!(
            "step",
            connection = job.connection,
            scope = job.scope.full_name,
            stage,
            stream
        );
        let started = Event::StepStarted {
            place: place.clone(),
        };
        scope_run.runner.reporter.event(&started);
        Self {
            runner: scope_run.runner,
            place,
            span,
            began: Instant::now(),
            began_at: scope_run.runner.clock.now(),
            sums: Mutex::default(),
        }
    }

    pub(super) fn tell_items(&self, items: u64) {
        let more = collectors::Progress {
            items,
            ..collectors::Progress::default()
        };
        self.tell(more, 0);
    }

    /// Tells how far git is with a transfer.
    pub(super) fn tell_transfer(&self, transfer: &headwater_git::Progress) {
        self.runner.reporter.event(&Event::StepProgress {
            place: self.place.clone(),
            items: transfer.done,
            done: transfer.done,
            expected: transfer.total,
            waiting: 0,
        });
    }

    pub(super) fn tell(&self, more: collectors::Progress, waiting: u64) {
        let sums = {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            sums.items += more.items;
            sums.parents += more.parents;
            sums.expected_parents += more.expected_parents;
            *sums
        };
        let known = sums.expected_parents > 0;
        self.runner.reporter.event(&Event::StepProgress {
            place: self.place.clone(),
            items: sums.items,
            done: if known { sums.parents } else { sums.items },
            expected: known.then_some(sums.expected_parents),
            waiting,
        });
    }
}
