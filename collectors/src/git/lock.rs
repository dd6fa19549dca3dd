//! Who works on a mirror: a lock of the operating system, which ends with the process.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::MirrorErrorKind;
use super::orphans;
use super::place::Place;

/// How often a lock that is taken is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// The lock of one mirror, alone or together with other readers, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// What a lock is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Reading,
    Writing,
}

impl Lock {
    /// Takes the lock, waiting as long as given for others to finish. Git processes that a killed
    /// run left behind are ended.
    pub(super) async fn take(
        place: &Place,
        what_for: For,
        patience: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, MirrorErrorKind> {
        if let Some(lock) = Self::attempt(place, what_for)? {
            return Ok(lock);
        }
        let waiting = async {
            loop {
                orphans::end_all(&place.folder);
                tokio::time::sleep(AGAIN).await;
                if let Some(lock) = Self::attempt(place, what_for)? {
                    return Ok(lock);
                }
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(MirrorErrorKind::Cancelled),
            () = tokio::time::sleep(patience) => Err(MirrorErrorKind::InUse(place.folder.clone())),
            lock = waiting => lock,
        }
    }

    /// Takes the lock if it is free.
    pub(super) fn attempt(place: &Place, what_for: For) -> Result<Option<Self>, MirrorErrorKind> {
        let path = place.lock();
        let failed = |error| MirrorErrorKind::folder(&path, error);
        make_folder(&place.folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(failed)?;
        let taken = match what_for {
            For::Reading => file.try_lock_shared(),
            For::Writing => file.try_lock(),
        };
        match taken {
            Ok(()) => {
                let lock = Self { file };
                lock.be_inherited(what_for == For::Writing);
                Ok(Some(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Lets others read beside us from now on.
    pub(super) fn share(self, place: &Place) -> Result<Self, MirrorErrorKind> {
        self.be_inherited(false);
        let shared = self.file.lock_shared();
        shared.map_err(|error| MirrorErrorKind::folder(place.lock(), error))?;
        Ok(self)
    }

    /// Whether git processes that we start hold the lock too, so that it is not free while one of
    /// them still writes after we were killed.
    fn be_inherited(&self, inherited: bool) {
        #[cfg(unix)]
        {
            let mut flags = rustix::io::FdFlags::CLOEXEC;
            flags.set(rustix::io::FdFlags::CLOEXEC, !inherited);
            // It cannot fail for a file that is open; and without it there is only less safety.
            let _ = rustix::io::fcntl_setfd(&self.file, flags);
        }
        #[cfg(not(unix))]
        let _ = inherited;
    }
}

/// Makes a folder that only this user may read: mirrors may hold private source code.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do: a child of another mirror may have inherited the file.
        let _ = self.file.unlock();
    }
}
