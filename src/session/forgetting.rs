//! Removing a scope that is not wanted any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater_domain::Scope;

use super::Session;
use crate::exit::{Exit, Failure};
use crate::git::mirrors;
use crate::plan::{Depth, Plan, Stages};
use crate::report::Event;
use crate::resolve::Selection;
use crate::run::Job;
use crate::source::{GIT, Source};

/// What the log of runs calls it.
const COMMAND: &str = "scopes forget";

impl Session {
    /// Removes a scope of the connection with this name: its rows in every layer, its mirror, and
    /// that it is known. What others share stays theirs, and what they have of it follows.
    ///
    /// # Errors
    /// When the database fails; then the scope is still known, and the next call goes on.
    pub async fn forget(&self, scope: &Scope, connection: &str) -> Result<Exit, Failure> {
        let source = self.source_of(scope, connection).await?;
        let streams: BTreeSet<_> = source.stream_names().into_iter().collect();
        let job = Job {
            scope: scope.clone(),
            source,
            connection: connection.to_owned(),
            client: None,
            git: None,
            prefetched: None,
            rules: self.config.rules_of(connection),
            streams: Arc::new(streams),
            data_after: None,
            windows: Arc::default(),
            cancel: self.cancel.clone(),
        };
        let exit = Box::pin(self.runner().forget(COMMAND, job)).await?;
        if exit != Exit::Ok {
            return Ok(exit);
        }
        self.remove_mirror(scope, connection).await;
        // Links of others that led to it.
        let mut plan = Plan {
            command: COMMAND,
            stages: Stages::OFFLINE,
            streams: self.sources.stream_names(),
            depth: Depth::Changes,
        };
        plan.streams.retain(|stream| *stream != GIT);
        let (exit, _) = self.transform(&plan, &Selection::default()).await?;
        Ok(exit)
    }

    /// The source of a scope. Where its connection is not configured any more, the one whose ids
    /// its commits have.
    async fn source_of(&self, scope: &Scope, connection: &str) -> Result<Arc<Source>, Failure> {
        if self.config.connection(connection).is_none() {
            for source in self.sources.iter() {
                let repo_id = source.ids.repository(scope);
                if !self.store.git_commits(&repo_id, 1).await?.is_empty() {
                    return Ok(Arc::clone(source));
                }
            }
        }
        Ok(Arc::clone(
            self.sources.of_connection(&self.config, connection),
        ))
    }

    /// Removes the mirror, if there is one; where that cannot be, says where it is.
    async fn remove_mirror(&self, scope: &Scope, connection: &str) {
        let folder = self.config.git.folder_below(&self.folder);
        if scope.is_workspace() || !folder.exists() {
            return;
        }
        let name = &scope.full_name;
        let removed = match mirrors(&self.config, &self.folder).await {
            Ok(mirrors) => match mirrors.remove(scope.connection_id, name) {
                Ok(true) => return,
                Ok(false) => "it is in use".to_owned(),
                Err(error) => error.to_string(),
            },
            Err(failure) => failure.to_string(),
        };
        let message = format!(
            "{connection}:{name}: its mirror below {} could not be removed: {removed}; remove it \
             by hand",
            folder.display()
        );
        self.reporter.event(&Event::Notice { message });
    }
}
