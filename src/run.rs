//! One execution of a plan: the steps of every scope, in order, with what they did.

mod collecting;
mod contents;
mod converting;
mod extracting;
mod forgetting;
mod git;
mod leasing;
mod ownership;
mod progress;
mod rounds;
mod steps;
mod tally;
mod windows;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use headwater_collectors::{Client, RawItem};
use headwater_converters::rules::Rules;
use headwater_domain::Scope;
use headwater_metrics::stored::Projects;
use headwater_store::Store;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::exit::{Exit, Failure};
use crate::git::GitScope;
use crate::order::{Node, order};
use crate::plan::Plan;
use crate::report::{Event, Reporters, RunSummary};
use crate::source::Source;

pub use leasing::{claim, lease_all, lease_queued, others};
pub use tally::Tally;
pub use windows::{lacks, windows};

/// A scope with what its steps need.
#[derive(Clone)]
pub struct Job {
    /// Connection and repository.
    pub scope: Scope,
    /// Name of the connection.
    pub connection: String,
    /// The table of contents of the connection's source.
    pub source: Arc<Source>,
    /// The way to the API; none for offline stages.
    pub client: Option<Client>,
    /// The repository as git has it; none where git is not read.
    pub git: Option<Arc<GitScope>>,
    /// The repository's payload, when a list contained it already.
    pub prefetched: Option<RawItem>,
    /// The rules of the scope's configuration.
    pub rules: Arc<Rules>,
    /// The streams that the scope's configuration wants.
    pub streams: Arc<BTreeSet<&'static str>>,
    /// Nothing older is wanted (UTC); none means everything.
    pub data_after: Option<DateTime<Utc>>,
    /// Times (UTC), the latest first, back to which lists by time are read before anything older
    /// of any repository is; empty where all that is wanted is read at once.
    pub windows: Arc<[DateTime<Utc>]>,
    /// Ends the work of this connection.
    pub cancel: CancellationToken,
}

impl Job {
    /// What spans scopes of a source, where any of these jobs' streams bring rows.
    fn everywhere(source: &Arc<Source>, jobs: &[Self], cancel: &CancellationToken) -> Self {
        let jobs = jobs.iter().filter(|job| Arc::ptr_eq(&job.source, source));
        let streams = jobs.flat_map(|job| job.streams.iter().copied());
        Self {
            scope: Scope::everywhere(),
            connection: "all scopes".to_owned(),
            source: Arc::clone(source),
            client: None,
            git: None,
            prefetched: None,
            rules: Arc::default(),
            streams: Arc::new(streams.collect()),
            data_after: None,
            windows: Arc::default(),
            cancel: cancel.child_token(),
        }
    }
}

/// What a run works with. It owns all of it, so that a run can be spawned.
#[derive(Clone)]
pub struct Runner {
    /// The database.
    pub store: Store,
    /// Show what happens.
    pub reporter: Reporters,
    /// Tells the time.
    pub clock: Clock,
    /// Ends everything.
    pub cancel: CancellationToken,
    /// What the configuration says of projects.
    pub projects: Arc<Projects>,
}

/// A run that has begun.
struct Began {
    /// Its number.
    run: i64,
    /// Who took it from the queue notes its end.
    is_queued: bool,
}

/// A source that jobs of a run are of.
struct Part<'a> {
    source: &'a Arc<Source>,
    /// Its transactions note what they make stale of what is derived in this source.
    runner: Runner,
    /// Its steps that convert, in their order.
    order: Vec<Node<'a>>,
}

impl Runner {
    /// Runs a plan over scopes, as a run that was queued or as one of its own. The summary's exit
    /// code is the program's.
    ///
    /// # Errors
    /// When the database fails, in a step or for the run as a whole.
    pub async fn run(
        &self,
        (queued, plan): (Option<i64>, &Plan),
        jobs: Vec<Job>,
        tally: Tally,
    ) -> Result<(Exit, RunSummary), Failure> {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for job in &jobs {
            if !sources.iter().any(|known| Arc::ptr_eq(known, &job.source)) {
                sources.push(Arc::clone(&job.source));
            }
        }
        // Before anything is asked for: without an order nothing can be converted.
        for source in &sources {
            self.part(source)?;
        }
        let run = match queued {
            Some(run) => run,
            None => self.store.begin_run(plan.command, self.clock.now()).await?,
        };
        let runner = self.of_run(run);
        let parts = sources.iter().map(|source| runner.part(source));
        let parts: Vec<Part<'_>> = parts.collect::<Result<_, Failure>>()?;
        let began = Began {
            run,
            is_queued: queued.is_some(),
        };
        runner
            .run_in_order((began, plan), jobs, tally, &parts)
            .await
    }

    /// The same, whose events are those of a run.
    fn of_run(&self, run: i64) -> Self {
        Self {
            reporter: self.reporter.of_run(run),
            ..self.clone()
        }
    }

    /// What steps of one source work with: its order, and a database whose transactions note what
    /// their changes make stale.
    fn part<'p>(&self, source: &'p Arc<Source>) -> Result<Part<'p>, Failure> {
        let order = order(source).map_err(|circle| {
            Failure::because(Exit::Failed, "the source cannot be converted", circle)
        })?;
        let runner = Self {
            store: source.followed_by(&self.store),
            ..self.clone()
        };
        Ok(Part {
            source,
            runner,
            order,
        })
    }

    async fn run_in_order<'p>(
        &self,
        (began, plan): (Began, &Plan),
        jobs: Vec<Job>,
        tally: Tally,
        parts: &'p [Part<'p>],
    ) -> Result<(Exit, RunSummary), Failure> {
        let Began { run, is_queued } = began;
        let started = Instant::now();
        self.reporter.event(&Event::RunStarted {
            command: plan.command,
            scopes: jobs.iter().filter(|job| !job.scope.is_workspace()).count() as u64,
        });
        let tally = self.rounds((run, plan), jobs, tally, parts).await?;
        let exit = tally.exit(self.cancel.is_cancelled());
        let finished_at = self.clock.now();
        if !is_queued {
            self.store
                .finish_run(run, exit.state(), finished_at)
                .await?;
        }
        let summary = tally.summary(exit, started.elapsed());
        self.reporter.event(&Event::RunFinished {
            summary: summary.clone(),
        });
        if tally.is_broken() && exit == Exit::Failed {
            // The lines of the steps say what the database said.
            return Err(Failure::of_database("the database failed", None));
        }
        Ok((exit, summary))
    }
}
