//! Branches and tags that a mirror cannot hold: the others are mirrored without them.

use std::collections::BTreeMap;
use std::path::Path;

use headwater_git::{Advertised, Head, ObjectId, RefName};
use serde::{Deserialize, Serialize};

/// Bytes of a part between slashes: names of files have 255, and git adds `.lock`.
const LONGEST_PART: usize = 255 - ".lock".len();

/// Parts of a name, each a folder: whoever removes them opens one within the other.
const MOST_PARTS: usize = 128;

/// Bytes of a path: systems take 4096, with a zero at the end; git adds `.lock`.
const LONGEST_PATH: usize = 4095 - ".lock".len();

/// A branch or tag of the source that the mirror lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Full name; bytes that are no UTF-8 are U+FFFD.
    pub name: String,
    /// The object that it names.
    pub id: String,
    /// Why the mirror lacks it.
    pub reason: String,
}

/// Why no file system holds a ref of this name in a repository here; none if one does.
fn unholdable(name: &RefName, repository: &Path) -> Option<String> {
    let mut parts = name.as_bytes().split(|byte| *byte == b'/');
    let count = parts.clone().count();
    if count > MOST_PARTS {
        return Some(format!(
            "its name has {count} parts between slashes, each of which would be a folder; \
             {MOST_PARTS} are taken"
        ));
    }
    if parts.any(|part| part.len() > LONGEST_PART) {
        return Some(format!(
            "a part of its name has more than {LONGEST_PART} bytes, which no file system holds"
        ));
    }
    let path = repository.as_os_str().len() + 1 + name.as_bytes().len();
    (path > LONGEST_PATH).then(|| {
        format!(
            "its name has {} bytes, and its path in the folder of mirrors too many; a shorter \
             git.folder may do",
            name.as_bytes().len()
        )
    })
}

/// Refs of a source that are not to be fetched.
#[derive(Clone, Debug, Default)]
pub(super) struct Exclusions {
    /// Refs with what they name and the reason.
    refs: BTreeMap<RefName, (ObjectId, String)>,
}

impl Exclusions {
    /// The refs that cannot be held, and those that could not be written before and are the same.
    pub(super) fn of(advertised: &Advertised, repository: &Path, before: &[LeftOut]) -> Self {
        let mut refs = BTreeMap::new();
        for (name, id) in &advertised.refs {
            let is_same = |one: &&LeftOut| one.name == name.to_text() && one.id == id.as_str();
            let reason = unholdable(name, repository)
                .or_else(|| before.iter().find(is_same).map(|one| one.reason.clone()));
            if let Some(reason) = reason {
                refs.insert(name.clone(), (id.clone(), reason));
            }
        }
        Self { refs }
    }

    /// Notes the refs that a fetch did not write, although it was to.
    pub(super) fn add_unwritten(&mut self, advertised: &Advertised, written: &Advertised) {
        for (name, id) in &advertised.refs {
            if written.refs.get(name) != Some(id) && !self.refs.contains_key(name) {
                let reason = "git could not write it into the mirror: its name collides with \
                              another one there, or it names what no such ref may name";
                self.refs
                    .insert(name.clone(), (id.clone(), reason.to_owned()));
            }
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &RefName> {
        self.refs.keys()
    }

    /// What the mirror will have of what the source has.
    pub(super) fn without(&self, advertised: &Advertised) -> Advertised {
        let mut rest = advertised.clone();
        rest.refs.retain(|name, _| !self.refs.contains_key(name));
        if let Head::Branch(name) = &rest.head
            && self.refs.contains_key(name)
        {
            rest.head = Head::Unborn;
        }
        rest
    }

    /// All that is left out, by name.
    pub(super) fn listed(&self) -> Vec<LeftOut> {
        let refs = self.refs.iter().map(|(name, (id, reason))| LeftOut {
            name: name.to_text().into_owned(),
            id: id.to_string(),
            reason: reason.clone(),
        });
        refs.collect()
    }
}
