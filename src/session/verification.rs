//! `verify`: the difference between the database and a fresh first sync, without writing to it.
//!
//! The first sync is made: into a scratch database in a temporary folder, which is compared
//! afterwards and thrown away. Why: docs/decisions/0020-verify-by-scratch.md.

mod comparison;
mod taken_over;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use headwater_collectors::Collection;
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::compare::Difference;
use headwater_store::leases::Lease;
use headwater_store::scopes::KnownScope;

use super::jobs::{Prepared, resolve_jobs};
use super::{Session, SyncRequest};
use crate::config::{DatabaseAddress, Entity};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Plan, Stages};
use crate::resolve::{Selection, connection_name};
use crate::run::{Job, Tally, lease_all, others};
use crate::source::GIT;

/// What a verification found.
#[derive(Debug)]
pub struct Verified {
    /// 0 when nothing differs, 5 when something does or could not be compared, 7 when another
    /// process works on something that was to be compared.
    pub exit: Exit,
    /// Here: in the database. There: in a fresh first sync.
    pub differences: Vec<Difference>,
    /// Repositories that were compared.
    pub scopes: Vec<Scope>,
    /// What was not compared.
    pub left_out: Vec<LeftOut>,
}

/// Something that was not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// A repository, `connection:workspace/slug`; or a stream, or one of a repository.
    pub what: String,
    /// Why.
    pub why: String,
    /// How the verification ends for it: 0 where that was asked for or has been known before.
    pub exit: Exit,
}

impl LeftOut {
    /// Why other repositories than those that the command names are not compared.
    pub const NOT_NAMED: &str = "it is not among the repositories that were named";
}

/// What is to be verified.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// Which repositories.
    pub selection: Selection,
    /// Read the records of unchanged items again, too.
    pub deep: bool,
    /// Streams that are not read; their rows are taken over as they are.
    pub skip: Vec<&'static str>,
    /// Differences that are listed, at most.
    pub limit: usize,
}

impl Session {
    /// Compares the database with the source: makes a first sync into a scratch database in a
    /// temporary folder, and lists differences. Nothing is written to this session's database but
    /// the requests that were sent.
    ///
    /// Unless it is deep, the records of items that did not change are taken over as they are.
    ///
    /// # Errors
    /// When the configuration names what cannot be used, or a database fails.
    pub async fn verify(&self, request: &VerifyRequest) -> Result<Verified, Failure> {
        let failed = |error| Failure::because(Exit::Failed, "making a temporary folder", error);
        let folder = tempfile::tempdir().map_err(failed)?;
        let address = scratch_address(folder.path());
        let scratch = Box::pin(database::open(&address)).await?;
        self.verify_over(scratch, request).await
    }

    /// The same over an empty scratch database that is there already, which is closed afterwards.
    ///
    /// # Errors
    /// The same.
    pub async fn verify_over(
        &self,
        scratch: Store,
        request: &VerifyRequest,
    ) -> Result<Verified, Failure> {
        let scratch = Scratch {
            here: &self.store,
            session: Session {
                store: scratch,
                ..self.clone()
            },
            request,
        };
        scratch.take_ranges().await?;
        let done = Box::pin(scratch.compare_all()).await;
        // The budget is the credential's, whichever database the answers go to.
        let closed = self.connector.close().await;
        let done = done?;
        closed?;
        scratch.session.store.close().await?;
        Ok(done)
    }
}

fn scratch_address(folder: &Path) -> DatabaseAddress {
    DatabaseAddress::of_file(&folder.join("verify.db"))
}

struct Scratch<'a> {
    /// The database that is verified.
    here: &'a Store,
    /// A session over the scratch database.
    session: Session,
    request: &'a VerifyRequest,
}

impl Scratch<'_> {
    /// Fills the scratch database and compares.
    async fn compare_all(&self) -> Result<Verified, Failure> {
        let session = &self.session;
        let before = self.here.scopes().await?;
        let mut tally = Tally::default();
        let first_sync = SyncRequest {
            plan: plan(Stages::ALL, session.sources.stream_names()),
            selection: self.request.selection.clone(),
            since: None,
            run: None,
        };
        let prepared = resolve_jobs(session, &first_sync, &mut tally);
        let Prepared { jobs, _watched } = Box::pin(prepared).await?;
        let mut left_out = self.skipped(&jobs);
        let mut exits = Box::pin(self.fill(&jobs, tally, &mut left_out)).await?;
        let mut verified = Verified {
            exit: Exit::Ok,
            differences: Vec::new(),
            scopes: Vec::new(),
            left_out,
        };
        if session.cancel.is_cancelled() {
            verified.exit = Exit::Cancelled;
            return Ok(verified);
        }
        let (jobs, leases) = self.lease(jobs, &mut verified.left_out).await?;
        let is_busy = self.note_running(&mut verified.left_out).await?;
        let moved = self.moved(&jobs, &before).await?;
        if !moved.is_empty() {
            // Another process has synced them meanwhile: what it found is looked for, too.
            let mut again = Vec::new();
            self.there().forget_looks().await?;
            let filled = Box::pin(self.fill(&moved, Tally::default(), &mut again));
            exits.extend(filled.await?);
        }
        verified.scopes = self.read_whole(&jobs, &mut verified.left_out).await?;
        self.note_others(&mut verified).await?;
        if session.cancel.is_cancelled() {
            verified.exit = Exit::Cancelled;
            return Ok(verified);
        }
        let compared = (verified.scopes.as_slice(), jobs.as_slice());
        verified.differences = self.compare(compared, is_busy).await?;
        if !is_busy {
            // One that began meanwhile may have written what repositories share.
            self.note_running(&mut verified.left_out).await?;
        }
        for lease in leases {
            lease.release().await?;
        }
        let differs = (!verified.differences.is_empty()).then_some(Exit::Partial);
        exits.extend(verified.left_out.iter().map(|left| left.exit));
        exits.extend(differs);
        verified.exit = worst(&exits);
        Ok(verified)
    }

    /// A first sync, or the next one, with the records of unchanged items taken over.
    async fn fill(
        &self,
        jobs: &[Job],
        tally: Tally,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<Vec<Exit>, Failure> {
        let (session, deep) = (&self.session, self.request.deep);
        let runner = session.runner();
        let streams = |child: bool| {
            let entries = session.sources.streams();
            let entries = entries.map(|(_, entry)| &entry.collection);
            let wanted = entries.filter(move |collection| collection.parent.is_some() == child);
            let wanted = wanted.map(|collection| collection.stream);
            wanted.filter(|stream| !self.request.skip.contains(stream))
        };
        for job in jobs {
            // Other lists may be read by what these have.
            self.take_skipped(job).await?;
        }
        let lists = plan(Stages::COLLECT, streams(false).collect());
        let mut exits = vec![runner.run((None, &lists), jobs.to_vec(), tally).await?.0];
        for job in jobs {
            if session.cancel.is_cancelled() {
                return Ok(exits);
            }
            self.take_absent(job, left_out).await?;
            self.take_unchanged(job, deep).await?;
        }
        let mut children = plan(Stages::COLLECT, streams(true).collect());
        if deep {
            // By the lists of single items alone: what came by another way is checked, too.
            children.depth = Depth::Everything;
        }
        let mut offline = plan(Stages::OFFLINE, session.sources.stream_names());
        let mut lists_of_git = plan(Stages::COLLECT, vec![GIT]);
        lists_of_git
            .streams
            .retain(|git| !self.request.skip.contains(git));
        offline
            .streams
            .retain(|it| *it != GIT || !self.request.skip.contains(it));
        let with_all = jobs.iter().map(|job| Job {
            streams: Arc::new(self.unskipped(job)),
            ..job.clone()
        });
        let steps = [
            (children, jobs.to_vec()),
            (lists_of_git, jobs.to_vec()),
            (offline, with_all.collect()),
        ];
        for (plan, jobs) in steps {
            if plan.stages.convert {
                self.take_imports().await?;
            }
            if !plan.streams.is_empty() && !session.cancel.is_cancelled() {
                // With the projects of the configuration, which the tables here have, too.
                let run = session.run_measured((None, &plan), jobs, Tally::default());
                exits.push(Box::pin(run).await?.0);
            }
        }
        Ok(exits)
    }

    /// Names the streams that are skipped, by the request or by the configuration.
    fn skipped(&self, jobs: &[Job]) -> Vec<LeftOut> {
        let asked = self.request.skip.iter().map(|stream| LeftOut {
            what: (*stream).to_owned(),
            why: "it is skipped, as was asked for".to_owned(),
            exit: Exit::Ok,
        });
        let mut left_out: Vec<LeftOut> = asked.collect();
        let mut connections: BTreeSet<&str> = BTreeSet::new();
        for job in jobs {
            if !connections.insert(&job.connection) {
                continue;
            }
            for stream in self.session.config.skipped_streams_of(&job.connection) {
                left_out.push(LeftOut {
                    what: format!("{}: {stream}", job.connection),
                    why: "`skip_streams` in the configuration leaves it out".to_owned(),
                    exit: Exit::Ok,
                });
            }
        }
        left_out
    }

    /// The lists of a job, with those that are skipped; parents before children.
    fn lists_of<'j>(&self, job: &'j Job) -> Vec<&'j Collection> {
        let unskipped = self.unskipped(job);
        let entries = job.source.streams_of(&job.scope);
        let lists = entries.map(|entry| &entry.collection);
        lists
            .filter(|list| unskipped.contains(list.stream))
            .collect()
    }

    /// Whether the request or the configuration leaves a stream out.
    fn is_skipped(&self, job: &Job, stream: &str) -> bool {
        self.request.skip.contains(&stream) || !job.streams.contains(stream)
    }

    /// The streams of a job, with those that the configuration skips: other streams' rows follow
    /// from theirs, too.
    fn unskipped(&self, job: &Job) -> BTreeSet<&'static str> {
        let config = &self.session.config;
        config.unskipped_streams_of(&job.source, &job.connection)
    }

    /// Keeps other processes from working on the scopes while they are compared. Those that one
    /// works on now are left out.
    async fn lease(
        &self,
        jobs: Vec<Job>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(Vec<Job>, Vec<Lease>), Failure> {
        let (mut ours, mut leases) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            // Also of one that is not registered: a first sync may be about to.
            match lease_all(self.here, [&job.scope].into_iter(), "verify").await {
                Ok(taken) => {
                    leases.extend(taken);
                    ours.push(job);
                }
                Err(failure) if failure.exit == Exit::Leased => left_out.push(LeftOut {
                    what: format!("{}:{}", job.connection, job.scope.full_name),
                    why: failure.to_string(),
                    exit: Exit::Leased,
                }),
                Err(failure) => return Err(failure),
            }
        }
        Ok((ours, leases))
    }

    /// Names other processes that run, whichever repository they work on at this moment: what
    /// repositories share is written by all of them. Returns whether there are any.
    async fn note_running(&self, left_out: &mut Vec<LeftOut>) -> Result<bool, Failure> {
        let others = others(self.here).await?;
        for holder in &others {
            left_out.push(LeftOut {
                what: "what repositories share, such as accounts".to_owned(),
                why: format!("another headwater process is running ({holder})"),
                exit: Exit::Leased,
            });
        }
        Ok(!others.is_empty())
    }

    /// The scopes of which rows have changed since the verification began.
    async fn moved(&self, jobs: &[Job], before: &[KnownScope]) -> Result<Vec<Job>, Failure> {
        let now = self.here.scopes().await?;
        let seq = |known: &[KnownScope], scope: &Scope| {
            let known = known.iter().find(|known| known.scope == *scope);
            known.map(|known| known.seq)
        };
        let moved = jobs
            .iter()
            .filter(|job| seq(before, &job.scope) != seq(&now, &job.scope));
        // What was said of a repository before is old, too.
        let moved = moved.map(|job| Job {
            prefetched: None,
            ..job.clone()
        });
        Ok(moved.collect())
    }

    /// Names registered scopes that were not compared and of which nothing was said yet.
    async fn note_others(&self, verified: &mut Verified) -> Result<(), Failure> {
        let config = &self.session.config;
        for known in self.here.scopes().await? {
            if known.scope.is_everywhere() {
                continue;
            }
            let name = &known.scope.full_name;
            let connection = connection_name(config, known.scope.connection_id);
            let what = format!("{connection}:{name}");
            let is_said = verified.left_out.iter().any(|left| left.what == what);
            if is_said || verified.scopes.contains(&known.scope) {
                continue;
            }
            let configured = config.connection(&connection);
            let (why, exit) = if !self.request.selection.includes(&connection, name) {
                (LeftOut::NOT_NAMED, Exit::Ok)
            } else if known.source_gone_at.is_some() {
                ("it is gone at the source; its rows stay", Exit::Ok)
            } else if known.scope.is_workspace()
                && !config.entities_of(&connection).contains(&Entity::Cross)
            {
                (
                    "the configuration leaves out the entity that it is read for",
                    Exit::Ok,
                )
            } else if configured.is_some_and(|own| own.wanted(name) || known.scope.is_workspace()) {
                ("the source did not list it", Exit::Partial)
            } else {
                ("the configuration does not name it any more", Exit::Ok)
            };
            verified.left_out.push(LeftOut {
                what,
                why: why.to_owned(),
                exit,
            });
        }
        Ok(())
    }

    fn there(&self) -> &Store {
        &self.session.store
    }
}

/// What runs into the scratch database.
fn plan(stages: Stages, streams: Vec<&'static str>) -> Plan {
    Plan {
        command: "verify",
        stages,
        streams,
        depth: Depth::Changes,
    }
}

/// The ending that says most: what failed altogether, then what another process holds, then what
/// differs or was not compared.
fn worst(exits: &[Exit]) -> Exit {
    let order = [
        Exit::Cancelled,
        Exit::Credentials,
        Exit::Failed,
        Exit::Leased,
    ];
    let found = order.into_iter().find(|exit| exits.contains(exit));
    let other = || exits.iter().copied().find(|exit| *exit != Exit::Ok);
    found.or_else(other).unwrap_or(Exit::Ok)
}
