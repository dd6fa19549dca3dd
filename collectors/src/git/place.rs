//! Where a mirror lies.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_128;

/// How much of a scope's name is kept readable, in characters.
const READABLE: usize = 48;

/// The name of a scope's folder: safe on every file system, short, and different for different
/// scopes even where capitals do not count.
#[must_use]
pub fn folder_name(connection_id: i64, scope: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let readable: String = scope.chars().take(READABLE).map(plain).collect();
    let whole = xxh3_128(format!("{connection_id}\0{scope}").as_bytes());
    format!(
        "{connection_id}-{}-{whole:032x}",
        readable.trim_matches('-')
    )
}

/// The folder of one scope and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folder.
    pub(super) folder: PathBuf,
}

impl Place {
    pub(super) fn of(root: &Path, connection_id: i64, scope: &str) -> Self {
        Self {
            folder: root.join(folder_name(connection_id, scope)),
        }
    }

    /// The complete bare repository.
    pub(super) fn mirror(&self) -> PathBuf {
        self.folder.join("mirror.git")
    }

    /// A clone that is not complete yet.
    pub(super) fn incoming(&self) -> PathBuf {
        self.folder.join("incoming.git")
    }

    /// A mirror that is being removed.
    pub(super) fn outgoing(&self) -> PathBuf {
        self.folder.join("outgoing.git")
    }

    /// Whoever locks this file owns the folder.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// There while a fetch changes the mirror.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.folder.join("unfinished")
    }

    /// There when the mirror was found damaged; says why.
    pub(super) fn distrusted(&self) -> PathBuf {
        self.folder.join("distrusted")
    }

    /// The git process that works for us, should we be killed.
    pub(super) fn child(&self) -> PathBuf {
        self.folder.join("child")
    }
}
