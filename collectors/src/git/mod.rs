//! Git history to mirrors: one bare repository for each scope, which is git's raw layer.
//!
//! A mirror holds the branches and tags of its source and is updated by one fetch, or
//! by none where `ls-remote` shows that nothing moved. Everything here works on folders; no
//! database is asked.

mod collect;
mod disk;
mod error;
mod fetch;
mod health;
mod left_out;
mod lock;
mod mailmap;
mod mirror;
mod mirrors;
mod orphans;
mod place;
mod quota;
mod state;
#[cfg(test)]
mod tests;

pub use error::{MirrorError, MirrorErrorKind};
pub use left_out::LeftOut;
pub use mirror::Mirror;
pub use mirrors::{Mirrors, Use};
pub use place::folder_name;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use headwater_git::{Progress, Remote};
use serde::{Deserialize, Serialize};

/// How much of each commit a mirror holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Commits and tags, without files: no source code is read. A server that cannot leave files
    /// out makes it [`Depth::Full`].
    Graph,
    /// Everything, as line counts need it.
    Full,
}

/// Receives how far a clone or fetch is; from any thread, at most about once a second.
pub type Watch = Arc<dyn Fn(Progress) + Send + Sync>;

/// The mirror that is wanted of one scope.
#[derive(Clone)]
pub struct Task {
    /// The connection's number.
    pub connection_id: i64,
    /// The connection's name, for messages.
    pub connection: String,
    /// Full name of the repository.
    pub scope: String,
    /// Where it is and who asks.
    pub remote: Remote,
    /// How much is wanted. A mirror that has more keeps it.
    pub depth: Depth,
    /// Our clock (UTC), which says when the mirror was last used.
    pub now: DateTime<Utc>,
    /// Receives how far a transfer is; none where it is not shown.
    pub watch: Option<Watch>,
}

/// What the collection of one scope did.
#[derive(Debug)]
pub struct FetchedMirror {
    /// The mirror, which cannot be evicted or changed while this is held.
    pub mirror: Mirror,
    /// Whether a branch, a tag, HEAD or the depth is another than before.
    pub moved: bool,
    /// Whether the mirror was made anew.
    pub cloned: bool,
    /// What it takes on disk, in bytes.
    pub bytes: u64,
    /// How often git went to the server: once for an unchanged repository.
    pub requests: u64,
    /// Branches and tags that the mirror lacks, since it cannot hold them.
    pub left_out: Vec<LeftOut>,
    /// What a person should know though it is no failure.
    pub notices: Vec<Notice>,
}

/// What a person should know though it is no failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// Files were wanted out and came along.
    #[error("the server cannot leave files out, so that the mirror holds them too")]
    NoFilter,
    /// What was to be left out could not be.
    #[error(
        "the history could not be fetched without files ({why}), so that the mirror holds {holds} too"
    )]
    Fuller {
        /// What went wrong before.
        why: String,
        /// What came along.
        holds: &'static str,
    },
    /// The source has no complete history itself.
    #[error(
        "the source is a shallow clone: {0} commits have parents that it does not have, so that \
         the history is incomplete there"
    )]
    Shallow(usize),
    /// The mirror had to be made anew.
    #[error("the mirror was cloned again, because {0}")]
    ClonedAgain(String),
    /// Room was made.
    #[error(
        "the mirror of {scope} was removed to keep the quota ({bytes} bytes); its next collection clones it again"
    )]
    Evicted {
        /// Whose mirror.
        scope: String,
        /// What it took, in bytes.
        bytes: u64,
    },
    /// The mailmap of the default branch could not be had.
    #[error("the .mailmap of the default branch could not be read: {0}")]
    NoMailmap(String),
}
