//! The stages that need no network, over repositories that are registered.

use std::sync::Arc;

use super::Session;
use crate::exit::{Exit, Failure};
use crate::git::mirrors;
use crate::plan::Plan;
use crate::report::RunSummary;
use crate::resolve::{Selection, registered};
use crate::run::{Job, Tally, claim};
use crate::source::GIT;

impl Session {
    /// Runs the offline stages of a plan over the selected repositories that are registered.
    ///
    /// # Errors
    /// When a name means nothing, git is to be read and there is none, or the database fails.
    pub async fn transform(
        &self,
        plan: &Plan,
        selection: &Selection,
    ) -> Result<(Exit, RunSummary), Failure> {
        let config = &self.config;
        let known = registered(&self.store, config, selection).await?;
        let reads = plan.stages.extract && plan.streams.contains(&GIT);
        let reads_git = reads && known.iter().any(|(_, name)| config.reads_git(name));
        let mirrors = if reads_git {
            Some(mirrors(config, &self.folder).await?)
        } else {
            None
        };
        let jobs = known.into_iter().map(|(scope, connection)| {
            let source = Arc::clone(self.sources.of_connection(config, &connection));
            let git = config.offline_git(mirrors.as_ref(), (&source, &scope), &connection);
            Job {
                git: git.map(Arc::new),
                scope,
                source,
                rules: config.rules_of(&connection),
                streams: Arc::new(config.streams_of(&self.sources, &connection)),
                connection,
                client: None,
                prefetched: None,
                data_after: None,
                windows: Arc::default(),
                cancel: self.cancel.clone(),
            }
        });
        let jobs = jobs.collect();
        let running = self.store.lease_run(&claim(plan.command)).await?;
        let done = self
            .run_measured((None, plan), jobs, Tally::default())
            .await;
        self.end(running).await;
        done
    }
}
