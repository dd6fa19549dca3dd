//! The folder of all mirrors.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use headwater_git::{Git, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::error::{MirrorError, MirrorErrorKind};
use super::lock::{For, Lock};
use super::place::Place;
use super::quota::{evict, places};
use super::state::State;
use super::{Depth, Mirror, mirror};

/// How long another process may work on a mirror that we want.
const PATIENCE: Duration = Duration::from_mins(1);

/// The folder of all mirrors.
#[derive(Clone, Debug)]
pub struct Mirrors {
    pub(super) git: Git,
    pub(super) root: PathBuf,
    pub(super) quota: u64,
    pub(super) patience: Duration,
}

/// What one mirror takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The connection's number.
    pub connection_id: i64,
    /// Full name of the repository.
    pub scope: String,
    /// How much of each commit it holds.
    pub depth: Depth,
    /// What it takes on disk, in bytes.
    pub bytes: u64,
    /// When it was last used.
    pub last_used: Option<DateTime<Utc>>,
}

impl Mirrors {
    /// Mirrors in a folder, which is made when it is needed, of at most so many bytes together.
    #[must_use]
    pub fn new(git: Git, folder: PathBuf, quota: u64) -> Self {
        // Git is started in the folders of mirrors, where a relative path leads elsewhere.
        let root = std::path::absolute(&folder).unwrap_or(folder);
        Self {
            git,
            root,
            quota,
            patience: PATIENCE,
        }
    }

    /// The git that keeps them.
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// The mirror of a scope as it is, for reading without any network; none if there is none, or
    /// if it was found damaged, which the next collection mends. Waits while another process
    /// changes it.
    ///
    /// # Errors
    /// When another process works on it for more than a minute, or its folder cannot be read.
    pub async fn read(
        &self,
        connection_id: i64,
        connection: &str,
        scope: &str,
        now: DateTime<Utc>,
        cancel: &CancellationToken,
    ) -> Result<Option<Mirror>, MirrorError> {
        let place = Place::of(&self.root, connection_id, scope);
        self.open(place, now, cancel)
            .await
            .map_err(|kind| MirrorError {
                connection: connection.to_owned(),
                scope: scope.to_owned(),
                kind,
                requests: 0,
            })
    }

    async fn open(
        &self,
        place: Place,
        now: DateTime<Utc>,
        cancel: &CancellationToken,
    ) -> Result<Option<Mirror>, MirrorErrorKind> {
        if !place.mirror().exists() {
            return Ok(None);
        }
        let lock = Lock::take(&place, For::Reading, self.patience, cancel).await?;
        let Some(mut state) = State::read(&place.mirror()) else {
            return Ok(None);
        };
        if place.distrusted().exists() {
            return Ok(None);
        }
        if place.unfinished().exists() {
            // Refs moved in one step or not at all; only what they lead to may be missing.
            match mirror::refs(&self.git, &place, cancel).await {
                Err(error) if error.kind == GitErrorKind::Cancelled => {
                    return Err(MirrorErrorKind::Cancelled);
                }
                Err(_) => return Ok(None),
                Ok(_) => {}
            }
        }
        state.last_used = now.timestamp_millis();
        // A folder that cannot be written to can be read all the same.
        let _ = state.write(&place.mirror());
        Ok(Some(Mirror {
            git: self.git.clone(),
            place,
            state,
            _lock: lock,
        }))
    }

    /// What each mirror takes, the least recently used one first.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        let state = |place: &Place| State::read(&place.mirror());
        let mut states: Vec<State> = places(&self.root).iter().filter_map(state).collect();
        states.sort_by_key(|state| state.last_used);
        let of = |state: State| Use {
            connection_id: state.connection_id,
            scope: state.scope,
            depth: state.depth,
            bytes: state.bytes,
            last_used: DateTime::from_timestamp_millis(state.last_used),
        };
        states.into_iter().map(of).collect()
    }

    /// Removes the mirror of a scope; false if a process uses it. Its next collection clones it
    /// again.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub fn remove(&self, connection_id: i64, scope: &str) -> Result<bool, std::io::Error> {
        evict(&Place::of(&self.root, connection_id, scope)).map_err(|kind| match kind {
            MirrorErrorKind::Folder { source, .. } => source,
            other => std::io::Error::other(other.to_string()),
        })
    }
}
