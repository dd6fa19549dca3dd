//! A mirror that can be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headwater_git::{Advertised, Command, Git, GitError, GitErrorKind, Head, ObjectId, RefName};
use tokio_util::sync::CancellationToken;

use super::Depth;
use super::lock::Lock;
use super::place::Place;
use super::state::State;

/// Where HEAD points to when the source's leads nowhere: a name that no branch has.
pub(super) const NO_HEAD: &str = "refs/headwater/none";

/// A complete mirror. While it is held it is neither evicted nor changed; several may hold it.
#[derive(Debug)]
pub struct Mirror {
    pub(super) git: Git,
    pub(super) place: Place,
    pub(super) state: State,
    pub(super) _lock: Lock,
}

impl Mirror {
    /// The bare repository.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.place.mirror()
    }

    /// A git command that reads it, offline.
    #[must_use]
    pub fn command(&self) -> Command {
        self.git.in_repository(&self.path())
    }

    /// How much of each commit it holds.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.state.depth
    }

    /// What it takes on disk, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Its branches, tags and HEAD.
    ///
    /// # Errors
    /// When git cannot read them, of kind [`GitErrorKind::Corrupt`] if it is damaged.
    pub async fn refs(&self, cancel: &CancellationToken) -> Result<Advertised, GitError> {
        refs(&self.git, &self.place, cancel).await
    }

    /// Commits whose parents the source does not have, in the order of the file; none of a
    /// complete history. Git shows them without parents.
    #[must_use]
    pub fn shallow(&self) -> Vec<ObjectId> {
        shallow(&self.place)
    }

    /// Lets the next collection clone it again, because reading it failed.
    pub fn distrust(&self, why: &str) {
        // If it cannot be written, reading fails again and says so again.
        let _ = std::fs::write(self.place.distrusted(), why);
    }
}

/// Commits at the edge of an incomplete history.
pub(super) fn shallow(place: &Place) -> Vec<ObjectId> {
    let text = std::fs::read_to_string(place.mirror().join("shallow")).unwrap_or_default();
    text.lines()
        .filter_map(|line| ObjectId::parse(line).ok())
        .collect()
}

/// The branches, tags and HEAD of the mirror. Each ref's object is looked for, so that one that
/// is missing shows.
pub(super) async fn refs(
    git: &Git,
    place: &Place,
    cancel: &CancellationToken,
) -> Result<Advertised, GitError> {
    refs_in(git, &place.mirror(), cancel).await
}

/// Likewise of a repository that is no mirror yet.
pub(super) async fn refs_in(
    git: &Git,
    mirror: &Path,
    cancel: &CancellationToken,
) -> Result<Advertised, GitError> {
    let command = git.in_repository(mirror).args([
        "for-each-ref",
        "--format=%(objectname) %(refname) %(objecttype)",
        "refs/heads/",
        "refs/tags/",
    ]);
    let mut running = command.stream(cancel)?;
    let mut refs = BTreeMap::new();
    while let Some(line) = running.record(b'\n').await? {
        let Some((name, id)) = entry(line) else {
            let shown = String::from_utf8_lossy(line).into_owned();
            return Err(running.failure(GitErrorKind::Unexpected(shown)));
        };
        refs.insert(name, id);
    }
    running.finish().await?;
    let head = head(
        &std::fs::read(mirror.join("HEAD")).unwrap_or_default(),
        &refs,
    );
    Ok(Advertised { head, refs })
}

/// Hash and name of a line `<hash> <name> <type>`.
fn entry(line: &[u8]) -> Option<(RefName, ObjectId)> {
    let mut words = line.split(|byte| *byte == b' ');
    let id = ObjectId::parse(std::str::from_utf8(words.next()?).ok()?).ok()?;
    Some((RefName::parse(words.next()?).ok()?, id))
}

/// What the file HEAD says. A branch that is not there is none.
fn head(file: &[u8], refs: &BTreeMap<RefName, ObjectId>) -> Head {
    let line = file.trim_ascii();
    if let Some(target) = line.strip_prefix(b"ref: ") {
        return match RefName::parse(target) {
            Ok(name) if refs.contains_key(&name) => Head::Branch(name),
            _ => Head::Unborn,
        };
    }
    let id = std::str::from_utf8(line)
        .ok()
        .and_then(|id| ObjectId::parse(id).ok());
    id.map_or(Head::Unborn, Head::Detached)
}
