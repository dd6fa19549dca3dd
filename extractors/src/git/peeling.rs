//! What refs lead to: tags may be of tags, of folders and of files, of which a mirror without files
//! has nothing.

use headwater_git::{GitError, GitErrorKind};

use super::mirror::{Mirror, feed};
use super::text;

/// Tags of tags that are followed; each round asks git once.
const ROUNDS: usize = 50;

/// What a ref leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A commit, by its hash.
    Commit(String),
    /// Something else; why it has no row.
    Other(&'static str),
}

impl Target {
    /// The commit, if it is one.
    pub(super) fn commit(&self) -> Option<&str> {
        match self {
            Self::Commit(sha) => Some(sha),
            Self::Other(_) => None,
        }
    }

    /// The target that a type and a hash are; none for a tag, which leads further.
    pub(super) fn of(kind: &[u8], id: &[u8]) -> Option<Self> {
        match kind {
            b"commit" => Some(Self::Commit(text::text(id))),
            b"tag" => None,
            b"tree" => Some(Self::Other("names a folder (a tree), no commit")),
            b"blob" => Some(Self::Other("names a file (a blob), no commit")),
            _ => Some(Self::Other("names an object of a kind that is not known")),
        }
    }
}

/// What each of these tag objects leads to in the end. Only the tag objects are read, since what
/// they name may not be in the mirror.
pub(super) async fn peel(mirror: &Mirror<'_>, tags: Vec<String>) -> Result<Vec<Target>, GitError> {
    let mut targets = vec![Target::Other("is a tag of too many tags"); tags.len()];
    let mut left: Vec<(usize, String)> = tags.into_iter().enumerate().collect();
    for _ in 0..ROUNDS {
        if left.is_empty() {
            break;
        }
        let asked = mirror.command().args(["cat-file", "--batch", "--buffer"]);
        let mut printed = asked.fed().stream(mirror.cancel)?;
        feed(
            &mut printed,
            left.iter().map(|(_, id)| id.clone()).collect(),
        );
        let mut next = Vec::new();
        for (place, _) in left {
            let head = printed.record(b'\n').await?.map(text::text);
            let head = head.unwrap_or_default();
            let Some(size) = size(&head) else {
                return Err(printed.failure(GitErrorKind::Unexpected(head)));
            };
            let object = printed.bytes(size + 1).await?;
            let Some((id, kind)) = named(object) else {
                let what = format!("a tag that names nothing: {head}");
                return Err(printed.failure(GitErrorKind::Unexpected(what)));
            };
            match Target::of(kind, id) {
                Some(target) => targets[place] = target,
                None => next.push((place, text::text(id))),
            }
        }
        printed.finish().await?;
        left = next;
    }
    Ok(targets)
}

/// The size in a line `<hash> tag <size>`.
fn size(head: &str) -> Option<usize> {
    let (kind, size) = head.split_once(' ')?.1.split_once(' ')?;
    size.parse().ok().filter(|_| kind == "tag")
}

/// The hash and the type of what a tag object names; they are its first two lines.
fn named(tag: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut lines = tag.splitn(3, |&byte| byte == b'\n');
    let id = lines.next()?.strip_prefix(b"object ")?;
    let kind = lines.next()?.strip_prefix(b"type ")?;
    Some((id, kind))
}
