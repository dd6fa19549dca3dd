//! The stages that need no network, over repositories that are registered.

use std::sync::Arc;

use super::Session;
use crate::exit::{Exit, Failure};
use crate::git::mirrors;
use crate::plan::Plan;
use crate::report::RunSummary;
use crate::resolve::{Selection, registered};
use crate::run::{Job, Tally};

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
        let reads_git = plan.stages.extract && known.iter().any(|(_, name)| config.reads_git(name));
        let mirrors = if reads_git {
            Some(mirrors(config, &self.folder).await?)
        } else {
            None
        };
        let jobs = known.into_iter().map(|(scope, connection)| Job {
            git: config
                .offline_git(mirrors.as_ref(), &scope, &connection)
                .map(Arc::new),
            scope,
            rules: config.rules_of(&connection),
            streams: Arc::new(config.streams_of(&self.source, &connection)),
            connection,
            client: None,
            prefetched: None,
            data_after: None,
            cancel: self.cancel.clone(),
        });
        let jobs = jobs.collect();
        Box::pin(self.runner().run(plan, jobs, Tally::default())).await
    }
}
