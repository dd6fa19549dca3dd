//! `verify`: the difference between the database and a fresh first sync, without writing to it.
//!
//! The first sync is made: into a scratch database in a temporary folder, which is compared
//! afterwards and thrown away. Why: docs/decisions/0020-verify-by-scratch.md.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use headwater_collectors::{Collection, content_hash};
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::compare::{Difference, scopes_equal, tables_equal};
use headwater_store::progress::WalkKey;
use headwater_store::raw::{ItemTime, NewItem, ParentPosition, PendingParent, RawRow, StoredItems};
use url::Url;

use super::jobs::{Prepared, resolve_jobs};
use super::{Session, SyncRequest};
use crate::config::DatabaseAddress;
use crate::database;
use crate::entities::tables_of;
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Plan, Stages};
use crate::report::Event;
use crate::resolve::Selection;
use crate::run::{Job, Tally};
use crate::sources::union;

/// Parents looked at together.
const PAGE: usize = 256;

/// What a verification found.
#[derive(Debug)]
pub struct Verified {
    /// 0 when nothing differs, 5 when something does or could not be read.
    pub exit: Exit,
    /// Here: in the database. There: in a fresh first sync.
    pub differences: Vec<Difference>,
    /// Repositories that were compared.
    pub scopes: Vec<Scope>,
}

/// What is to be verified.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// Which repositories.
    pub selection: Selection,
    /// Read the records of unchanged items again, too.
    pub deep: bool,
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
        let (scratch, session) = (self, &self.session);
        let (deep, limit) = (self.request.deep, self.request.limit);
        let mut tally = Tally::default();
        let plan = |stages, streams| Plan {
            command: "verify",
            stages,
            streams,
            depth: Depth::Changes,
        };
        let first_sync = SyncRequest {
            plan: plan(Stages::ALL, session.sources.stream_names()),
            selection: self.request.selection.clone(),
            since: None,
        };
        let prepared = resolve_jobs(session, &first_sync, &mut tally);
        let Prepared { jobs, _watched } = Box::pin(prepared).await?;
        let runner = session.runner();
        let streams = |child: bool| {
            let entries = session.sources.streams();
            let entries = entries.map(|(_, entry)| &entry.collection);
            let wanted = entries.filter(move |collection| collection.parent.is_some() == child);
            wanted.map(|collection| collection.stream).collect()
        };
        let lists = plan(Stages::COLLECT, streams(false));
        let mut exits = vec![runner.run(&lists, jobs.clone(), tally).await?.0];
        for job in &jobs {
            scratch.take_unchanged(job, deep).await?;
        }
        let mut children = plan(Stages::COLLECT, streams(true));
        if deep {
            // By the lists of single items alone: what came by another way is checked, too.
            children.depth = Depth::Everything;
        }
        let transform = plan(Stages::OFFLINE, session.sources.stream_names());
        for next in [&children, &transform] {
            if !session.cancel.is_cancelled() {
                exits.push(runner.run(next, jobs.clone(), Tally::default()).await?.0);
            }
        }
        let mut verified = Verified {
            exit: Exit::Ok,
            differences: Vec::new(),
            scopes: Vec::new(),
        };
        if session.cancel.is_cancelled() {
            verified.exit = Exit::Cancelled;
            return Ok(verified);
        }
        verified.scopes = scratch.read_whole(&jobs).await?;
        verified.differences = scratch.compare(&verified.scopes, &jobs, limit).await?;
        let failed = exits.into_iter().find(|exit| *exit != Exit::Ok);
        verified.exit = match failed {
            Some(exit) => exit,
            None if verified.differences.is_empty() => Exit::Ok,
            None => Exit::Partial,
        };
        Ok(verified)
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
        let times: Vec<ItemTime> = rows
            .iter()
            .map(|row| ItemTime {
                parent: row.parent.clone(),
                key: row.key.clone(),
                at: row.created_at,
            })
            .collect();
        let further = job.source.children_of(child.stream);
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(remade((scope, base), child, &further, row)?);
        }
        let mut page = self.there().begin(scope, self.session.clock.now()).await?;
        let none = StoredItems::default();
        page.write_items(&child.raw_table, items, &none, None)
            .await?;
        page.set_item_times(&child.raw_table, times)?;
        page.set_children_fetched(child.stream, fetched).await?;
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
    async fn read_whole(&self, jobs: &[Job]) -> Result<Vec<Scope>, Failure> {
        let mut whole = Vec::new();
        for job in jobs {
            let steps = self.there().scope_status(&job.scope).await?;
            let unread = |state: &str| matches!(state, "failed" | "cancelled");
            if steps.iter().any(|status| unread(&status.step.state)) || steps.is_empty() {
                let message = format!(
                    "{}:{} could not be read and is not compared",
                    job.connection, job.scope.full_name
                );
                self.session.reporter.event(&Event::Notice { message });
            } else {
                whole.push(job.scope.clone());
            }
        }
        Ok(whole)
    }

    /// Accounts belong to all repositories of a connection: they are compared when all are.
    /// Tables of entities that no repository wants any more have nothing to be compared with.
    async fn compare(
        &self,
        scopes: &[Scope],
        jobs: &[Job],
        limit: usize,
    ) -> Result<Vec<Difference>, Failure> {
        let tables = self.session.sources.iter().map(|source| {
            let own = jobs.iter().filter(|job| Arc::ptr_eq(&job.source, source));
            let streams = own.flat_map(|job| job.streams.iter().copied()).collect();
            tables_of(source, &streams)
        });
        let tables = union(tables);
        let known = self.here.scopes().await?;
        let all = known.iter().all(|known| scopes.contains(&known.scope));
        let found = if all {
            tables_equal(self.here, self.there(), &tables, limit).await?
        } else {
            scopes_equal(self.here, self.there(), (&tables, scopes), limit).await?
        };
        Ok(found)
    }
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
