//! Git's objects as bytes, and the hashes that follow from them.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::world::{Commit, Hash, NOTHING, Tag, Time};

/// Who makes annotated tags.
pub(crate) const TAGGER: &str = "Release Manager <release@builds.example.net>";
/// The one file that every commit writes anew.
const FILE: &str = "CHANGES.txt";

/// What an object is, in git's words and in those of its packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit = 1,
    Tree = 2,
    Blob = 3,
    Tag = 4,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Tag => "tag",
        }
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    kind: Kind,
    content: Vec<u8>,
}

impl Object {
    /// Its name: a hash of what it is and what is in it.
    pub(crate) fn hash(&self) -> Hash {
        let mut bytes = format!("{} {}\0", self.kind.word(), self.content.len()).into_bytes();
        bytes.extend_from_slice(&self.content);
        sha1(&bytes)
    }
}

fn sha1(bytes: &[u8]) -> Hash {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    Hash(hash)
}

/// The file, the tree and the commit itself.
pub(crate) fn of_commit(commit: &Commit) -> [Object; 3] {
    let mut lines = format!("{}\n", commit.message.trim_end());
    // One to five lines, so that commits differ in how many they add and remove.
    for line in 0..=commit.salt.0[0] % 5 {
        let _ = writeln!(lines, "{} {line}", commit.salt);
    }
    let blob = Object {
        kind: Kind::Blob,
        content: lines.into_bytes(),
    };
    let mut entry = format!("100644 {FILE}\0").into_bytes();
    entry.extend_from_slice(&blob.hash().0);
    let tree = Object {
        kind: Kind::Tree,
        content: entry,
    };
    let mut text = format!("tree {}\n", tree.hash());
    if commit.parent != NOTHING {
        let _ = writeln!(text, "parent {}", commit.parent);
    }
    if let Some(merged) = commit.merged {
        let _ = writeln!(text, "parent {merged}");
    }
    for role in ["author", "committer"] {
        let _ = writeln!(text, "{role} {}", signed(&commit.author, commit.date));
    }
    let _ = write!(text, "\n{}", commit.message);
    let made = Object {
        kind: Kind::Commit,
        content: text.into_bytes(),
    };
    [blob, tree, made]
}

/// An annotated tag; none for one that is only a name.
pub(crate) fn of_tag(name: &str, tag: &Tag) -> Option<Object> {
    let (message, date) = tag.annotation.as_ref()?;
    let text = format!(
        "object {}\ntype commit\ntag {name}\ntagger {}\n\n{message}\n",
        tag.target,
        signed(TAGGER, *date)
    );
    Some(Object {
        kind: Kind::Tag,
        content: text.into_bytes(),
    })
}

fn signed(who: &str, date: Time) -> String {
    format!("{who} {} +0000", date.timestamp())
}

/// Objects as one pack, in the form that `git index-pack` reads.
pub(crate) fn pack(objects: &[Object]) -> io::Result<Vec<u8>> {
    let count = u32::try_from(objects.len()).map_err(io::Error::other)?;
    let mut bytes = b"PACK\0\0\0\x02".to_vec();
    bytes.extend_from_slice(&count.to_be_bytes());
    for object in objects {
        begin(&mut bytes, object.kind, object.content.len());
        let mut packed = ZlibEncoder::new(&mut bytes, Compression::fast());
        packed.write_all(&object.content)?;
        packed.finish()?;
    }
    let sum = sha1(&bytes);
    bytes.extend_from_slice(&sum.0);
    Ok(bytes)
}

/// Kind and length: four bits of the length beside the kind, then seven in each byte.
fn begin(bytes: &mut Vec<u8>, kind: Kind, length: usize) {
    let low = |number: usize, mask: usize| u8::try_from(number & mask).unwrap_or_default();
    let mut byte = ((kind as u8) << 4) | low(length, 0x0f);
    let mut rest = length >> 4;
    while rest > 0 {
        bytes.push(byte | 0x80);
        byte = low(rest, 0x7f);
        rest >>= 7;
    }
    bytes.push(byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_git_gives() {
        let of = |kind, content: &[u8]| {
            let object = Object {
                kind,
                content: content.to_vec(),
            };
            object.hash().to_string()
        };
        assert_eq!(
            of(Kind::Blob, b""),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            of(Kind::Tree, b""),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
    }

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        let begun = |length| {
            let mut bytes = Vec::new();
            begin(&mut bytes, Kind::Blob, length);
            bytes
        };
        assert_eq!(begun(0), [0x30]);
        assert_eq!(begun(15), [0x3f]);
        assert_eq!(begun(16), [0xb0, 0x01]);
        assert_eq!(begun(0x7ff), [0xbf, 0x7f]);
        assert_eq!(begun(0x800), [0xb0, 0x80, 0x01]);
    }
}
