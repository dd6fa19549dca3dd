//! The steps of one scope: collect, extract and convert its streams, in order.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use headwater_collectors::{
    self as collectors, Client, CollectError, Range, RequestErrorKind, Verdict,
};
use headwater_converters as converters;
use headwater_extractors as extractors;
use headwater_store::leases::{Claim, Lease, Taken};
use headwater_store::runs::StepRecord;
use headwater_store::{StoreError, Watch};

use super::{Job, Runner, Tally, leasing, now};
use crate::entities;
use crate::exit::chain;
use crate::plan::{Depth, Plan};
use crate::report::{Event, Place, StepSummary};
use crate::source::{REPOSITORIES, StreamEntry};

/// One scope on its way through the stages.
pub(super) struct ScopeRun<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) plan: &'a Plan,
    pub(super) run: i64,
    pub(super) shared: &'a tokio::sync::Mutex<()>,
    pub(super) claim: &'a Claim,
    pub(super) job: Job,
}

/// Why a scope goes no further.
enum Stop {
    /// The scope's own trouble; others go on.
    Scope,
    /// Nothing of this connection can succeed.
    Connection,
    /// The database failed.
    Broken,
    /// Another process works on the scope.
    Leased,
}

impl From<&StoreError> for Stop {
    fn from(error: &StoreError) -> Self {
        if error.is_lost_lease() {
            Self::Leased
        } else {
            Self::Broken
        }
    }
}

type Step<T> = Result<T, Stop>;

/// Steps of a scope under way at once: one writes while the others read and compute.
const ABREAST: usize = 3;

impl ScopeRun<'_> {
    pub(super) async fn run(mut self) -> Tally {
        let mut tally = Tally::of_scope();
        if let Err(stop) = self.leased_steps(&mut tally).await {
            tally.scope_failed();
            match stop {
                Stop::Scope => {}
                Stop::Connection => self.job.cancel.cancel(),
                Stop::Broken => tally.broken(),
                Stop::Leased => tally.leased(),
            }
        }
        tally
    }

    /// The steps, while no other process can work on the scope.
    async fn leased_steps(&mut self, tally: &mut Tally) -> Step<()> {
        if self.runner.cancel.is_cancelled() {
            return Err(Stop::Scope);
        }
        let store = self.runner.store;
        let taken = leasing::lease_scope(store, &self.job.scope, self.claim).await;
        let lease = match taken.map_err(|error| self.broken(&error))? {
            Taken::Ours(lease) => lease,
            Taken::Held(holder) => {
                let name = format!("{}:{}", self.job.connection, self.job.scope.full_name);
                let message = leasing::held(&name, &holder);
                self.runner.reporter.event(&Event::Notice { message });
                return Err(Stop::Leased);
            }
        };
        let done = self.steps(tally).await;
        let released = lease.release().await;
        done?;
        released.map_err(|error| self.broken(&error))
    }

    /// Tells what the database said outside any step.
    fn broken(&self, error: &StoreError) -> Stop {
        let message = format!("{}: {}", self.job.scope.full_name, chain(error));
        self.runner.reporter.event(&Event::Notice { message });
        Stop::from(error)
    }

    /// The right to compute what the scopes of the connection share. None when cancelled.
    async fn lease_shared(&self) -> Step<Option<Lease>> {
        let (store, cancel) = (self.runner.store, &self.runner.cancel);
        let leased = leasing::lease_shared(store, &self.job.scope, self.claim, cancel).await;
        leased.map_err(|error| self.broken(&error))
    }

    async fn steps(&mut self, tally: &mut Tally) -> Step<()> {
        let source = self.runner.source;
        let chosen = |entry: &&StreamEntry| {
            let stream = entry.collection.stream;
            self.plan.streams.contains(&stream) && self.job.streams.contains(stream)
        };
        let scope = &self.job.scope;
        let streams: Vec<&StreamEntry> = source.streams_of(scope).filter(chosen).collect();
        let collected = if self.plan.stages.collect {
            self.collect_all(&streams, tally).await
        } else {
            Ok(())
        };
        // What was collected before a failure is worth extracting all the same.
        if matches!(collected, Err(Stop::Broken | Stop::Leased))
            || self.runner.cancel.is_cancelled()
        {
            return collected;
        }
        if self.plan.stages.extract {
            let this = &*self;
            let steps = streams.iter().map(|entry| {
                let step = async move {
                    let mut own = Tally::default();
                    let done = this.extract(entry, &mut own).await;
                    (own, done)
                };
                step.boxed()
            });
            this.beside_each_other(steps.collect(), tally).await?;
            self.extract_accounts(tally).await?;
        }
        if self.plan.stages.convert {
            let conversions = source.conversions_of(&self.job.scope);
            let wanted = conversions
                .filter(|conversion| entities::converts(source, &self.job.streams, conversion));
            let this = &*self;
            let steps = wanted.map(|conversion| {
                let step = async move {
                    let mut own = Tally::default();
                    let done = this.convert(conversion, &mut own).await;
                    (own, done)
                };
                step.boxed()
            });
            this.beside_each_other(steps.collect(), tally).await?;
            self.prune_removed().await.map_err(|_| Stop::Broken)?;
        }
        collected
    }

    /// Runs steps of one stage, none of which reads what another writes. Where one writer writes
    /// in turns, some read and compute while another has its turn; servers get them one by one,
    /// since their transactions would meet at the scope's sequence.
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

    /// Forgets removals that every step has followed. A step of an entity that is no longer wanted
    /// holds them back, because it may be wanted again; one that never ran will begin anew.
    async fn prune_removed(&self) -> Result<(), StoreError> {
        let (source, store) = (self.runner.source, self.runner.store);
        let running = entities::steps_of(source, &self.job.streams);
        let mut waiting = Vec::new();
        for step in source.reading_steps(&self.job.scope) {
            let waits = running.contains(&step)
                || !store.checkpoint(&self.job.scope, &step).await?.is_start();
            if waits {
                waiting.push(step);
            }
        }
        store.prune_removed(&self.job.scope, &waiting).await
    }

    async fn collect_all(&mut self, streams: &[&StreamEntry], tally: &mut Tally) -> Step<()> {
        // Streams whose list the server does not have: nothing can hang on its items.
        let mut absent = Vec::new();
        for entry in streams {
            let parent = entry.collection.parent.as_ref();
            if parent.is_some_and(|(parent, _)| absent.contains(&parent.stream)) {
                continue;
            }
            if self.collect(entry, tally).await? == List::Absent {
                absent.push(entry.collection.stream);
            }
        }
        Ok(())
    }

    async fn collect(&mut self, entry: &StreamEntry, tally: &mut Tally) -> Step<List> {
        let Some(client) = self.job.client.clone() else {
            return Ok(List::There);
        };
        let collection = &entry.collection;
        let needed = match collection.parent {
            Some(_) => Depth::Everything,
            None => Depth::Lists,
        };
        let progress = Progress::begin(self, "collect", collection.stream);
        let client = client.counted();
        let told = client.clone();
        let tell = |more: collectors::Progress| progress.tell(more, told.waiting() as u64);
        let children = self.runner.source.children_of(collection.stream);
        let task = collectors::Task {
            store: self.runner.store,
            scope: &self.job.scope,
            client: client.clone(),
            range: Range {
                data_after: self.job.data_after,
                full: self.plan.depth >= needed,
            },
            children: &children,
            prefetched: self.job.prefetched.clone(),
            now: now(),
            cancel: self.job.cancel.clone(),
            progress: &tell,
        };
        let done = collectors::engine::run(&task, collection).await;
        let outcome = match &done {
            Ok(outcome) => *outcome,
            Err(error) => error.outcome,
        };
        let mut summary = StepSummary {
            items: outcome.items,
            written: outcome.written,
            removed: outcome.removed,
            rejected: outcome.rejected,
            requests: client.requests(),
            message: lost(outcome.lost),
            ..StepSummary::default()
        };
        let step = match done {
            Ok(_) => self
                .note_there(collection.stream)
                .await
                .map(|()| List::There),
            Err(error) if is_absent(&error, collection, client.is_anonymous()) => {
                let why = if client.is_anonymous() {
                    "; more may be shown to those with credentials"
                } else {
                    ""
                };
                summary.message = format!("{}{why}; what was collected before stays", error.kind);
                Ok(List::Absent)
            }
            Err(error) => Err(self.collect_stop(&error, &mut summary, tally).await),
        };
        self.end(progress, summary, tally).await?;
        step
    }

    /// A repository that answers is not gone, whatever was noted before.
    async fn note_there(&self, stream: &str) -> Step<()> {
        if stream != REPOSITORIES {
            return Ok(());
        }
        let there = self
            .runner
            .store
            .set_source_gone(&self.job.scope, None)
            .await;
        there.map_err(|_| Stop::Broken)
    }

    /// What a failed collection means for the scope, the connection and the run.
    async fn collect_stop(
        &self,
        error: &CollectError,
        summary: &mut StepSummary,
        tally: &mut Tally,
    ) -> Stop {
        summary.state = "failed";
        summary.message = chain(error);
        let kind = match &error.kind {
            collectors::CollectErrorKind::Cancelled => {
                summary.state = "cancelled";
                return Stop::Scope;
            }
            collectors::CollectErrorKind::Store(error) => return Stop::from(error),
            collectors::CollectErrorKind::Restless(_) => return Stop::Scope,
            collectors::CollectErrorKind::Request(request)
            | collectors::CollectErrorKind::GaveUp { last: request, .. } => &request.kind,
        };
        match kind {
            RequestErrorKind::NotFound { .. } | RequestErrorKind::Forbidden { .. }
                if error.stream == REPOSITORIES =>
            {
                // Rows stay: a repository may be hidden from these credentials for a while.
                let gone = self
                    .runner
                    .store
                    .set_source_gone(&self.job.scope, Some(now()))
                    .await;
                if gone.is_err() {
                    return Stop::Broken;
                }
                tally.refused();
            }
            RequestErrorKind::Unauthorized { .. }
            | RequestErrorKind::ConsumerRefused { .. }
            | RequestErrorKind::Forbidden { .. } => {
                tally.refused();
            }
            _ => {}
        }
        let is_anonymous = self.job.client.as_ref().is_some_and(Client::is_anonymous);
        match error.kind.verdict() {
            // Without credentials one repository may be refused and the next one be public.
            Verdict::Stop if !is_anonymous => Stop::Connection,
            _ => Stop::Scope,
        }
    }

    /// What an offline engine needs from outside.
    fn watch<'w>(&'w self, progress: &'w (dyn Fn(u64) + Send + Sync)) -> Watch<'w> {
        Watch {
            now: now(),
            cancel: &self.runner.cancel,
            progress,
        }
    }

    async fn extract(&self, entry: &StreamEntry, tally: &mut Tally) -> Step<()> {
        let extraction = &entry.extraction;
        let progress = Progress::begin(self, "extract", extraction.stream);
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let (store, scope) = (self.runner.store, &self.job.scope);
        let rules = &self.job.rules;
        let done = extractors::engine::run(store, scope, extraction, rules, &watch).await;
        self.end_extraction(progress, done, tally).await
    }

    async fn extract_accounts(&self, tally: &mut Tally) -> Step<()> {
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
        let done = extractors::accounts::run(self.runner.store, &self.job.scope, &watch).await;
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
        let (summary, step) = match done {
            Ok(outcome) => {
                let summary = StepSummary {
                    items: outcome.items,
                    written: outcome.changes.written,
                    removed: outcome.changes.removed,
                    rejected: outcome.rejected,
                    ..StepSummary::default()
                };
                (summary, Ok(()))
            }
            Err(extractors::Error::Cancelled) => (cancelled(), Err(Stop::Scope)),
            Err(error @ extractors::Error::Store { .. }) => {
                let stop = stop_of(&error);
                (failed(&error), Err(stop))
            }
        };
        self.end(progress, summary, tally).await?;
        step
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
        let (store, scope) = (self.runner.store, &self.job.scope);
        let done = converters::engine::run(store, scope, conversion, &self.job.rules, &watch).await;
        let (summary, step) = match done {
            Ok(outcome) => {
                let summary = StepSummary {
                    items: outcome.items,
                    written: outcome.changes.written,
                    removed: outcome.changes.removed,
                    ..StepSummary::default()
                };
                (summary, Ok(()))
            }
            Err(converters::Error::Cancelled) => (cancelled(), Err(Stop::Scope)),
            Err(error @ converters::Error::Store { .. }) => {
                let stop = stop_of(&error);
                (failed(&error), Err(stop))
            }
        };
        if let Some((_own, lease)) = turn {
            lease.release().await.map_err(|error| self.broken(&error))?;
        }
        self.end(progress, summary, tally).await?;
        step
    }

    /// Notes a finished step in the database, in the tally, and for whoever watches.
    async fn end(
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
            finished_at: Some(now()),
            message: summary.message.clone(),
        };
        let recorded = self
            .runner
            .store
            .record_step(self.run, &self.job.scope, &record)
            .await;
        if let Err(error) = &recorded {
            summary.state = "failed";
            summary.message = chain(error);
        }
        self.runner.reporter.event(&Event::StepFinished {
            place: progress.place.clone(),
            summary,
        });
        recorded.map_err(|_| Stop::Broken)
    }
}

/// Whether the server has a list at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    There,
    Absent,
}

/// A list that need not be there is not. What a workspace has of its own takes a permission that
/// nobody must give; and without credentials some of what a public repository has is not public.
fn is_absent(
    error: &CollectError,
    collection: &collectors::Collection,
    is_anonymous: bool,
) -> bool {
    let collectors::CollectErrorKind::Request(error) = &error.kind else {
        return false;
    };
    let may_be_refused = is_anonymous && collection.stream != REPOSITORIES;
    match error.kind {
        RequestErrorKind::NotFound { .. } | RequestErrorKind::Gone { .. } => {
            collection.endpoint.optional
        }
        RequestErrorKind::Forbidden { .. } => collection.of_workspace || may_be_refused,
        RequestErrorKind::Unauthorized { .. } => may_be_refused,
        _ => false,
    }
}

fn lost(parents: u64) -> String {
    match parents {
        0 => String::new(),
        _ => format!(
            "{} no longer known to the server; what was collected of them stays",
            crate::report::counted(parents, "list is", "lists are")
        ),
    }
}

/// What a failed stage means: its database failed, or another process took the scope over.
fn stop_of(error: &(dyn std::error::Error + 'static)) -> Stop {
    let source = error.source().and_then(|source| source.downcast_ref());
    source.map_or(Stop::Broken, |error: &StoreError| Stop::from(error))
}

fn cancelled() -> StepSummary {
    StepSummary {
        state: "cancelled",
        ..StepSummary::default()
    }
}

fn failed(error: &dyn std::error::Error) -> StepSummary {
    StepSummary {
        state: "failed",
        message: chain(error),
        ..StepSummary::default()
    }
}

/// Counts what a step does and tells the reporter.
struct Progress<'a> {
    runner: &'a Runner<'a>,
    place: Place,
    began: Instant,
    began_at: DateTime<Utc>,
    sums: Mutex<collectors::Progress>,
}

impl<'a> Progress<'a> {
    fn begin(scope_run: &ScopeRun<'a>, stage: &'static str, stream: &'static str) -> Self {
        let job = &scope_run.job;
        let place = Place {
            scope: format!("{}:{}", job.connection, job.scope.full_name),
            stage,
            stream,
        };
        let started = Event::StepStarted {
            place: place.clone(),
        };
        scope_run.runner.reporter.event(&started);
        Self {
            runner: scope_run.runner,
            place,
            began: Instant::now(),
            began_at: now(),
            sums: Mutex::default(),
        }
    }

    fn tell_items(&self, items: u64) {
        let more = collectors::Progress {
            items,
            ..collectors::Progress::default()
        };
        self.tell(more, 0);
    }

    fn tell(&self, more: collectors::Progress, waiting: u64) {
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
