//! The steps that extract: raw rows to tool rows.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use headwater_extractors as extractors;
use headwater_store::StepContext;
use tracing::Instrument as _;

use super::Tally;
use super::progress::{Progress, cancelled, failed};
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::report::StepSummary;
use crate::source::StreamEntry;

/// Steps of a scope under way at once: one writes while the others read and compute.
const ABREAST: usize = 3;

impl ScopeRun<'_> {
    /// What an offline engine needs from outside.
    pub(super) fn context<'w>(
        &'w self,
        progress: &'w (dyn Fn(u64) + Send + Sync),
    ) -> StepContext<'w> {
        StepContext {
            now: self.runner.clock.now(),
            cancel: &self.runner.cancel,
            progress,
        }
    }

    /// Extracts these streams.
    pub(super) async fn extract_all(
        &self,
        streams: &[&StreamEntry],
        tally: &mut Tally,
    ) -> Step<()> {
        let steps = streams.iter().map(|entry| {
            let step = async move {
                let mut own = Tally::default();
                let done = self.extract(entry, &mut own).await;
                (own, done)
            };
            step.boxed()
        });
        self.beside_each_other(steps.collect(), tally).await
    }

    /// Runs steps of one stage, none of which reads what another writes unless it waits for that
    /// one and comes after it. Where one writer writes in turns, some read and compute while
    /// another has its turn; servers get them one by one, since their transactions would meet at
    /// the scope's sequence.
    pub(super) async fn beside_each_other(
        &self,
        steps: Vec<BoxFuture<'_, (Tally, Step<()>)>>,
        tally: &mut Tally,
    ) -> Step<()> {
        let width = if self.runner.store.writes_in_turns() {
            ABREAST
        } else {
            1
        };
        let mut ended = stream::iter(steps).buffered(width);
        let mut all = Ok(());
        while let Some((own, step)) = ended.next().await {
            tally.add(&own);
            all = all.and(step);
        }
        all
    }

    pub(super) async fn extract(&self, entry: &StreamEntry, tally: &mut Tally) -> Step<()> {
        let extraction = &entry.extraction;
        let progress = Progress::begin(self, "extract", extraction.stream);
        let tell = |items| progress.tell_items(items);
        let context = self.context(&tell);
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let rules = &self.job.rules;
        let extracting = extractors::engine::run(store, scope, extraction, rules, &context);
        let done = extracting.instrument(progress.span.clone()).await;
        self.end_extraction(progress, done, tally).await
    }

    pub(super) async fn extract_accounts(&self, tally: &mut Tally) -> Step<()> {
        let Some((accounts, _)) = self.job.source.accounts else {
            return Ok(());
        };
        let turn = self.take_turn().await?;
        let progress = Progress::begin(self, "extract", "accounts");
        let tell = |items| progress.tell_items(items);
        let context = self.context(&tell);
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let merging = extractors::accounts::run(store, scope, accounts, &context);
        let done = merging.instrument(progress.span.clone()).await;
        let released = self.end_turn(turn).await;
        self.end_extraction(progress, done, tally).await?;
        released
    }

    async fn end_extraction(
        &self,
        progress: Progress<'_>,
        done: Result<extractors::Extracted, extractors::Error>,
        tally: &mut Tally,
    ) -> Step<()> {
        let is_cancelled = matches!(done, Err(extractors::Error::Cancelled));
        let summary = done.map(|outcome| StepSummary {
            items: outcome.items,
            written: outcome.changes.written,
            removed: outcome.changes.removed,
            rejected: outcome.rejected,
            ..StepSummary::default()
        });
        self.end_offline(progress, summary, is_cancelled, tally)
            .await
    }

    /// Ends a step that only a cancelled run or the database can have stopped.
    pub(super) async fn end_offline<E: std::error::Error + 'static>(
        &self,
        progress: Progress<'_>,
        done: Result<StepSummary, E>,
        is_cancelled: bool,
        tally: &mut Tally,
    ) -> Step<()> {
        let (summary, step) = match done {
            Ok(summary) => (summary, Ok(())),
            Err(_) if is_cancelled => (cancelled(), Err(Stop::Scope)),
            Err(error) => (failed(&error), Err(stop_of(&error))),
        };
        self.end(progress, summary, tally).await?;
        step
    }
}
