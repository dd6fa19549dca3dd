//! `serve`: fires schedules, works on the queue of runs, and answers what watches over it.
//!
//! Any number of such processes share one database. What is decided between them is decided by
//! rows: a schedule fires for whoever counts it on first, a run is worked on by whoever holds its
//! lease. A process that dies leaves a lease behind that expires, and another goes on with its run.

pub mod health;
mod scheduling;
mod working;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::config::Config;
use crate::exit::Failure;
use crate::output;
use crate::session::Session;

pub use scheduling::{Schedules, upcoming};

/// Time between two looks at the schedules and the queue.
const LOOK: Duration = Duration::from_secs(1);

/// Longest time that runs may take to end when the process is asked to: what does not end by then
/// goes on elsewhere, as after a crash.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process that runs schedules.
#[derive(Clone)]
pub struct Server {
    /// What its runs work with; its token ends the process.
    pub session: Session,
    /// Runs worked on at the same time.
    pub parallel: usize,
    /// The configuration as it was last read.
    config: Arc<Mutex<Arc<Config>>>,
    busy: working::Busy,
}

impl Server {
    /// A server that does nothing yet.
    #[must_use]
    pub fn new(session: Session, parallel: usize) -> Self {
        let config = Arc::new(Mutex::new(Arc::clone(&session.config)));
        Self {
            session,
            parallel: parallel.max(1),
            config,
            busy: working::Busy::default(),
        }
    }

    /// The configuration that runs begin with from now on.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the configuration. Runs that are under way keep theirs.
    pub fn reload(&self, config: Arc<Config>) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Fires schedules and works on runs until the session's token is cancelled. A database that
    /// fails is asked again after a second, and said once.
    pub async fn run(&self) {
        let mut runs = JoinSet::new();
        let mut is_down = false;
        while !self.session.cancel.is_cancelled() {
            let looked = self.look(&mut runs).await;
            match &looked {
                Ok(()) if is_down => output::note("the database answers again"),
                Err(failure) if !is_down => {
                    output::note(format_args!("{}; asking again", failure.chain()));
                }
                _ => {}
            }
            is_down = looked.is_err();
            tokio::select! {
                () = self.session.cancel.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            while runs.try_join_next().is_some() {}
        }
        let ended = tokio::time::timeout(PATIENCE, runs.join_all()).await;
        if ended.is_err() {
            output::note("a run did not end in time; it goes on when its lease has expired");
        }
    }

    /// One look: schedules that are due are fired, and runs begin as long as there is room.
    async fn look(&self, runs: &mut JoinSet<()>) -> Result<(), Failure> {
        let config = self.config();
        let schedules = Schedules {
            store: &self.session.store,
            projects: &config.projects,
        };
        let now = self.session.clock.now();
        schedules.keep(now).await?;
        for run in schedules.fire_due(now).await? {
            tracing::info!(run, "queued by its schedule");
        }
        while runs.len() < self.parallel {
            let Some(work) = self.take(&self.busy).await? else {
                break;
            };
            runs.spawn(work.done());
        }
        Ok(())
    }
}
