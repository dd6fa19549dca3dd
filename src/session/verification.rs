//! `verify`: the difference between the database and a fresh first sync, without writing to it.
//!
//! The first sync is made: into a scratch database in a temporary folder, which is compared
//! afterwards and thrown away. Why: docs/decisions/0020-verify-by-scratch.md.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use headwater_collectors::{Collection, Paging, content_hash};
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::compare::{Difference, SHARED_TABLES, scopes_equal, tables_equal};
use headwater_store::leases::Lease;
use headwater_store::progress::WalkKey;
use headwater_store::raw::{ItemTime, NewItem, ParentPosition, PendingParent, RawRow, StoredItems};
use headwater_store::scopes::KnownScope;
use url::Url;

use super::jobs::{Prepared, resolve_jobs};
use super::{Session, SyncRequest};
use crate::config::{DatabaseAddress, Entity};
use crate::database;
use crate::entities::{FROM_GIT, tables_of};
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Plan, Stages};
use crate::report::Event;
use crate::resolve::{Selection, connection_name};
use crate::run::{Job, Tally, lease_all};
use crate::source::{GIT, Source};
use crate::sources::union;

/// Parents looked at together.
const PAGE: usize = 256;

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
        };
        let prepared = resolve_jobs(session, &first_sync, &mut tally);
        let Prepared { jobs, _watched } = Box::pin(prepared).await?;
        let mut left_out = self.skipped(&jobs);
        let mut exits = self.fill(&jobs, tally, &mut left_out).await?;
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
        let moved = self.moved(&jobs, &before).await?;
        if !moved.is_empty() {
            // Another process has synced them meanwhile: what it found is looked for, too.
            let mut again = Vec::new();
            exits.extend(self.fill(&moved, Tally::default(), &mut again).await?);
        }
        verified.scopes = self.read_whole(&jobs, &mut verified.left_out).await?;
        self.note_others(&mut verified).await?;
        if session.cancel.is_cancelled() {
            verified.exit = Exit::Cancelled;
            return Ok(verified);
        }
        verified.differences = self.compare(&verified.scopes, &jobs).await?;
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
        let mut exits = vec![runner.run(&lists, jobs.to_vec(), tally).await?.0];
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
            if !plan.streams.is_empty() && !session.cancel.is_cancelled() {
                exits.push(runner.run(&plan, jobs, Tally::default()).await?.0);
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

    /// Takes over the rows of streams that are skipped: a sync leaves them as they are.
    async fn take_skipped(&self, job: &Job) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        for list in self.lists_of(job) {
            if self.is_skipped(job, list.stream) {
                self.take_list((job, client.endpoint()), list).await?;
            }
        }
        Ok(())
    }

    /// Takes over the rows of lists that the source does not have any more: a sync leaves them,
    /// too.
    async fn take_absent(&self, job: &Job, left_out: &mut Vec<LeftOut>) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        let mut absent: Vec<&str> = Vec::new();
        for list in self.lists_of(job) {
            let is_absent = match &list.parent {
                _ if self.is_skipped(job, list.stream) => false,
                Some((parent, _)) => absent.contains(&parent.stream),
                None => self.is_absent(job, list).await?,
            };
            if !is_absent {
                continue;
            }
            absent.push(list.stream);
            if self.take_list((job, client.endpoint()), list).await? > 0 {
                left_out.push(LeftOut {
                    what: format!(
                        "{}:{}: {}",
                        job.connection, job.scope.full_name, list.stream
                    ),
                    why: "the source does not have this list any more; what was collected stays"
                        .to_owned(),
                    exit: Exit::Partial,
                });
            }
        }
        Ok(())
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

    /// Whether a list that was asked for is not there: its step succeeded and it was not walked.
    async fn is_absent(&self, job: &Job, list: &Collection) -> Result<bool, Failure> {
        let stream = list.stream;
        let steps = self.there().scope_status(&job.scope).await?;
        let ran = steps.iter().any(|status| {
            let step = &status.step;
            step.stage == "collect" && step.stream == stream && step.state == "success"
        });
        if !ran || list.endpoint.paging == Paging::Single {
            return Ok(false);
        }
        let scope = &job.scope;
        let walk = self.there().walk_state(WalkKey { scope, stream }).await?;
        Ok(!walk.complete)
    }

    /// Takes over all stored rows of a stream.
    async fn take_list(
        &self,
        (job, base): (&Job, &Url),
        list: &Collection,
    ) -> Result<usize, Failure> {
        let scope = &job.scope;
        let further = job.source.children_of(list.stream);
        let (mut position, mut taken) = ((0, 0), 0);
        loop {
            let table = &list.raw_table;
            let rows = self
                .here
                .changed_items(scope, table, position, PAGE)
                .await?;
            let Some(newest) = rows.last() else {
                return Ok(taken);
            };
            position = (newest.changed_seq, newest.id);
            taken += rows.len();
            self.write_rows((scope, base), list, &further, rows, Vec::new())
                .await?;
        }
    }

    /// Keeps other processes from working on the scopes while they are compared. Those that one
    /// works on now are left out.
    async fn lease(
        &self,
        jobs: Vec<Job>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(Vec<Job>, Vec<Lease>), Failure> {
        let registered = self.here.scopes().await?;
        let (mut ours, mut leases) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            if !registered.iter().any(|known| known.scope == job.scope) {
                // No process can have begun to write it.
                ours.push(job);
                continue;
            }
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
        Ok(moved.cloned().collect())
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

    /// The stored ranges: a first sync today would begin later than one of half a year ago.
    async fn take_ranges(&self) -> Result<(), Failure> {
        for known in self.here.scopes().await? {
            if known.source_gone_at.is_some() {
                continue;
            }
            let mut walked = false;
            for (_, entry) in self.session.sources.streams() {
                let key = WalkKey {
                    scope: &known.scope,
                    stream: entry.collection.stream,
                };
                walked |= self.here.walk_state(key).await?.walk > 0;
            }
            // Without a walk there is no range yet; it comes from the configuration.
            if walked {
                self.there()
                    .register(&known.scope, self.session.clock.now())
                    .await?;
                self.there().widen(&known.scope, known.data_after).await?;
            }
        }
        Ok(())
    }

    /// Takes over what a first sync would find just so: when unchanged items were seen, and,
    /// unless `deep`, their records. What is not taken over is read from the source.
    async fn take_unchanged(&self, job: &Job, deep: bool) -> Result<(), Failure> {
        let Some(client) = &job.client else {
            return Ok(());
        };
        for entry in &job.source.streams {
            let list = &entry.collection;
            if list.parent.is_some() {
                continue;
            }
            let mut children = Vec::new();
            for child in job.source.children_of(list.stream) {
                if !deep {
                    let pending = self.pending_here(&job.scope, list, &child).await?;
                    children.push((child, pending));
                }
            }
            let mut position = ParentPosition::default();
            loop {
                // Nothing is fetched yet, so every parent is pending.
                let streams = (list.raw_table.as_str(), "");
                let there = self.there();
                let pending = there.pending_parents(&job.scope, streams, position, PAGE);
                let (items, reached) = pending.await?;
                if items.is_empty() {
                    break;
                }
                position = reached;
                let same = self.unchanged(&job.scope, list, items).await?;
                self.take_times(&job.scope, list, &same).await?;
                for (child, pending) in &children {
                    let mut complete = same.clone();
                    complete.retain(|item| !pending.contains(&item.key));
                    let place = (job, client.endpoint());
                    self.take_children(place, child, complete).await?;
                }
            }
        }
        Ok(())
    }

    /// Items that both databases have with the same content.
    async fn unchanged(
        &self,
        scope: &Scope,
        list: &Collection,
        items: Vec<PendingParent>,
    ) -> Result<Vec<PendingParent>, Failure> {
        let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
        let table = &list.raw_table;
        let here = self.here.stored_items(scope, table, &keys).await?;
        let there = self.there().stored_items(scope, table, &keys).await?;
        let hash = |stored: &StoredItems, key: &str| {
            let item = stored.get(&(String::new(), key.to_owned()));
            item.map(|item| item.content_hash.clone())
        };
        let same = |item: &PendingParent| hash(&here, &item.key) == hash(&there, &item.key);
        Ok(items.into_iter().filter(same).collect())
    }

    /// Of two descriptions of an account the newer one counts, so it matters when each was seen.
    async fn take_times(
        &self,
        scope: &Scope,
        list: &Collection,
        same: &[PendingParent],
    ) -> Result<(), Failure> {
        let keys: Vec<String> = same.iter().map(|item| item.key.clone()).collect();
        let times = self.here.item_times(scope, &list.raw_table, &keys).await?;
        let page = self.there().begin(scope, self.session.clock.now()).await?;
        page.set_item_times(&list.raw_table, times)?;
        page.commit().await?;
        Ok(())
    }

    /// Takes over the stored records of parents that are complete here.
    async fn take_children(
        &self,
        (job, base): (&Job, &Url),
        child: &Collection,
        complete: Vec<PendingParent>,
    ) -> Result<(), Failure> {
        let scope = &job.scope;
        let fetched = complete.into_iter();
        let fetched: Vec<(String, i64)> =
            fetched.map(|item| (item.key, item.changed_seq)).collect();
        let keys: Vec<String> = fetched.iter().map(|(key, _)| key.clone()).collect();
        let rows = self
            .here
            .children_of(scope, &child.raw_table, &keys)
            .await?;
        let further = job.source.children_of(child.stream);
        self.write_rows((scope, base), child, &further, rows, fetched)
            .await
    }

    /// Writes stored rows as they would be stored today, with the times at which they were seen,
    /// and notes parents of which they are all.
    async fn write_rows(
        &self,
        (scope, base): (&Scope, &Url),
        list: &Collection,
        further: &[Collection],
        rows: Vec<RawRow>,
        fetched: Vec<(String, i64)>,
    ) -> Result<(), Failure> {
        let times: Vec<ItemTime> = rows
            .iter()
            .map(|row| ItemTime {
                parent: row.parent.clone(),
                key: row.key.clone(),
                at: row.created_at,
            })
            .collect();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(remade((scope, base), list, further, row)?);
        }
        let (store, table) = (self.there(), &list.raw_table);
        // There are some when a scope is updated.
        let there = if list.parent.is_some() {
            let parents: BTreeSet<String> = items.iter().map(|item| item.parent.clone()).collect();
            let parents: Vec<String> = parents.into_iter().collect();
            store.stored_children(scope, table, &parents).await?
        } else {
            let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
            store.stored_items(scope, table, &keys).await?
        };
        let mut page = self.there().begin(scope, self.session.clock.now()).await?;
        page.write_items(table, items, &there, None).await?;
        page.set_item_times(&list.raw_table, times)?;
        if !fetched.is_empty() {
            page.set_children_fetched(list.stream, fetched).await?;
        }
        page.commit().await?;
        Ok(())
    }

    /// Parents whose records are not complete in the database: they are read from the source.
    async fn pending_here(
        &self,
        scope: &Scope,
        list: &Collection,
        child: &Collection,
    ) -> Result<HashSet<String>, Failure> {
        let mut pending = HashSet::new();
        let mut position = ParentPosition::default();
        loop {
            let streams = (list.raw_table.as_str(), child.stream);
            let found = self.here.pending_parents(scope, streams, position, PAGE);
            let (parents, reached) = found.await?;
            if (reached.seq, reached.id) == (position.seq, position.id) {
                return Ok(pending);
            }
            position = reached;
            pending.extend(parents.into_iter().map(|parent| parent.key));
        }
    }

    /// Repositories that were read to the end; for others nothing can be said.
    async fn read_whole(
        &self,
        jobs: &[Job],
        left_out: &mut Vec<LeftOut>,
    ) -> Result<Vec<Scope>, Failure> {
        let mut whole = Vec::new();
        for job in jobs {
            let steps = self.there().scope_status(&job.scope).await?;
            let unread = |state: &str| matches!(state, "failed" | "cancelled");
            let first = steps.iter().find(|status| unread(&status.step.state));
            if first.is_none() && !steps.is_empty() {
                whole.push(job.scope.clone());
                continue;
            }
            let why = first.map_or_else(
                || "it could not be read".to_owned(),
                |status| {
                    let step = &status.step;
                    format!("{} could not be read: {}", step.stream, step.message)
                },
            );
            left_out.push(LeftOut {
                what: format!("{}:{}", job.connection, job.scope.full_name),
                why,
                exit: Exit::Partial,
            });
        }
        Ok(whole)
    }

    /// Accounts belong to all repositories of a connection: they are compared when all are.
    /// Tables of entities that no repository wants any more have nothing to be compared with.
    async fn compare(&self, scopes: &[Scope], jobs: &[Job]) -> Result<Vec<Difference>, Failure> {
        let limit = self.request.limit;
        let tables = self.session.sources.iter().map(|source| {
            let own = jobs.iter().filter(|job| Arc::ptr_eq(&job.source, source));
            let streams = own.flat_map(|job| job.streams.iter().copied());
            let streams = streams.filter(|it| *it != GIT || !self.request.skip.contains(&GIT));
            tables_of(source, &streams.collect())
        });
        let mut shared = union(tables);
        let known = self.here.scopes().await?;
        let all = known.iter().all(|known| scopes.contains(&known.scope));
        let mut kept = BTreeMap::new();
        for job in jobs.iter().filter(|job| scopes.contains(&job.scope)) {
            let left_out = self.kept_streams(job).await?;
            if !left_out.is_empty() {
                kept.insert(job.scope.clone(), left_out);
            }
        }
        if kept.is_empty() && all {
            return Ok(tables_equal(self.here, self.there(), &shared, limit).await?);
        }
        if kept.is_empty() {
            return Ok(scopes_equal(self.here, self.there(), (&shared, scopes), limit).await?);
        }
        let mut found = Vec::new();
        let mut uncertain = BTreeSet::new();
        for job in jobs.iter().filter(|job| scopes.contains(&job.scope)) {
            let mut own = tables_of(&job.source, &job.streams);
            if let Some(left_out) = kept.get(&job.scope) {
                let follows = follows_from(&job.source, left_out);
                own.rows.retain(|table| !follows.contains(table.name));
                self.tell_kept(job, left_out);
                uncertain.extend(follows);
            }
            let scope = std::slice::from_ref(&job.scope);
            let rest = limit - found.len();
            found.extend(scopes_equal(self.here, self.there(), (&own, scope), rest).await?);
        }
        shared.raw.clear();
        let is_shared = |name: &str| SHARED_TABLES.contains(&name) && !uncertain.contains(name);
        shared.rows.retain(|table| all && is_shared(table.name));
        let rest = limit - found.len();
        found.extend(tables_equal(self.here, self.there(), &shared, rest).await?);
        Ok(found)
    }

    /// Streams whose rows stay though the configuration does not want them any more.
    async fn kept_streams(&self, job: &Job) -> Result<BTreeSet<&'static str>, Failure> {
        let mut left_out = BTreeSet::new();
        for entry in &job.source.streams {
            let stream = entry.collection.stream;
            // What git owns now is git's to compare.
            let of_git = job.streams.contains(GIT) && FROM_GIT.contains(&stream);
            let is_skipped = self.request.skip.contains(&stream);
            if job.streams.contains(stream) || of_git || is_skipped {
                continue;
            }
            let table = &entry.collection.raw_table;
            if !self.here.is_empty(&job.scope, table).await? {
                left_out.insert(stream);
            }
        }
        // A history is not taken over as rows of lists are: what follows from it is not there.
        let reads_git = job.streams.contains(GIT) && !self.request.skip.contains(&GIT);
        if !reads_git && self.here.git_state(&job.scope).await?.is_some() {
            left_out.insert(GIT);
        }
        Ok(left_out)
    }

    fn tell_kept(&self, job: &Job, left_out: &BTreeSet<&str>) {
        let streams: Vec<&str> = left_out.iter().copied().collect();
        let message = format!(
            "{}:{} keeps rows of {}, which are left out; neither they nor what follows from them \
             too, such as accounts, is compared",
            job.connection,
            job.scope.full_name,
            streams.join(", ")
        );
        self.session.reporter.event(&Event::Notice { message });
    }
}

/// Tables of which some rows follow from streams that are left out, so that a fresh sync, which
/// does not have these, says nothing of them.
fn follows_from(source: &Source, left_out: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let mut tables: BTreeSet<&'static str> = tables_of(source, left_out)
        .rows
        .iter()
        .map(|table| table.name)
        .collect();
    if left_out.contains(GIT) || left_out.contains("commits") {
        let resolving = source.conversions.iter().filter(|it| it.resolves_hashes());
        tables.extend(
            resolving
                .flat_map(headwater_converters::Conversion::tables)
                .map(|table| table.name),
        );
    }
    // What a repository says of itself is read whatever else is.
    let always = tables_of(source, &BTreeSet::from(["repositories"]));
    let accounts = source.accounts.map(|(accounts, _)| (accounts.table)().name);
    for table in always
        .rows
        .iter()
        .filter(|table| Some(table.name) != accounts)
    {
        tables.remove(table.name);
    }
    // In the order in which they follow from each other.
    for derivation in &source.derivations {
        let declared = &derivation.declared;
        let mut reads = declared.reads.iter();
        if reads.any(|read| tables.contains(read.table().name)) {
            tables.extend(declared.writes.iter().map(|written| written.table.name));
        }
    }
    tables
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

/// A stored record as it would be stored today: all but its data is made anew.
fn remade(
    (scope, base): (&Scope, &Url),
    child: &Collection,
    further: &[Collection],
    row: RawRow,
) -> Result<NewItem, Failure> {
    let url = child.list_url(base, scope, &row.parent);
    let url = url.map_err(|error| Failure::because(Exit::Failed, "making an address", error))?;
    Ok(NewItem {
        content_hash: content_hash(&row.data),
        child_counts: child.child_counts(further, &row.data),
        url: url.to_string(),
        input: child.input(&row.parent),
        parent: row.parent,
        key: row.key,
        data: row.data,
    })
}
