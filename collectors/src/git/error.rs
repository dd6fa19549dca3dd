//! Why a mirror could not be updated.

use std::path::PathBuf;

use headwater_git::{GitError, GitErrorKind};

use crate::Verdict;

/// Why a mirror could not be updated or read. What was there before stays.
#[derive(Debug, thiserror::Error)]
#[error("git history of {scope} over connection {connection}: {kind}")]
pub struct MirrorError {
    /// The connection's name.
    pub connection: String,
    /// Full name of the repository.
    pub scope: String,
    /// What went wrong.
    #[source]
    pub kind: MirrorErrorKind,
    /// How often git went to the server before.
    pub requests: u64,
}

/// What went wrong with a mirror.
#[derive(Debug, thiserror::Error)]
pub enum MirrorErrorKind {
    /// Git failed.
    #[error("{0}")]
    Git(#[from] GitError),
    /// The source is gone, or hidden from these credentials.
    #[error("{0}; its mirror and its rows stay as they are")]
    Gone(GitError),
    /// Another process works on it.
    #[error(
        "another process uses the mirror in {0} and has not finished; run again when it has, or \
         end it"
    )]
    InUse(PathBuf),
    /// It cannot fit.
    #[error(
        "this repository alone takes more than the quota of mirrors ({bytes} of {quota} bytes); \
         raise git.quota, or leave the repository out of the scopes"
    )]
    TooLarge {
        /// What it took when it was stopped, in bytes.
        bytes: u64,
        /// The quota, in bytes.
        quota: u64,
    },
    /// It does not fit beside what is in use.
    #[error(
        "mirrors take {bytes} bytes, the quota is {quota}, and the others are in use; raise \
         git.quota, or lower the connection's concurrency"
    )]
    NoRoom {
        /// What all of them took, in bytes.
        bytes: u64,
        /// The quota, in bytes.
        quota: u64,
    },
    /// The folder of mirrors cannot be used.
    #[error("{path} cannot be used: {source}; check git.folder")]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl MirrorErrorKind {
    /// An error of the file system.
    pub(super) fn folder(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        Self::Folder { path, source }
    }

    /// A failed command, as far as the remote is concerned.
    pub(super) fn of_remote(error: GitError) -> Self {
        match error.kind {
            GitErrorKind::NotFound => Self::Gone(error),
            GitErrorKind::Cancelled => Self::Cancelled,
            _ => Self::Git(error),
        }
    }

    /// A failed command that is not reported.
    pub(super) fn of_mirror(error: GitError) -> Self {
        match error.kind {
            GitErrorKind::Cancelled => Self::Cancelled,
            _ => Self::Git(error),
        }
    }

    /// What follows from it: whether the connection's other scopes may go on.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Git(error) => match error.kind {
                GitErrorKind::Authentication => Verdict::Stop,
                // Other repositories may be on other servers.
                GitErrorKind::Forbidden | GitErrorKind::SshKeys => Verdict::Skip,
                _ => Verdict::Fail,
            },
            Self::Gone(_) => Verdict::Skip,
            Self::Cancelled => Verdict::Stop,
            _ => Verdict::Fail,
        }
    }
}
