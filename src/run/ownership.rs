//! Tables that change their owner: from the API to git where git is switched on, and back.
//!
//! Why and in which order: docs/decisions/0041-git-or-api.md.

use headwater_converters::Conversion;
use headwater_extractors::git as extractors;
use headwater_store::ownership::Side;

use super::Tally;
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::entities::FROM_GIT;
use crate::report::Event;
use crate::source::StreamEntry;

impl ScopeRun<'_> {
    fn api_streams(&self) -> impl Iterator<Item = &StreamEntry> {
        let streams = self.job.source.streams.iter();
        streams.filter(|entry| FROM_GIT.contains(&entry.collection.stream))
    }

    /// What is remembered of the API's branches, tags and commits.
    fn api_side(&self) -> Side {
        let source = &self.job.source;
        let mut side = Side::default();
        for entry in self.api_streams() {
            side.streams.push(entry.collection.stream);
            side.raw_tables.push(entry.collection.raw_table.clone());
            side.steps.push(entry.collection.heads_step());
            side.steps.push(entry.extraction.step());
        }
        // They read what only these streams fill.
        let conversions = source.conversions.iter();
        let conversions = conversions.filter(|it| FROM_GIT_CONVERSIONS.contains(&it.name));
        side.steps.extend(conversions.map(Conversion::step));
        side
    }

    /// Removes what the API gave of branches, tags and commits, now that they come from a mirror. Returns
    /// true when there was something; it is forgotten when the mirror has been read.
    pub(super) async fn leave_api(&mut self, tally: &mut Tally) -> Step<bool> {
        if self.mirror.is_none() || self.is_plain_git() || !self.reads_git() {
            return Ok(false);
        }
        let (store, side) = (&self.runner.store, self.api_side());
        let scope = &self.job.scope;
        let there = store.has_side(scope, &side).await;
        if !there.map_err(|error| self.broken(&error))? {
            return Ok(false);
        }
        let removed = store
            .remove_side(scope, &side, self.runner.clock.now())
            .await;
        removed.map_err(|error| self.broken(&error))?;
        let message = format!(
            "{}:{}: commits, branches and tags come from git from now on",
            self.job.connection, scope.full_name
        );
        self.runner.reporter.event(&Event::Notice { message });
        let entries: Vec<&StreamEntry> = self.job.source.streams.iter().collect();
        for entry in entries {
            if FROM_GIT.contains(&entry.collection.stream) {
                self.extract(entry, tally).await?;
            }
        }
        Ok(true)
    }

    /// Forgets how far the API's side had come: should it come back, it begins anew.
    pub(super) async fn forget_api(&self) -> Step<()> {
        let store = &self.runner.store;
        let side = self.api_side();
        let forgotten = store
            .forget_side(&self.job.scope, &side, self.runner.clock.now())
            .await;
        forgotten.map_err(|error| self.broken(&error))
    }

    /// Removes what came from git for a scope that is collected by the API alone again, as soon as the
    /// API has been read to the end.
    pub(super) async fn leave_git(&self) -> Step<()> {
        let wanted = FROM_GIT.iter().all(|it| self.job.streams.contains(it));
        if self.job.git.is_some() || self.job.scope.is_workspace() || !wanted {
            return Ok(());
        }
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let state = store.git_state(scope).await;
        if state.map_err(|error| self.broken(&error))?.is_none() {
            return Ok(());
        }
        let side = self.api_side();
        let complete = store.side_is_complete(scope, &side).await;
        if !complete.map_err(|error| self.broken(&error))? {
            return Ok(());
        }
        let repo_id = self.job.source.ids.repository(scope);
        let context = self.context(&|_| ());
        match extractors::forget(store, scope, &repo_id, &context).await {
            Ok(()) => {}
            Err(extractors::ExtractError::Cancelled) => return Err(Stop::Scope),
            Err(error) => {
                let stop = stop_of(&error);
                return Err(stop);
            }
        }
        let message = format!(
            "{}:{}: commits, branches and tags come from the API from now on",
            self.job.connection, scope.full_name
        );
        self.runner.reporter.event(&Event::Notice { message });
        // They begin anew: what came from git is gone.
        let conversions = Side {
            steps: side
                .steps
                .into_iter()
                .filter(|step| step.starts_with("convert:"))
                .collect(),
            ..Side::default()
        };
        let forgotten = store
            .forget_side(scope, &conversions, self.runner.clock.now())
            .await;
        forgotten.map_err(|error| self.broken(&error))
    }
}

/// Conversions of what the API gives of branches, tags and commits.
const FROM_GIT_CONVERSIONS: [&str; 3] = ["refs", "commits", "repo_commits"];
