//! The steps that work offline: raw rows to tool rows, and tool rows to domain rows.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use headwater_converters::{self as converters, diffs, issue_links};
use headwater_domain::id;
use headwater_extractors as extractors;
use headwater_store::Watch;
use tokio::sync::watch;

use super::Tally;
use super::progress::{Progress, cancelled, failed};
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::entities;
use crate::report::StepSummary;
use crate::source::StreamEntry;

/// Steps of a scope under way at once: one writes while the others read and compute.
const ABREAST: usize = 3;

impl ScopeRun<'_> {
    /// What an offline engine needs from outside.
    pub(super) fn watch<'w>(&'w self, progress: &'w (dyn Fn(u64) + Send + Sync)) -> Watch<'w> {
        Watch {
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

    /// Converts what the streams of this run feed.
    pub(super) async fn convert_all(&self, tally: &mut Tally) -> Step<()> {
        let source = &self.runner.source;
        let conversions = source.conversions_of(&self.job.scope);
        let wanted = conversions
            .filter(|conversion| entities::converts(source, &self.job.streams, conversion));
        // Which commits a repository has is written by some and read by others to know short
        // hashes in full: these come last, and wait.
        let (mut readers, mut others): (Vec<_>, Vec<_>) =
            wanted.partition(|conversion| conversion.resolves_hashes());
        others.sort_by_key(|conversion| !conversion.writes_commits());
        let writers = others
            .iter()
            .filter(|conversion| conversion.writes_commits());
        let (left, written) = watch::channel(writers.count());
        others.append(&mut readers);
        let left = &left;
        let steps = others.into_iter().map(|conversion| {
            let mut written = written.clone();
            let step = async move {
                let mut own = Tally::default();
                if conversion.resolves_hashes() {
                    // The other end outlives this step.
                    let _ = written.wait_for(|left| *left == 0).await;
                }
                let done = self.convert(conversion, &mut own).await;
                if conversion.writes_commits() {
                    left.send_modify(|left| *left -= 1);
                }
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
    async fn beside_each_other(
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
        let watch = self.watch(&tell);
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let rules = &self.job.rules;
        let done = extractors::engine::run(store, scope, extraction, rules, &watch).await;
        self.end_extraction(progress, done, tally).await
    }

    pub(super) async fn extract_accounts(&self, tally: &mut Tally) -> Step<()> {
        if self.runner.source.merged.is_empty() {
            return Ok(());
        }
        // Repositories of this process take turns, and so do processes.
        let _turn = self.shared.lock().await;
        let Some(lease) = self.lease_shared().await? else {
            return Err(Stop::Scope);
        };
        let progress = Progress::begin(self, "extract", "accounts");
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let done = extractors::accounts::run(&self.runner.store, &self.job.scope, &watch).await;
        let released = lease.release().await;
        self.end_extraction(progress, done, tally).await?;
        released.map_err(|error| self.broken(&error))
    }

    async fn end_extraction(
        &self,
        progress: Progress<'_>,
        done: Result<extractors::Outcome, extractors::Error>,
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

    async fn convert(&self, conversion: &converters::Conversion, tally: &mut Tally) -> Step<()> {
        // Accounts are written by every scope that mentions them.
        let mut turn = None;
        if conversion.name == "accounts" {
            let own = self.shared.lock().await;
            let Some(lease) = self.lease_shared().await? else {
                return Err(Stop::Scope);
            };
            turn = Some((own, lease));
        }
        let progress = Progress::begin(self, "convert", conversion.name);
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let done = converters::engine::run(store, scope, conversion, &self.job.rules, &watch).await;
        if let Some((_own, lease)) = turn {
            lease.release().await.map_err(|error| self.broken(&error))?;
        }
        self.end_conversion(progress, done, tally).await
    }

    async fn end_conversion(
        &self,
        progress: Progress<'_>,
        done: Result<converters::Outcome, converters::Error>,
        tally: &mut Tally,
    ) -> Step<()> {
        let is_cancelled = matches!(done, Err(converters::Error::Cancelled));
        let summary = done.map(|outcome| StepSummary {
            items: outcome.items,
            written: outcome.changes.written,
            removed: outcome.changes.removed,
            unknown_hashes: outcome.hashes.unknown,
            ambiguous_hashes: outcome.hashes.ambiguous,
            ..StepSummary::default()
        });
        self.end_offline(progress, summary, is_cancelled, tally)
            .await
    }

    /// Ends a step that only a cancelled run or the database can have stopped.
    async fn end_offline<E: std::error::Error + 'static>(
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

    /// The domain id of the scope's repository.
    pub(super) fn repository_id(&self) -> String {
        let scope = &self.job.scope;
        match &self.job.git {
            Some(git) => git.repo_id.clone(),
            None => id::repository(scope.connection_id, &scope.full_name),
        }
    }

    /// Links pull requests and commits with the issues that they name, when something changed that
    /// this follows from.
    pub(super) async fn link_issues(&self, tally: &mut Tally) -> Step<()> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        if scope.is_workspace() || !entities::names_issues(&self.runner.source, &self.job.streams) {
            return Ok(());
        }
        match issue_links::is_stale(store, scope).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                // Told as the step that could not begin.
                let progress = Progress::begin(self, "convert", "issue_links");
                return self.end_conversion(progress, Err(error), tally).await;
            }
        }
        // Repositories may have links in common: they take turns, and so do processes.
        let _turn = self.shared.lock().await;
        let Some(lease) = self.lease_shared().await? else {
            return Err(Stop::Scope);
        };
        let progress = Progress::begin(self, "convert", "issue_links");
        let tell = |items| progress.tell_items(items);
        let done = issue_links::run(store, scope, &self.repository_id(), &self.watch(&tell)).await;
        let released = lease.release().await;
        let is_cancelled = matches!(done, Err(converters::Error::Cancelled));
        let summary = done.map(|linked| StepSummary {
            items: linked.outcome.items,
            written: linked.outcome.changes.written,
            removed: linked.outcome.changes.removed,
            unknown: linked.unknown,
            ..StepSummary::default()
        });
        self.end_offline(progress, summary, is_cancelled, tally)
            .await?;
        released.map_err(|error| self.broken(&error))
    }

    /// Compares tags and deployments with their predecessors, when something changed that they
    /// follow from.
    pub(super) async fn compare(&self, tally: &mut Tally) -> Step<()> {
        let (store, scope, rules) = (&self.runner.store, &self.job.scope, &self.job.rules);
        if scope.is_workspace() || !entities::compares(&self.runner.source, &self.job.streams) {
            return Ok(());
        }
        match diffs::is_stale(store, scope, rules).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                // Told as the step that could not begin.
                let progress = Progress::begin(self, "convert", "diffs");
                return self.end_conversion(progress, Err(error), tally).await;
            }
        }
        // Repositories may have pairs in common: they take turns, and so do processes.
        let _turn = self.shared.lock().await;
        let Some(lease) = self.lease_shared().await? else {
            return Err(Stop::Scope);
        };
        let progress = Progress::begin(self, "convert", "diffs");
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let repository = self.repository_id();
        let done = diffs::run(store, scope, &repository, rules, &watch).await;
        let released = lease.release().await;
        self.end_conversion(progress, done, tally).await?;
        released.map_err(|error| self.broken(&error))
    }
}
