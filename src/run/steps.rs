//! The steps of one scope: collect, extract and convert its streams, in order.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use headwater_collectors::git::Mirror;
use headwater_store::StoreError;
use headwater_store::leases::{Claim, Holder, Lease, Taken};

use super::{Job, Runner, Tally, leasing};
use crate::entities;
use crate::exit::chain;
use crate::order::Node;
use crate::plan::Plan;
use crate::report::Event;
use crate::source::StreamEntry;

/// One scope on its way through the stages.
pub(super) struct ScopeRun<'a> {
    pub(super) runner: &'a Runner,
    pub(super) plan: &'a Plan,
    pub(super) run: i64,
    pub(super) shared: &'a tokio::sync::Mutex<()>,
    pub(super) claim: &'a Claim,
    /// The steps that convert, each after those that write what it reads.
    pub(super) order: &'a [Node<'a>],
    pub(super) job: Job,
    /// Of lists by time nothing older is read in this round (UTC); none where all that is wanted
    /// is.
    pub(super) window: Option<DateTime<Utc>>,
    /// Only what is older than what is stored is read.
    pub(super) older_only: bool,
    /// The mirror that was updated in this run. While it is held, it is not evicted.
    pub(super) mirror: Option<Mirror>,
    /// The server said that there is no such thing.
    pub(super) is_unknown: bool,
}

/// Why a scope goes no further.
pub(super) enum Stop {
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
        if error.is_of_another_process() {
            Self::Leased
        } else {
            Self::Broken
        }
    }
}

pub(super) type Step<T> = Result<T, Stop>;

impl ScopeRun<'_> {
    pub(super) async fn run(mut self) -> Tally {
        let began = Instant::now();
        let mut tally = Tally::of_scope();
        let done = self.leased(&mut tally, false).await;
        self.tell_stop(done, &mut tally);
        let cancelled = self.runner.cancel.is_cancelled();
        self.runner.reporter.event(&Event::ScopeFinished {
            scope: format!("{}:{}", self.job.connection, self.job.scope.full_name),
            summary: tally.scope_summary(cancelled, began.elapsed()),
        });
        tally
    }

    fn tell_stop(&self, done: Step<()>, tally: &mut Tally) {
        let Err(stop) = done else {
            return;
        };
        tally.scope_failed();
        if self.job.scope.is_workspace() {
            tally.no_repository();
        }
        match stop {
            Stop::Scope => {}
            Stop::Connection => self.job.cancel.cancel(),
            Stop::Broken => tally.broken(),
            Stop::Leased => tally.leased(),
        }
    }

    /// The steps of a scope, or those that span scopes, while no other process can work on it.
    async fn leased(&mut self, tally: &mut Tally, everywhere: bool) -> Step<()> {
        if self.runner.cancel.is_cancelled() {
            return Err(Stop::Scope);
        }
        let lease = self.lease().await?;
        let mut done = if everywhere {
            self.convert_all(tally).await
        } else {
            self.steps(tally).await
        };
        if self.is_unknown && !matches!(done, Err(Stop::Broken | Stop::Leased)) {
            let forgotten = self.forget_unknown().await;
            done = also(done, forgotten).and_then(|done| done);
        }
        let is_overtaken = match done {
            Ok(()) | Err(Stop::Leased) => false,
            // The server ends the transaction of a process that is frozen in it, whatever that is of.
            Err(Stop::Scope | Stop::Connection | Stop::Broken) => lease.is_lost().await,
        };
        if is_overtaken {
            let message = format!(
                "{}:{}: another process took the work over while this one stood still",
                self.job.connection, self.job.scope.full_name
            );
            self.runner.reporter.event(&Event::Notice { message });
            done = Err(Stop::Leased);
        }
        let released = lease.release().await;
        done?;
        released.map_err(|error| self.broken(&error))
    }

    /// Keeps other processes from working on the scope.
    pub(super) async fn lease(&self) -> Step<Lease> {
        let store = &self.runner.store;
        let taken = leasing::lease_scope(store, &self.job.scope, self.claim).await;
        match taken.map_err(|error| self.broken(&error))? {
            Taken::Ours(lease) => Ok(lease),
            Taken::Held(holder) => {
                let name = format!("{}:{}", self.job.connection, self.job.scope.full_name);
                let message = leasing::held(&name, &holder);
                self.runner.reporter.event(&Event::Notice { message });
                Err(Stop::Leased)
            }
        }
    }

    /// Tells what the database said outside any step.
    pub(super) fn broken(&self, error: &StoreError) -> Stop {
        let message = format!("{}: {}", self.job.scope.full_name, chain(error));
        self.runner.reporter.event(&Event::Notice { message });
        Stop::from(error)
    }

    /// The right to compute what the scopes of the connection share. None when cancelled.
    pub(super) async fn lease_shared(&self) -> Step<Option<Lease>> {
        let (store, cancel) = (&self.runner.store, &self.runner.cancel);
        let scope = &self.job.scope;
        let tell = |holder: &Holder| {
            let message = format!(
                "{}: waits for another headwater process, which works on what the repositories of \
                 the connection share ({holder})",
                scope.full_name
            );
            self.runner.reporter.event(&Event::Notice { message });
        };
        let leased = leasing::lease_shared(store, scope, self.claim, cancel, &tell).await;
        leased.map_err(|error| self.broken(&error))
    }

    async fn steps(&mut self, tally: &mut Tally) -> Step<()> {
        let source = Arc::clone(&self.job.source);
        let chosen = |entry: &&StreamEntry| {
            let stream = entry.collection.stream;
            self.plan.streams.contains(&stream) && self.job.streams.contains(stream)
        };
        let scope = &self.job.scope;
        let streams: Vec<&StreamEntry> = source.streams_of(scope).filter(chosen).collect();
        let mut collected = if self.plan.stages.collect {
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
        if self.plan.stages.collect && !matches!(collected, Err(Stop::Connection)) {
            let fetched = self.collect_git(tally).await;
            collected = also(collected, fetched)?;
        }
        if self.plan.stages.extract {
            self.extract_all(&streams, tally).await?;
            let read = self.extract_with_git(tally).await;
            collected = also(collected, read)?;
        }
        if self.plan.stages.convert {
            self.convert_stage(tally).await?;
        }
        collected
    }

    async fn convert_stage(&mut self, tally: &mut Tally) -> Step<()> {
        if self.is_plain_git() {
            return self.convert_all(tally).await;
        }
        self.leave_git().await?;
        self.convert_all(tally).await?;
        let pruned = self.prune_removed().await;
        pruned.map_err(|error| self.broken(&error))
    }

    /// Derives what spans scopes, while no other process does.
    pub(super) async fn run_everywhere(mut self) -> Tally {
        let mut tally = Tally::default();
        let done = self.leased(&mut tally, true).await;
        self.tell_stop(done, &mut tally);
        tally
    }

    /// Accounts, and what the mirror has: commits are joined to accounts, and where git takes over
    /// from the API, accounts that only the API named are gone first.
    async fn extract_with_git(&mut self, tally: &mut Tally) -> Step<()> {
        let opened = self.open_mirror(tally).await;
        let left = self.leave_api(tally).await?;
        if !self.is_plain_git() {
            self.extract_accounts(tally).await?;
        }
        opened?;
        self.extract_git(tally).await?;
        if left {
            self.forget_api().await?;
        }
        Ok(())
    }

    /// Forgets removals that every step has followed. A step of an entity that is no longer wanted
    /// holds them back, because it may be wanted again; one that never ran will begin anew.
    async fn prune_removed(&self) -> Result<(), StoreError> {
        let (source, store) = (&self.job.source, &self.runner.store);
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
}

/// What two steps come to of which the second ran whatever became of the first. What ends
/// everything ends it now.
fn also(first: Step<()>, second: Step<()>) -> Step<Step<()>> {
    match second {
        Err(stop @ (Stop::Broken | Stop::Leased)) => Err(stop),
        second => Ok(first.and(second)),
    }
}

/// What a failed stage means: its database failed, or another process took the scope over.
pub(super) fn stop_of(error: &(dyn std::error::Error + 'static)) -> Stop {
    let source = error.source().and_then(|source| source.downcast_ref());
    source.map_or(Stop::Broken, |error: &StoreError| Stop::from(error))
}
