//! What a run works with, and the services that commands and the demo call.
//!
//! A [`Session`] owns everything that it uses, so it can be cloned, spawned, and cancelled by its
//! token. Nothing here reads arguments, prints, or ends the process: that is the command line's.

mod budget;
mod forgetting;
mod git_jobs;
mod jobs;
mod renames;
mod transforming;
mod vanished;
mod verification;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_store::Store;
use headwater_store::leases::Lease;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::connect::Connector;
use crate::exit::{Exit, Failure};
use crate::plan::Plan;
use crate::projects;
use crate::report::{Reporters, RunSummary};
use crate::resolve::Selection;
use crate::run::{Job, Runner, Tally, claim};
use crate::sources::Sources;
use jobs::{Prepared, resolve_jobs};

pub use verification::{LeftOut, Verified, VerifyRequest};

/// What runs work with. Clones share the database, the connector and the cancellation.
#[derive(Clone)]
pub struct Session {
    /// The configuration.
    pub config: Arc<Config>,
    /// Folder that relative paths in it start at.
    pub folder: PathBuf,
    /// The database.
    pub store: Store,
    /// The sources that connections may be of.
    pub sources: Sources,
    /// Makes clients. One for a process, so that all its runs share each credential's budget.
    pub connector: Connector,
    /// Show what happens.
    pub reporter: Reporters,
    /// Tells the time.
    pub clock: Clock,
    /// Ends everything.
    pub cancel: CancellationToken,
}

/// What is to be collected, and what is to follow.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// Which stages and streams, and how much of the source.
    pub plan: Plan,
    /// Which repositories.
    pub selection: Selection,
    /// How far back, if that is further than what is there (UTC).
    pub since: Option<DateTime<Utc>>,
    /// The run that it stands for, where one was queued. Who took it from the queue notes its end.
    pub run: Option<i64>,
}

impl Session {
    /// Resolves the repositories, then runs the plan over them. The summary's exit code is the
    /// program's.
    ///
    /// # Errors
    /// When the configuration names what cannot be used, or the database fails.
    pub async fn sync(&self, request: &SyncRequest) -> Result<(Exit, RunSummary), Failure> {
        let running = self.store.lease_run(&claim(request.plan.command)).await?;
        let done = Box::pin(self.resolve_and_run(request)).await;
        // However it ended: what was taken from the ledger and not sent is given back.
        let closed = self.connector.close().await;
        let done = done?;
        closed?;
        self.end(running).await;
        for (connection, notes) in self.connector.server_notes() {
            let now = self.clock.now();
            let recorded = self.store.record_server_notes(connection, &notes, now);
            recorded.await?;
        }
        Ok(done)
    }

    /// Ends the lease of a run; where the database fails it expires by itself.
    async fn end(&self, running: Option<Lease>) {
        if let Some(running) = running {
            let _ = running.release().await;
        }
    }

    /// Runs [`Self::sync`] beside whoever calls, until the session's token is cancelled. It has a
    /// thread of its own, so that computing never delays other tasks of the runtime.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn spawn(self, request: SyncRequest) -> JoinHandle<Result<(Exit, RunSummary), Failure>> {
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(self.sync(&request)))
    }

    async fn resolve_and_run(&self, request: &SyncRequest) -> Result<(Exit, RunSummary), Failure> {
        let plan = &request.plan;
        let mut tally = Tally::default();
        let prepared = resolve_jobs(self, request, &mut tally);
        let Prepared { mut jobs, _watched } = Box::pin(prepared).await?;
        let told = budget::tell_estimates(self, plan, &mut jobs).await?;
        tally.requests(told.requests);
        self.run_measured((request.run, plan), jobs, tally).await
    }

    /// Runs a plan, and keeps what is said of projects: who belongs to them before, and of which
    /// months there is data afterwards.
    async fn run_measured(
        &self,
        (run, plan): (Option<i64>, &Plan),
        jobs: Vec<Job>,
        tally: Tally,
    ) -> Result<(Exit, RunSummary), Failure> {
        if plan.stages.convert {
            let place = (&*self.config, &self.sources);
            projects::keep(&self.store, place, self.clock.now()).await?;
        }
        let done = Box::pin(self.runner().run((run, plan), jobs, tally)).await?;
        if plan.stages.convert {
            projects::keep_calendar(&self.store, self.clock.now()).await?;
        }
        Ok(done)
    }

    /// What runs plans over this session's database.
    fn runner(&self) -> Runner {
        Runner {
            store: self.store.clone(),
            reporter: self.reporter.clone(),
            clock: self.clock.clone(),
            cancel: self.cancel.clone(),
            projects: Arc::new(self.config.measured_projects()),
        }
    }
}
