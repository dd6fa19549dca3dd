//! Git history: a mirror on this machine to `commits`, `commit_parents`, `commit_files`,
//! `repo_commits` and `refs`.
//!
//! The mirror is the raw layer: it is read offline, and only what changed since it was last read
//! is written. Why things are as they are: docs/decisions/0039-git-history.md.

mod authors;
mod commit_rows;
mod counting;
mod engine;
mod forgetting;
mod history;
mod mirror;
mod numstat;
mod patches;
mod peeling;
mod reading;
mod refs;
mod sharing;
mod sizes;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use headwater_domain::Table;
use headwater_domain::code::{commit, commit_file, commit_parent, git_ref, repo_commit};
use headwater_domain::crossdomain::commit_mention;
use headwater_domain::id::Ids;
use headwater_domain::rules::Rules;
use headwater_git::{Command, Git, GitError, GitErrorKind};
use headwater_store::git::AddressColumns;
use headwater_store::{Changes, StoreError};

pub use engine::run;
pub use forgetting::forget;
pub use headwater_store::git::GIT_ORIGIN;
pub use patches::{Change, patch_ids};
pub use sizes::sizes_of;

/// What the history of a scope is read of.
#[derive(Clone, Copy, Debug)]
pub struct GitSource<'a> {
    /// Domain id of the repository, such as `git:Repo:9:tools/widget`.
    pub repo_id: &'a str,
    /// The bare mirror on this machine.
    pub mirror: &'a Path,
    /// The program.
    pub git: &'a Git,
}

/// Rules for reading a history.
#[derive(Clone, Copy, Debug)]
pub struct GitRules<'a> {
    /// Whether lines are counted and files listed, for which the mirror must be a full one.
    pub line_counts: bool,
    /// Who the authors are.
    pub authors: Authors,
    /// Which accounts are bots'.
    pub configured: &'a Rules,
}

/// What `author_id` and `committer_id` join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authors {
    /// Each author's e-mail address is an account of its own, which is written.
    Addresses,
    /// The connection's accounts, by the address that the API gave with a commit; the address
    /// alone where it gave none. No account is written.
    Accounts(ApiAccounts),
}

/// What the API beside git gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiAccounts {
    /// How its source spells domain ids.
    pub ids: &'static Ids,
    /// Where it gives accounts by e-mail address.
    pub addresses: &'static [AddressColumns],
}

/// What reading a history did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryRead {
    /// Commits read.
    pub commits: u64,
    /// Commits that the repository has no more.
    pub gone: u64,
    /// Rows written and removed.
    pub changes: Changes,
    /// Dates that are no dates, or out of the years 1970 to 9999; they are null.
    pub odd_dates: u64,
    /// Commits whose parents a shallow mirror lacks.
    pub boundary: u64,
    /// True when everything was read anew.
    pub anew: bool,
}

/// Why reading a history stopped. What is committed stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// There is no mirror: it was never fetched, or made room for others. All rows stay.
    #[error(
        "reading the git history of {scope}: there is no mirror at {}; \
         run `headwater sync` to fetch it again", path.display()
    )]
    NoMirror {
        /// Full name of the repository.
        scope: String,
        /// Where the mirror should be.
        path: PathBuf,
    },
    /// Its hashes have more characters than the columns.
    #[error(
        "reading the git history of {scope}: the repository has SHA-256 hashes, which the tables \
         cannot hold; take it out of the configuration"
    )]
    Sha256 {
        /// Full name of the repository.
        scope: String,
    },
    /// Git failed.
    #[error("reading the git history of {scope}")]
    Git {
        /// Full name of the repository.
        scope: String,
        /// What git said.
        #[source]
        source: GitError,
    },
    /// The database failed.
    #[error("writing the git history of {scope}")]
    Store {
        /// Full name of the repository.
        scope: String,
        /// What the database said.
        #[source]
        source: StoreError,
    },
}

/// Tables that reading a history writes.
#[must_use]
pub fn tables() -> Vec<&'static Table> {
    vec![
        Table::of::<commit::Entity>(),
        Table::of::<commit_parent::Entity>(),
        Table::of::<commit_file::Entity>(),
        Table::of::<repo_commit::Entity>(),
        Table::of::<commit_mention::Entity>(),
        Table::of::<git_ref::Entity>(),
    ]
}

/// Why a task stopped.
#[derive(Debug)]
enum Stop {
    Cancelled,
    NoMirror,
    Sha256,
    Git(GitError),
    Store(StoreError),
}

impl From<GitError> for Stop {
    fn from(error: GitError) -> Self {
        match error.kind {
            GitErrorKind::Cancelled => Self::Cancelled,
            _ => Self::Git(error),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Stop {
    fn into_error(self, scope: String, source: &GitSource<'_>) -> ExtractError {
        match self {
            Self::Cancelled => ExtractError::Cancelled,
            Self::NoMirror => ExtractError::NoMirror {
                scope,
                path: source.mirror.to_owned(),
            },
            Self::Sha256 => ExtractError::Sha256 { scope },
            Self::Git(source) => ExtractError::Git { scope, source },
            Self::Store(source) => ExtractError::Store { scope, source },
        }
    }
}

/// Keeps what git maps of large packs small; the rest of the machine is not git's alone.
fn bounded(command: Command) -> Command {
    command.args([
        "-c",
        "core.packedGitWindowSize=4m",
        "-c",
        "core.packedGitLimit=32m",
        // Of 96 MB by itself; what lies between is hardly ever met again: with 2 MB it took as long.
        "-c",
        "core.deltaBaseCacheLimit=8m",
    ])
}
