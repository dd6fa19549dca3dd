//! The contents of commits, for derivations that compare them: read from a mirror.

use std::collections::HashMap;
use std::path::PathBuf;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_collectors::git::Depth;
use headwater_converters::Error;
use headwater_converters::merges::{Change, Patches, Unnamed};
use headwater_domain::merges::SizeOfChange;
use headwater_extractors::git::{ExtractError, GitSource, patch_ids, sizes_of};
use headwater_git::{Git, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::steps::ScopeRun;

/// The contents of a repository's commits.
pub(super) struct Contents<'a> {
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
            let source = self.source();
            let named = patch_ids(&source, self.scope, changes, self.cancel).await;
            named.map_err(unnamed)
        };
        named.boxed()
    }

    fn sizes<'a>(
        &'a self,
        changes: &'a [Change],
    ) -> BoxFuture<'a, Result<HashMap<Change, SizeOfChange>, Unnamed>> {
        let counted = async move {
            let source = self.source();
            let counted = sizes_of(&source, self.scope, changes, self.cancel).await;
            counted.map_err(unnamed)
        };
        counted.boxed()
    }
}

impl Contents<'_> {
    fn source(&self) -> GitSource<'_> {
        GitSource {
            repo_id: self.repo_id,
            mirror: &self.mirror,
            git: self.git,
        }
    }
}

fn unnamed(error: ExtractError) -> Unnamed {
    match error {
        ExtractError::Cancelled => Unnamed::Cancelled,
        error => Unnamed::Failed(Box::new(error)),
    }
}

impl ScopeRun<'_> {
    /// True where contents are compared, if there is a mirror at this moment.
    pub(super) fn compares_contents(&self) -> bool {
        self.job.git.as_ref().is_some_and(|git| git.line_counts)
    }

    /// Opens the mirror if it is not open. Why there is none was reported where it is read.
    pub(super) async fn open_for_contents(&mut self) {
        if self.mirror.is_some() || !self.compares_contents() {
            return;
        }
        let Some(git) = &self.job.git else {
            return;
        };
        let (scope, name) = (&self.job.scope, &self.job.connection);
        let (id, full_name, cancel) = (scope.connection_id, &scope.full_name, &self.runner.cancel);
        let opened = git
            .mirrors
            .read(id, name, full_name, self.runner.clock.now(), cancel)
            .await;
        self.mirror = opened.ok().flatten();
    }

    /// The contents of the commits of the scope's repository, where there is a mirror with files:
    /// one without is made a full one by the next collection.
    pub(super) fn contents<'a>(&'a self, repo_id: &'a str) -> Option<Contents<'a>> {
        let git = self.job.git.as_ref().filter(|git| git.line_counts)?;
        let mirror = self.mirror.as_ref();
        let mirror = mirror.filter(|mirror| mirror.depth() == Depth::Full)?;
        Some(Contents {
            repo_id,
            scope: &self.job.scope.full_name,
            mirror: mirror.path(),
            git: git.mirrors.git(),
            cancel: &self.runner.cancel,
        })
    }
}

/// Whether git says that the mirror is damaged.
pub(super) fn is_corrupt(error: &Error) -> bool {
    let Error::Patches { source, .. } = error else {
        return false;
    };
    let found = source.downcast_ref::<ExtractError>();
    matches!(found, Some(ExtractError::Git { source, .. }) if source.kind == GitErrorKind::Corrupt)
}
