//! Which scopes and tables of the two databases are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_domain::Scope;
use headwater_store::compare::{Difference, SHARED_TABLES, scopes_equal, tables_equal};

use crate::entities::{FROM_GIT, tables_of};
use crate::exit::{Exit, Failure};
use crate::report::Event;
use crate::run::Job;
use crate::source::{GIT, Source};
use crate::sources::union;

use super::{LeftOut, Scratch};

impl Scratch<'_> {
    /// Repositories that were read to the end; for others nothing can be said.
    pub(super) async fn read_whole(
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
    /// So are they while another process is busy with any of them.
    pub(super) async fn compare(
        &self,
        (scopes, jobs): (&[Scope], &[Job]),
        is_busy: bool,
    ) -> Result<Vec<Difference>, Failure> {
        let limit = self.request.limit;
        let tables = self.session.sources.iter().map(|source| {
            let own = jobs.iter().filter(|job| Arc::ptr_eq(&job.source, source));
            let streams = own.flat_map(|job| job.streams.iter().copied());
            let streams = streams.filter(|it| *it != GIT || !self.request.skip.contains(&GIT));
            tables_of(source, &streams.collect())
        });
        let mut shared = union(tables);
        let known = self.here.scopes().await?;
        let all = !is_busy && known.iter().all(|known| scopes.contains(&known.scope));
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
    pub(super) async fn kept_streams(&self, job: &Job) -> Result<BTreeSet<&'static str>, Failure> {
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

    pub(super) fn tell_kept(&self, job: &Job, left_out: &BTreeSet<&str>) {
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
