//! Work on queued runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::leases::{Lease, Taken};
use headwater_store::queue::{RunEnd, RunRecord};
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::config::{Config, Project};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::plan::{Depth, Plan, Stages};
use crate::report::counted;
use crate::resolve::{Selection, registered};
use crate::run::{claim, lease_queued};
use crate::session::{Session, SyncRequest};

/// Time between two looks whether a run is still wanted.
const WATCH: Duration = Duration::from_millis(500);

/// A queued run that this process holds.
pub(super) struct Work {
    session: Session,
    run: RunRecord,
    lease: Lease,
    _place: Place,
}

/// Projects that this process works on. Two that share a repository wait for each other: its lease
/// would refuse the second one.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<Mutex<BTreeSet<String>>>);

/// A project that this process works on, until it is dropped.
struct Place {
    busy: Busy,
    project: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.projects().remove(&self.project);
    }
}

impl Busy {
    fn projects(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None when the project shares a repository with one that is worked on.
    async fn enter(
        &self,
        store: &Store,
        config: &Config,
        project: &str,
    ) -> Result<Option<Place>, Failure> {
        let busy = self.projects().clone();
        if busy.contains(project) {
            return Ok(None);
        }
        if !busy.is_empty() {
            let known = registered(store, config, &Selection::default()).await?;
            let is_shared = |other: &String| {
                let pair = config.project(project).zip(config.project(other));
                pair.is_some_and(|(one, other)| share(one, other, &known))
            };
            if busy.iter().any(is_shared) {
                return Ok(None);
            }
        }
        self.projects().insert(project.to_owned());
        Ok(Some(Place {
            busy: self.clone(),
            project: project.to_owned(),
        }))
    }
}

/// Whether a repository belongs to both, or one pattern stands in both.
fn share(one: &Project, other: &Project, known: &[(Scope, String)]) -> bool {
    known.iter().any(|(scope, connection)| {
        one.wanted(connection, &scope.full_name) && other.wanted(connection, &scope.full_name)
    }) || one.scopes.iter().any(|scope| other.scopes.contains(scope))
}

impl Server {
    /// The first run of the queue that no other process works on.
    pub(super) async fn take(&self, busy: &Busy) -> Result<Option<Work>, Failure> {
        let store = &self.session.store;
        let config = self.config();
        for run in store.open_runs().await? {
            let Some(place) = busy.enter(store, &config, &run.project).await? else {
                continue;
            };
            let claim = claim("serve");
            let Taken::Ours(lease) = lease_queued(store, run.id, &claim).await? else {
                continue;
            };
            let now = self.session.clock.now();
            // It may have ended since it was read.
            if !store.begin_queued((&lease, run.id), now).await? {
                lease.release().await?;
                continue;
            }
            let session = Session {
                config,
                cancel: self.session.cancel.child_token(),
                ..self.session.clone()
            };
            return Ok(Some(Work {
                session,
                run,
                lease,
                _place: place,
            }));
        }
        Ok(None)
    }
}

impl Work {
    /// Does it, and notes how it ended. A run that ends because the process is asked to is not
    /// over: it stays open, and whoever takes it goes on.
    pub(super) async fn done(self) {
        let Self {
            session,
            run,
            lease,
            _place,
        } = self;
        output::note(format_args!("run {} of {} begins", run.id, run.project));
        let wanted = CancellationToken::new();
        let ended = {
            let watched = watch(&session, run.id, &lease, &wanted);
            tokio::pin!(watched);
            let working = carry_out(&session, &run);
            tokio::pin!(working);
            tokio::select! {
                ended = &mut working => ended,
                () = &mut watched => working.await,
            }
        };
        let is_asked = wanted.is_cancelled();
        let (exit, message) = ended.unwrap_or_else(|failure| (failure.exit, failure.chain()));
        if exit == Exit::Cancelled && !is_asked {
            // Where this fails, the lease expires by itself.
            let _ = lease.release().await;
            output::note(format_args!("run {} is left for later", run.id));
            return;
        }
        let state = exit.state();
        let at = session.clock.now();
        let end = RunEnd {
            state,
            message: &message,
            at,
        };
        let id = run.id;
        match session.store.end_queued((lease, id), &end).await {
            Ok(true) => {
                let why = if message.is_empty() { "" } else { ": " };
                let project = &run.project;
                output::note(format_args!("run {id} of {project}: {state}{why}{message}"));
            }
            Ok(false) => output::note(format_args!("run {id} is another process's by now")),
            // Its lease expires, and the run is done once more.
            Err(error) => output::note(format_args!("the end of run {id} is not noted: {error}")),
        }
    }
}

/// Cancels a run that a person does not want any more, or that another process took over. Ends when
/// it has.
async fn watch(session: &Session, run: i64, lease: &Lease, asked: &CancellationToken) {
    loop {
        tokio::time::sleep(WATCH).await;
        // A database that is away is asked again; the run itself fails of it, if it lasts.
        let is_asked = match session.store.run_record(run).await {
            Ok(Some(run)) => run.cancel_asked_at.is_some(),
            Ok(None) => true,
            Err(_) => continue,
        };
        if is_asked {
            asked.cancel();
        }
        if is_asked || lease.is_lost().await {
            session.cancel.cancel();
            return;
        }
    }
}

/// How it ended, and why it is not a success.
async fn carry_out(session: &Session, run: &RunRecord) -> Result<(Exit, String), Failure> {
    let project = project(&session.config, &run.project)?;
    let request = SyncRequest {
        plan: Plan {
            command: "sync",
            stages: Stages::ALL,
            streams: session.sources.stream_names(),
            depth: Depth::Changes,
        },
        selection: Selection::of_project(project),
        since: None,
        run: Some(run.id),
    };
    let done = session.clone().spawn(request).await;
    let done = done.map_err(|error| Failure::because(Exit::Failed, "the run broke", error))?;
    let (exit, summary) = done?;
    let failed = match summary.scopes_failed + summary.others_failed {
        0 => String::new(),
        failed => {
            let failed = counted(failed, "repository", "repositories");
            format!("{failed} did not go well: headwater runs show {}", run.id)
        }
    };
    Ok((exit, failed))
}

fn project<'c>(config: &'c Config, name: &str) -> Result<&'c Project, Failure> {
    config.project(name).ok_or_else(|| {
        let message = format!("the configuration has no project \"{name}\" any more");
        Failure::new(Exit::Configuration, message)
    })
}
