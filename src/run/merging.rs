//! The step that links merged pull requests with the commits they became.

use std::collections::HashMap;
use std::path::PathBuf;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_collectors::git::Depth;
use headwater_converters::merges::{self, Change, LinkError, Patches, Unnamed};
use headwater_extractors::git::{ExtractError, GitSource, patch_ids};
use headwater_git::{Git, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::Tally;
use super::progress::{Progress, cancelled, failed};
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::entities;
use crate::exit::chain;
use crate::report::{Event, StepSummary, counted};

/// The contents of commits, read from a mirror.
struct Contents<'a> {
    repo_id: &'a str,
    scope: &'a str,
    mirror: PathBuf,
    git: &'a Git,
    cancel: &'a CancellationToken,
}

impl Patches for Contents<'_> {
    fn namer(&self) -> String {
        format!("git {}", self.git.version())
    }

    fn names<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, String>, Unnamed>> {
        let named = async move {
            let source = GitSource {
                repo_id: self.repo_id,
                mirror: &self.mirror,
                git: self.git,
            };
            let named = patch_ids(&source, self.scope, changes, self.cancel).await;
            named.map_err(|error| match error {
                ExtractError::Cancelled => Unnamed::Cancelled,
                error => Unnamed::Failed(Box::new(error)),
            })
        };
        named.boxed()
    }
}

impl ScopeRun<'_> {
    /// Links merged pull requests with commits, when something changed that this follows from.
    pub(super) async fn link_merges(&mut self, tally: &mut Tally) -> Step<()> {
        let scope = &self.job.scope;
        if scope.is_workspace() || !entities::links_merges(&self.runner.source, &self.job.streams) {
            return Ok(());
        }
        let wanted = self.job.git.as_ref().is_some_and(|git| git.line_counts);
        if wanted && !self.has_mirror().await {
            // A run that has one again does what is to be done.
            return Ok(());
        }
        let done = self.link_with_mirror(tally).await;
        // Nobody reads it any more.
        self.mirror = None;
        done
    }

    /// Opens the mirror if it is not open. Why there is none was told where it is read.
    async fn has_mirror(&mut self) -> bool {
        if self.mirror.is_some() {
            return true;
        }
        let Some(git) = &self.job.git else {
            return false;
        };
        let (scope, name) = (&self.job.scope, &self.job.connection);
        let (id, full_name, cancel) = (scope.connection_id, &scope.full_name, &self.runner.cancel);
        let opened = git
            .mirrors
            .read(id, name, full_name, self.runner.clock.now(), cancel)
            .await;
        self.mirror = opened.ok().flatten();
        self.mirror.is_some()
    }

    async fn link_with_mirror(&self, tally: &mut Tally) -> Step<()> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let repo_id = self.repository_id();
        let git = self.job.git.as_ref().filter(|git| git.line_counts);
        let mirror = self.mirror.as_ref();
        // One without files is made a full one by the next collection.
        let mirror = mirror.filter(|mirror| mirror.depth() == Depth::Full);
        let contents = git.zip(mirror).map(|(git, mirror)| Contents {
            repo_id: &repo_id,
            scope: &scope.full_name,
            mirror: mirror.path(),
            git: git.mirrors.git(),
            cancel: &self.runner.cancel,
        });
        let patches = contents.as_ref().map(|it| it as &dyn Patches);
        let stale = merges::is_stale(store, scope, patches).await;
        if matches!(stale, Ok(false)) {
            return Ok(());
        }
        let progress = Progress::begin(self, "convert", "merges");
        let tell = |items| progress.tell_items(items);
        let watch = self.watch(&tell);
        let done = match stale {
            Ok(_) => merges::run(store, scope, &repo_id, patches, &watch).await,
            // Told as the step that could not begin.
            Err(error) => Err(error),
        };
        self.end_linking(progress, done, tally).await
    }

    async fn end_linking(
        &self,
        progress: Progress<'_>,
        done: Result<merges::Outcome, LinkError>,
        tally: &mut Tally,
    ) -> Step<()> {
        let (summary, step) = match done {
            Ok(outcome) => {
                self.tell_unlinked(&outcome);
                let summary = StepSummary {
                    items: outcome.items,
                    written: outcome.changes.written,
                    removed: outcome.changes.removed,
                    ..StepSummary::default()
                };
                (summary, Ok(()))
            }
            Err(LinkError::Cancelled) => (cancelled(), Err(Stop::Scope)),
            Err(error @ LinkError::Store { .. }) => {
                let stop = stop_of(&error);
                (failed(&error), Err(stop))
            }
            Err(error @ LinkError::Patches { .. }) => {
                if let Some(mirror) = self.mirror.as_ref().filter(|_| is_corrupt(&error)) {
                    mirror.distrust(&chain(&error));
                }
                (failed(&error), Err(Stop::Scope))
            }
        };
        self.end(progress, summary, tally).await?;
        step
    }

    /// Says how many were not linked, when something was written about it.
    fn tell_unlinked(&self, outcome: &merges::Outcome) {
        let changed = outcome.changes.written + outcome.changes.removed > 0;
        if outcome.unlinked == 0 || !changed {
            return;
        }
        let message = format!(
            "{}:{}: no commit was found of {}; the table unlinked_pull_requests says why",
            self.job.connection,
            self.job.scope.full_name,
            counted(
                outcome.unlinked,
                "merged pull request",
                "merged pull requests"
            )
        );
        self.runner.reporter.event(&Event::Notice { message });
    }
}

/// Whether git says that the mirror is damaged.
fn is_corrupt(error: &LinkError) -> bool {
    let LinkError::Patches { source, .. } = error else {
        return false;
    };
    let found = source.downcast_ref::<ExtractError>();
    matches!(found, Some(ExtractError::Git { source, .. }) if source.kind == GitErrorKind::Corrupt)
}
