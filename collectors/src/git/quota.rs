//! Keeping all mirrors below the quota.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use super::Notice;
use super::disk;
use super::error::MirrorErrorKind;
use super::lock::{For, Lock};
use super::place::Place;
use super::state::State;

/// How often the size of a growing mirror is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The room that one mirror may grow into.
#[derive(Clone)]
pub(super) struct Room {
    /// The folder of all mirrors.
    pub(super) root: PathBuf,
    /// What all of them may take, in bytes.
    pub(super) quota: u64,
    /// The mirror that grows, which is never removed here.
    pub(super) own: Place,
}

/// Another mirror.
struct Other {
    place: Place,
    state: State,
}

impl Room {
    /// Does the work, which fills a folder, and stops it when that no longer fits. Mirrors that
    /// were used least recently make room and are named.
    pub(super) async fn keep<T>(
        &self,
        folder: PathBuf,
        notices: &mut Vec<Notice>,
        work: impl Future<Output = Result<T, MirrorErrorKind>>,
    ) -> Result<T, MirrorErrorKind> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    let done = done?;
                    notices.extend(self.look(folder).await?);
                    return Ok(done);
                }
                () = tokio::time::sleep(LOOK) => {
                    notices.extend(self.look(folder.clone()).await?);
                }
            }
        }
    }

    /// Makes room for what the folder takes now.
    async fn look(&self, folder: PathBuf) -> Result<Vec<Notice>, MirrorErrorKind> {
        let room = self.clone();
        let look = move || room.make_for(disk::size(&folder));
        match tokio::task::spawn_blocking(look).await {
            Ok(notices) => notices,
            Err(error) => Err(MirrorErrorKind::folder(&self.root, error.into())),
        }
    }

    /// Removes other mirrors until there is room for so many bytes.
    fn make_for(&self, own: u64) -> Result<Vec<Notice>, MirrorErrorKind> {
        if own > self.quota {
            let (bytes, quota) = (own, self.quota);
            return Err(MirrorErrorKind::TooLarge { bytes, quota });
        }
        let (mut others, growing) = self.others();
        let finished: u64 = others.iter().map(|other| other.state.bytes).sum();
        let mut total = own + growing + finished;
        let mut notices = Vec::new();
        others.sort_by_key(|other| other.state.last_used);
        for other in others {
            if total <= self.quota {
                break;
            }
            if evict(&other.place)? {
                total = total.saturating_sub(other.state.bytes);
                let State { scope, bytes, .. } = other.state;
                notices.push(Notice::Evicted { scope, bytes });
            }
        }
        if total > self.quota {
            let (bytes, quota) = (total, self.quota);
            return Err(MirrorErrorKind::NoRoom { bytes, quota });
        }
        Ok(notices)
    }

    /// The other mirrors, and what is being cloned beside us takes, in bytes.
    fn others(&self) -> (Vec<Other>, u64) {
        let mut growing = 0;
        let mut others = Vec::new();
        for place in places(&self.root) {
            if place.folder == self.own.folder {
                continue;
            }
            growing += disk::size(&place.incoming());
            if let Some(state) = State::read(&place.mirror()) {
                others.push(Other { place, state });
            }
        }
        (others, growing)
    }
}

/// The folders of all scopes.
pub(super) fn places(root: &std::path::Path) -> Vec<Place> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let is_place = |place: &Place| place.lock().is_file();
    let place = |entry: std::fs::DirEntry| Place {
        folder: entry.path(),
    };
    entries.map(place).filter(is_place).collect()
}

/// Removes a mirror unless a process uses it. Its lock stays, since others may wait for it.
pub(super) fn evict(place: &Place) -> Result<bool, MirrorErrorKind> {
    let Some(_lock) = Lock::attempt(place, For::Writing)? else {
        return Ok(false);
    };
    let failed = |error| MirrorErrorKind::folder(&place.folder, error);
    disk::remove(&place.outgoing()).map_err(failed)?;
    match std::fs::rename(place.mirror(), place.outgoing()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    for marker in [place.unfinished(), place.distrusted()] {
        disk::remove_file(&marker).map_err(failed)?;
    }
    disk::remove(&place.outgoing()).map_err(failed)?;
    Ok(true)
}
