//! What a mirror says of itself: a file inside, so that both move together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Depth;
use super::error::MirrorErrorKind;
use super::left_out::LeftOut;

/// Tells files of the same process apart that are written at the same time.
static TURN: AtomicU64 = AtomicU64::new(0);

/// What a mirror says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) connection_id: i64,
    pub(super) scope: String,
    pub(super) depth: Depth,
    /// Which filter the server took, in git's words; empty if none.
    pub(super) filter: String,
    /// The commit whose mailmap was asked for last, or `none`; empty at first.
    #[serde(default)]
    pub(super) mailmap_of: String,
    /// Branches and tags of the source that could not be mirrored.
    #[serde(default)]
    pub(super) left_out: Vec<LeftOut>,
    /// When it was last used, in milliseconds since 1970.
    pub(super) last_used: i64,
    /// What it takes on disk.
    pub(super) bytes: u64,
}

fn path(mirror: &Path) -> PathBuf {
    mirror.join("headwater.json")
}

impl State {
    /// What the mirror at a path says; none if it says nothing that can be read.
    pub(super) fn read(mirror: &Path) -> Option<Self> {
        let text = std::fs::read(path(mirror)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes it, as a whole or not at all. Who calls holds the mirror's lock; of two readers
    /// that write at the same time either may win.
    pub(super) fn write(&self, mirror: &Path) -> Result<(), MirrorErrorKind> {
        let path = path(mirror);
        let failed = |error| MirrorErrorKind::folder(&path, error);
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let (process, turn) = (std::process::id(), TURN.fetch_add(1, Ordering::Relaxed));
        let new = mirror.join(format!("headwater.json.{process}-{turn}.new"));
        std::fs::write(&new, text).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(failed)
    }
}
