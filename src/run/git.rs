//! The steps of git: a mirror is updated, and read offline; and what happens to tables
//! that change their owner.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_collectors::git::{
    Depth, FetchedMirror, LeftOut, Mirror, MirrorError, MirrorErrorKind, Task,
};
use headwater_domain::code::repo;
use headwater_domain::{Origin, Rows, Table};
use headwater_extractors::git::{
    self as extractors, ApiAccounts, Authors, ExtractError, GitRules, GitSource,
};
use headwater_git::{GitError, GitErrorKind};
use headwater_store::dead_letters::{DeadLetter, named};
use headwater_store::git::GIT_ORIGIN;
use headwater_store::{Changes, Owner, Replacement, StoreError};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::Tally;
use super::progress::{Progress, cancelled, failed};
use super::steps::{ScopeRun, Step, Stop, stop_of};
use crate::exit::chain;
use crate::git::GitScope;
use crate::report::{Event, StepSummary};
use crate::source::GIT;

impl ScopeRun<'_> {
    /// True when git is among what is run for this scope.
    pub(super) fn reads_git(&self) -> bool {
        self.job.git.is_some() && self.plan.streams.contains(&GIT) && self.job.streams.contains(GIT)
    }

    /// True when there is no API beside git.
    pub(super) fn is_plain_git(&self) -> bool {
        self.job.git.as_ref().is_some_and(|git| git.is_plain)
    }

    /// Brings the mirror up to date.
    pub(super) async fn collect_git(&mut self, tally: &mut Tally) -> Step<()> {
        let Some(git) = self.job.git.clone().filter(|_| self.reads_git()) else {
            return Ok(());
        };
        let progress = Progress::begin(self, "collect", GIT);
        let fetching = self.fetch(&git, &progress);
        let done = fetching.instrument(progress.span.clone()).await;
        let (summary, step) = match done {
            Ok(outcome) => {
                let summary = StepSummary {
                    items: u64::from(outcome.moved),
                    rejected: outcome.left_out.len() as u64,
                    requests: outcome.requests,
                    ..StepSummary::default()
                };
                self.tell_notices(&outcome);
                let noted = self.note_left_out(&outcome.left_out).await;
                self.mirror = Some(outcome.mirror);
                let step = match noted {
                    Ok(()) => self.note_source(&git, None).await,
                    Err(error) => Err(self.broken(&error)),
                };
                (summary, step)
            }
            Err(error) => {
                self.is_unknown |= git.is_plain && error.is_gone();
                let summary = StepSummary {
                    state: error.state(),
                    message: error.message(),
                    requests: error.requests(),
                    ..StepSummary::default()
                };
                (summary, Err(self.stop_fetching(&git, &error, tally).await))
            }
        };
        self.end(progress, summary, tally).await?;
        step
    }

    async fn fetch(
        &self,
        git: &GitScope,
        progress: &Progress<'_>,
    ) -> Result<FetchedMirror, Unfetched> {
        let (job, cancel) = (&self.job, &self.job.cancel);
        let url = git.url.clone().map_err(Unfetched::Nowhere)?;
        let way = git.way.as_ref();
        let way = way.ok_or_else(|| Unfetched::Nowhere("this command is offline".to_owned()))?;
        let remote = way.to(&url, cancel).await?;
        let (sender, mut told) = mpsc::unbounded_channel();
        let task = Task {
            connection_id: job.scope.connection_id,
            connection: job.connection.clone(),
            scope: job.scope.full_name.clone(),
            remote,
            depth: if git.line_counts {
                Depth::Full
            } else {
                Depth::Graph
            },
            now: self.runner.clock.now(),
            watch: Some(Arc::new(move |transfer| {
                // There is no listener any more when the step is over.
                let _ = sender.send(transfer);
            })),
        };
        let mut collecting = std::pin::pin!(git.mirrors.collect(&task, cancel));
        loop {
            tokio::select! {
                done = &mut collecting => return Ok(done?),
                Some(transfer) = told.recv() => progress.tell_transfer(&transfer),
            }
        }
    }

    fn tell_notices(&self, outcome: &FetchedMirror) {
        for notice in &outcome.notices {
            let message = format!(
                "{}:{}: {notice}",
                self.job.connection, self.job.scope.full_name
            );
            self.runner.reporter.event(&Event::Notice { message });
        }
    }

    /// Makes dead letters of the branches and tags that the mirror lacks, and of no others.
    async fn note_left_out(&self, left_out: &[LeftOut]) -> Result<(), StoreError> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let mut mended = store.dead_items(scope, GIT).await?;
        if left_out.is_empty() && mended.is_empty() {
            return Ok(());
        }
        let letters: Vec<DeadLetter> = left_out
            .iter()
            .map(|left_out| DeadLetter {
                stage: "collect".to_owned(),
                stream: GIT.to_owned(),
                item: left_out.name.clone(),
                raw_id: None,
                path: left_out.id.clone(),
                message: left_out.reason.clone(),
            })
            .collect();
        mended.retain(|item| letters.iter().all(|letter| named(&letter.item) != *item));
        let page = store.begin(scope, self.runner.clock.now()).await?;
        page.record_letters(&letters).await?;
        page.resolve_letters(GIT, &mended).await?;
        page.commit().await
    }

    /// Notes that a repository is gone at its source, or there. With an API it is the API's to say.
    async fn note_source(&self, git: &GitScope, gone: Option<DateTime<Utc>>) -> Step<()> {
        if !git.is_plain {
            return Ok(());
        }
        let noted = self.runner.store.set_source_gone(&self.job.scope, gone);
        noted.await.map_err(|error| self.broken(&error))
    }

    /// What a failed fetch means for the scope and the run. Repositories of one connection may be
    /// on different servers, so the others go on.
    async fn stop_fetching(&self, git: &GitScope, error: &Unfetched, tally: &mut Tally) -> Stop {
        if error.is_refusal() {
            tally.refused();
        }
        if error.is_gone()
            && let Err(stop) = self.note_source(git, Some(self.runner.clock.now())).await
        {
            return stop;
        }
        Stop::Scope
    }

    /// Reads the mirror: what is new in it, and what is gone.
    pub(super) async fn extract_git(&mut self, tally: &mut Tally) -> Step<()> {
        let (Some(git), Some(mirror)) = (self.job.git.clone(), self.mirror.take()) else {
            return Ok(());
        };
        let progress = Progress::begin(self, "extract", GIT);
        let reading = self.read_or_mend(&git, mirror, &progress);
        let (mirror, done) = reading.instrument(progress.span.clone()).await;
        let (summary, step) = match done {
            Ok(outcome) => {
                let summary = StepSummary {
                    items: outcome.commits,
                    written: outcome.changes.written,
                    removed: outcome.changes.removed,
                    ..StepSummary::default()
                };
                (summary, Ok(()))
            }
            Err(ExtractError::Cancelled) => (cancelled(), Err(Stop::Scope)),
            Err(error @ ExtractError::Store { .. }) => {
                let stop = stop_of(&error);
                (failed(&error), Err(stop))
            }
            Err(error) => (failed(&error), Err(Stop::Scope)),
        };
        if git.line_counts && !git.is_plain && step.is_ok() {
            // Merged pull requests are compared with what its commits change.
            self.mirror = mirror;
        }
        self.end(progress, summary, tally).await?;
        step
    }

    /// Reads the mirror. One that is damaged is cloned again and read once more, where this run may
    /// fetch; otherwise the next one does. No mirror is returned where it could not be cloned.
    async fn read_or_mend(
        &self,
        git: &GitScope,
        mirror: Mirror,
        progress: &Progress<'_>,
    ) -> (
        Option<Mirror>,
        Result<extractors::HistoryRead, ExtractError>,
    ) {
        let done = self.read_mirror(git, &mirror, progress).await;
        match &done {
            Err(ExtractError::Git { source, .. }) if is_damage(&source.kind) => {
                mirror.distrust(&source.to_string());
            }
            _ => return (Some(mirror), done),
        }
        if !self.plan.stages.collect {
            return (Some(mirror), done);
        }
        // A mirror that is held is not cloned.
        drop(mirror);
        match Box::pin(self.fetch(git, progress)).await {
            Ok(outcome) => {
                self.tell_notices(&outcome);
                let done = self.read_mirror(git, &outcome.mirror, progress).await;
                (Some(outcome.mirror), done)
            }
            // The damage says more than that it could not be mended.
            Err(_) => (None, done),
        }
    }

    /// Opens the mirror as it is, where this run did not bring it up to date. Without one there is
    /// nothing to read: collecting has said why, or has yet to come.
    pub(super) async fn open_mirror(&mut self, tally: &mut Tally) -> Step<()> {
        let Some(git) = self.job.git.clone().filter(|_| self.reads_git()) else {
            return Ok(());
        };
        if self.mirror.is_some() {
            return Ok(());
        }
        let (scope, cancel) = (&self.job.scope, &self.runner.cancel);
        let name = &self.job.connection;
        let (id, full_name) = (scope.connection_id, &scope.full_name);
        let opened = git
            .mirrors
            .read(id, name, full_name, self.runner.clock.now(), cancel)
            .await;
        let message = match opened {
            Ok(None) if !self.plan.stages.collect => {
                format!("{name}:{full_name} has no mirror; run `headwater sync` to fetch it")
            }
            Ok(mirror) => {
                self.mirror = mirror;
                return Ok(());
            }
            Err(error) => chain(&error),
        };
        let progress = Progress::begin(self, "extract", GIT);
        let summary = StepSummary {
            state: "failed",
            message,
            ..StepSummary::default()
        };
        self.end(progress, summary, tally).await?;
        Err(Stop::Scope)
    }

    async fn read_mirror(
        &self,
        git: &GitScope,
        mirror: &Mirror,
        progress: &Progress<'_>,
    ) -> Result<extractors::HistoryRead, ExtractError> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let failed = |source| ExtractError::Store {
            scope: scope.full_name.clone(),
            source,
        };
        let tell = |items| progress.tell_items(items);
        let context = self.context(&tell);
        let path = mirror.path();
        let source = GitSource {
            repo_id: &git.repo_id,
            mirror: &path,
            git: git.mirrors.git(),
        };
        let rules = GitRules {
            // A mirror without files is made a full one by the next collection.
            line_counts: git.line_counts && mirror.depth() == Depth::Full,
            authors: match self.job.source.accounts {
                None => Authors::Addresses,
                Some((accounts, _)) => Authors::Accounts(ApiAccounts {
                    ids: self.job.source.ids,
                    addresses: accounts.addresses,
                }),
            },
            configured: &self.job.rules,
        };
        let mut outcome = extractors::run(store, scope, &source, &rules, &context).await?;
        if git.is_plain {
            outcome.changes += self.write_repository(git).await.map_err(failed)?;
        }
        Ok(outcome)
    }

    /// Writes the row of a repository that no API knows.
    async fn write_repository(&self, git: &GitScope) -> Result<Changes, StoreError> {
        let (store, scope) = (&self.runner.store, &self.job.scope);
        let mut rows = Rows::default();
        rows.from_origin(Origin {
            params: scope.params(),
            table: GIT_ORIGIN.to_owned(),
            id: 0,
        });
        rows.push(repo::Model {
            id: git.repo_id.clone(),
            name: scope.full_name.clone(),
            url: git
                .url
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            ..repo::Model::default()
        });
        let table = Table::of::<repo::Entity>();
        let mut page = store.begin(scope, self.runner.clock.now()).await?;
        let replacement = Replacement {
            table,
            owner: Owner::Column {
                name: "id",
                values: vec![git.repo_id.clone()],
                connection_id: None,
            },
            rows: rows.take(table),
            first: false,
        };
        let changes = page.replace(replacement).await?;
        page.commit().await?;
        Ok(changes)
    }
}

/// Whether git failed at what it read, and not at its surroundings.
fn is_damage(kind: &GitErrorKind) -> bool {
    matches!(
        kind,
        GitErrorKind::Corrupt | GitErrorKind::Unexpected(_) | GitErrorKind::Failed(_)
    )
}

/// Why a mirror was not updated.
enum Unfetched {
    /// There is no address to fetch from.
    Nowhere(String),
    /// An OAuth consumer was given no token.
    Token(headwater_collectors::RequestError),
    /// Fetching failed.
    Mirror(MirrorError),
}

impl From<headwater_collectors::RequestError> for Unfetched {
    fn from(error: headwater_collectors::RequestError) -> Self {
        Self::Token(error)
    }
}

impl From<MirrorError> for Unfetched {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(error)
    }
}

impl Unfetched {
    fn state(&self) -> &'static str {
        match self {
            Self::Mirror(error) if matches!(error.kind, MirrorErrorKind::Cancelled) => "cancelled",
            Self::Token(error)
                if error.kind == headwater_collectors::RequestErrorKind::Cancelled =>
            {
                "cancelled"
            }
            _ => "failed",
        }
    }

    fn message(&self) -> String {
        match self {
            _ if self.state() == "cancelled" => String::new(),
            Self::Nowhere(why) => why.clone(),
            Self::Token(error) => chain(error),
            Self::Mirror(error) => chain(error),
        }
    }

    fn requests(&self) -> u64 {
        match self {
            Self::Mirror(error) => error.requests,
            _ => 0,
        }
    }

    /// Whether the credentials or their permissions do not suffice.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Nowhere(_) => false,
            Self::Token(error) => matches!(
                error.kind,
                headwater_collectors::RequestErrorKind::ConsumerRefused { .. }
            ),
            Self::Mirror(error) => match &error.kind {
                MirrorErrorKind::Gone(_) => true,
                MirrorErrorKind::Git(GitError { kind, .. }) => {
                    matches!(
                        kind,
                        GitErrorKind::Authentication
                            | GitErrorKind::Forbidden
                            | GitErrorKind::SshKeys
                    )
                }
                _ => false,
            },
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Mirror(error) if matches!(error.kind, MirrorErrorKind::Gone(_)))
    }
}
