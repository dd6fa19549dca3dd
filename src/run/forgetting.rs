//! Scopes that leave: names that never led anywhere, and repositories that are not wanted any more.

use std::sync::Arc;

use headwater_domain::code::repo;
use headwater_domain::{Scope, Table};
use headwater_extractors::git::{self as extractors, ExtractError};
use headwater_store::ownership::Side;
use headwater_store::{Owner, Replacement, StoreError};

use super::steps::{ScopeRun, Step, Stop, stop_of};
use super::{Job, Runner, Tally, claim};
use crate::exit::{Exit, Failure};
use crate::plan::{Depth, Plan, Stages};
use crate::report::Event;
use crate::source::StreamEntry;

impl Runner {
    /// Removes everything that is stored of a scope, by the steps that follow what is deleted at
    /// the source, so that what others share stays with them. Then forgets the scope.
    ///
    /// # Errors
    /// When the database fails; then the scope is still known, and the next call goes on.
    pub async fn forget(&self, command: &'static str, job: Job) -> Result<Exit, Failure> {
        let source = Arc::clone(&job.source);
        let plan = Plan {
            command,
            stages: Stages::OFFLINE,
            streams: source.stream_names(),
            depth: Depth::Changes,
        };
        self.part(&source)?;
        let run = self.store.begin_run(command, self.clock.now()).await?;
        let runner = self.of_run(run);
        let part = runner.part(&source)?;
        let (shared, claim) = (tokio::sync::Mutex::new(()), claim(command));
        let scope_run = ScopeRun {
            runner: &part.runner,
            plan: &plan,
            run,
            shared: &shared,
            claim: &claim,
            order: &part.order,
            job,
            window: None,
            older_only: false,
            mirror: None,
            is_unknown: false,
        };
        let mut tally = Tally::of_scope();
        let done = Box::pin(scope_run.forget(&mut tally)).await;
        match done {
            Ok(()) => {}
            Err(Stop::Scope | Stop::Connection) => tally.scope_failed(),
            Err(Stop::Broken) => tally.broken(),
            Err(Stop::Leased) => tally.leased(),
        }
        let exit = tally.exit(self.cancel.is_cancelled());
        let finished_at = self.clock.now();
        self.store
            .finish_run(run, exit.state(), finished_at)
            .await?;
        if tally.is_broken() {
            return Err(Failure::of_database("the database failed", None));
        }
        Ok(exit)
    }
}

impl ScopeRun<'_> {
    /// A scope that the server does not know, and of which nothing is stored, leaves no trace: its
    /// name was mistyped.
    pub(super) async fn forget_unknown(&self) -> Step<()> {
        let forgotten = self.forget_empty().await;
        if forgotten.map_err(|error| self.broken(&error))? && !self.job.scope.is_workspace() {
            let message = format!(
                "{}:{}: there is no such repository, and nothing of it is stored: it is not \
                 remembered; see that the name is right",
                self.job.connection, self.job.scope.full_name
            );
            self.runner.reporter.event(&Event::Notice { message });
        }
        Ok(())
    }

    async fn forget_empty(&self) -> Result<bool, StoreError> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let tables = self.job.source.tables();
        if store.has_rows(scope, &tables).await? || store.git_state(scope).await?.is_some() {
            return Ok(false);
        }
        store.forget_scope(scope, self.runner.clock.now()).await?;
        Ok(true)
    }

    /// Removes everything of the scope, while no other process can work on it.
    async fn forget(mut self, tally: &mut Tally) -> Step<()> {
        let lease = self.lease().await?;
        let done = self.remove_everything(tally).await;
        let released = lease.release().await;
        done?;
        released.map_err(|error| self.broken(&error))
    }

    async fn remove_everything(&mut self, tally: &mut Tally) -> Step<()> {
        let (runner, scope) = (self.runner, self.job.scope.clone());
        let (store, source) = (&runner.store, Arc::clone(&self.job.source));
        let streams: Vec<&StreamEntry> = source.streams_of(&scope).collect();
        let side = Side {
            streams: source.stream_names(),
            raw_tables: streams
                .iter()
                .map(|entry| entry.collection.raw_table.clone())
                .collect(),
            steps: Vec::new(),
        };
        let removed = store.remove_side(&scope, &side, runner.clock.now()).await;
        removed.map_err(|error| self.broken(&error))?;
        self.remove_history(&scope).await?;
        self.extract_all(&streams, tally).await?;
        self.extract_accounts(tally).await?;
        self.convert_all(tally).await?;
        if self.runner.cancel.is_cancelled() {
            return Err(Stop::Scope);
        }
        let forgotten = store.forget_scope(&scope, runner.clock.now()).await;
        forgotten.map_err(|error| self.broken(&error))
    }

    /// Removes what came from git, and the repository itself where no API lists it.
    async fn remove_history(&self, scope: &Scope) -> Step<()> {
        let store = &self.runner.store;
        let context = self.context(&|_| ());
        match extractors::forget(store, scope, &self.repository_id(), &context).await {
            Ok(()) => {}
            Err(ExtractError::Cancelled) => return Err(Stop::Scope),
            Err(error) => return Err(stop_of(&error)),
        }
        if self.job.source.api.is_some() {
            return Ok(());
        }
        let removed = self.remove_repository(scope, self.repository_id()).await;
        removed.map_err(|error| self.broken(&error))
    }

    async fn remove_repository(&self, scope: &Scope, id: String) -> Result<(), StoreError> {
        let table = Table::of::<repo::Entity>();
        let mut page = self
            .runner
            .store
            .begin(scope, self.runner.clock.now())
            .await?;
        let replacement = Replacement {
            table,
            owner: Owner::Column {
                name: "id",
                values: vec![id],
                connection_id: None,
            },
            rows: Vec::new(),
            first: false,
        };
        page.replace(replacement).await?;
        page.commit().await
    }
}
