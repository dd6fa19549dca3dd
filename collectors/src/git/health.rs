//! Whether a mirror can be trusted, and what a killed git left in it.

use std::fs::File;
use std::io::{Read as _, Result, Seek as _, SeekFrom};
use std::path::Path;

use headwater_git::{Git, GitError, GitErrorKind};
use tokio_util::sync::CancellationToken;

use super::Depth;
use super::disk;
use super::place::Place;
use super::state::State;

/// Removes what a run that was killed left behind. Only who may write does this.
pub(super) fn tidy(place: &Place) -> Result<()> {
    disk::remove(&place.incoming())?;
    disk::remove(&place.outgoing())?;
    disk::remove_file(&place.child())?;
    tidy_repository(&place.mirror())
}

/// A part of a repository, which decides what is temporary there: names of refs are not ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Top,
    Objects,
    Other,
}

/// Removes temporary files that a killed git left in a repository. Names of refs make folders of any
/// depth.
fn tidy_repository(folder: &Path) -> Result<()> {
    let mut left = vec![(folder.to_owned(), Part::Top)];
    while let Some((folder, part)) = left.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_folder = entry.file_type()?.is_dir();
            if is_temporary(&name, is_folder, part) {
                let path = entry.path();
                if is_folder {
                    disk::remove(&path)?;
                } else {
                    disk::remove_file(&path)?;
                }
            } else if is_folder {
                let part = match (part, &*name) {
                    (Part::Top, "objects") | (Part::Objects, _) => Part::Objects,
                    _ => Part::Other,
                };
                left.push((entry.path(), part));
            }
        }
    }
    Ok(())
}

/// Whether git, or we, give such names to what does not stay. No part of a ref's name ends with
/// `.lock`, but it may begin and end with anything else.
fn is_temporary(name: &str, is_folder: bool, part: Part) -> bool {
    // Of bytes, since these are names of files on git's side, exact in their letters.
    let ends = |end: &str| name.as_bytes().ends_with(end.as_bytes());
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    match part {
        _ if !is_folder && ends(".lock") => true,
        Part::Top => {
            name == "packed-refs.new" || (name.starts_with("headwater.json.") && ends(".new"))
        }
        Part::Objects if is_folder => begins(&["tmp_objdir-", "incoming-"]),
        Part::Objects => begins(&["tmp_", ".tmp-"]) || ends(".keep"),
        Part::Other => false,
    }
}

/// Why the mirror cannot be used as it is; none if it can.
pub(super) async fn doubt(
    git: &Git,
    place: &Place,
    state: &State,
    cancel: &CancellationToken,
) -> std::result::Result<Option<String>, GitError> {
    if let Ok(why) = std::fs::read_to_string(place.distrusted()) {
        return Ok(Some(format!("it was found damaged ({})", why.trim())));
    }
    if let Err(why) = packs_are_whole(&place.mirror()) {
        return Ok(Some(why));
    }
    if !place.unfinished().exists() {
        return Ok(None);
    }
    match walk(git, &place.mirror(), state.depth, cancel).await {
        Err(error) if error.kind == GitErrorKind::Cancelled => Err(error),
        Err(error) => Ok(Some(format!(
            "a fetch was interrupted and left it damaged ({error})"
        ))),
        Ok(()) => Ok(None),
    }
}

/// Visits everything that the mirror should have.
async fn walk(
    git: &Git,
    mirror: &Path,
    depth: Depth,
    cancel: &CancellationToken,
) -> std::result::Result<(), GitError> {
    let command = git
        .in_repository(mirror)
        .args(["rev-list", "--all", "--quiet"]);
    let command = match depth {
        Depth::Graph => command,
        Depth::Full => command.arg("--objects"),
    };
    command.run(cancel).await.map(drop)
}

/// Whether each pack is there and ends as its index says. This reads a few bytes of each file;
/// what is wrong in the middle of a pack shows when it is read.
fn packs_are_whole(mirror: &Path) -> std::result::Result<(), String> {
    let folder = mirror.join("objects").join("pack");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("its packs are gone ({error})"))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|end| end == "idx") {
            let pack = path.with_extension("pack");
            let whole = ends_alike(&path, &pack);
            whole.map_err(|error| format!("the pack of {name} cannot be read ({error})"))?;
        } else if path.extension().is_some_and(|end| end == "pack")
            && !path.with_extension("idx").exists()
        {
            return Err(format!("{name} has no index"));
        }
    }
    Ok(())
}

/// An index ends with the checksum of its pack and its own, each as long as a hash; a pack ends
/// with its checksum. The bytes before the last hash of the index are the pack's in both formats.
fn ends_alike(index: &Path, pack: &Path) -> Result<()> {
    let index = end_of(index, 64)?;
    let pack = end_of(pack, 32)?;
    let sha1 = index[24..44] == pack[12..];
    let sha256 = index[..32] == pack[..];
    if sha1 || sha256 {
        return Ok(());
    }
    Err(std::io::Error::other("it does not end as its index says"))
}

fn end_of(path: &Path, bytes: i64) -> Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-bytes))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end)
}
