//! What a remote has, by `ls-remote`: one contact with the server.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Command, Git, GitError, GitErrorKind, ObjectId, RefName, Remote, Running, Scheme};

/// How long a server may say nothing when it is asked for its list.
const SILENCE: Duration = Duration::from_mins(5);

/// What a repository's HEAD is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// A branch, the default one.
    Branch(RefName),
    /// A commit, and no branch is the default one.
    Detached(ObjectId),
    /// Nothing that exists: an empty repository, or the name of a branch that is not there.
    Unborn,
}

/// The branches and tags of a remote, and its HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// HEAD.
    pub head: Head,
    /// Branches and tags by full name; a tag's value is the tag object where it has one.
    pub refs: BTreeMap<RefName, ObjectId>,
}

impl Git {
    /// Asks a remote for its branches, tags and HEAD. A server that breaks off is an error, never
    /// an empty answer; an empty repository of the web is asked twice for that.
    ///
    /// # Errors
    /// When the remote does not answer, refuses, or answers something else.
    pub async fn ls_remote(
        &self,
        remote: &Remote,
        cancel: &CancellationToken,
    ) -> Result<Advertised, GitError> {
        self.ls_remote_noting(remote, &|_| (), cancel).await
    }

    /// The same, and notes the number of each git process that works on it as soon as it runs, so
    /// that it can be ended should we be killed.
    ///
    /// # Errors
    /// As [`Git::ls_remote`].
    pub async fn ls_remote_noting(
        &self,
        remote: &Remote,
        note: &(dyn Fn(Option<u32>) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Advertised, GitError> {
        let quiet = self.listing(remote);
        let (advertised, _) = read(quiet.stream(cancel)?, note).await?;
        let web = matches!(remote.url.scheme(), Scheme::Http | Scheme::Https);
        if !web || !advertised.refs.is_empty() {
            return Ok(advertised);
        }
        // Git takes an empty page for an empty repository without a git server. Only a git server
        // ends its list with a packet for that, which is seen in the trace.
        let (advertised, stderr) =
            read(self.listing(remote).traced().stream(cancel)?, note).await?;
        let ends = |line: &str| line.contains(" packet: ") && line.ends_with("< 0000");
        if advertised.refs.is_empty() && !stderr.lines().any(ends) {
            return Err(GitError {
                command: "ls-remote".to_owned(),
                place: remote.url.to_string(),
                kind: GitErrorKind::Network,
                stderr:
                    "the answer is not a git server's, or it broke off before the list of branches"
                        .to_owned(),
            });
        }
        Ok(advertised)
    }

    fn listing(&self, remote: &Remote) -> Command {
        let command = self.outside().args(["ls-remote", "--symref"]);
        command
            .reaching(remote)
            .arg("origin")
            .longest_record(64 * 1024)
    }
}

/// What one `ls-remote` gives, and what it said on its standard error.
async fn read(
    mut running: Running,
    note: &(dyn Fn(Option<u32>) + Send + Sync),
) -> Result<(Advertised, String), GitError> {
    note(running.id());
    let mut advertised = Advertised {
        head: Head::Unborn,
        refs: BTreeMap::new(),
    };
    loop {
        let Ok(line) = tokio::time::timeout(SILENCE, running.record(b'\n')).await else {
            return Err(running.failure(GitErrorKind::Network));
        };
        let wrong = match line? {
            None => break,
            Some(line) => advertised.take(line).err(),
        };
        if let Some(wrong) = wrong {
            return Err(running.failure(GitErrorKind::Unexpected(wrong)));
        }
    }
    let stderr = running.finish().await?;
    Ok((advertised, stderr))
}

impl Advertised {
    /// Whether hashes are those of SHA-256.
    #[must_use]
    pub fn uses_sha256(&self) -> bool {
        self.refs.values().any(ObjectId::is_sha256)
    }

    /// Takes one line: `ref: refs/heads/main<TAB>HEAD`, or a hash and a name.
    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let tab = memchr::memchr(b'\t', line).ok_or("a line without a name")?;
        let (value, name) = (&line[..tab], &line[tab + 1..]);
        if let Some(target) = value.strip_prefix(b"ref: ") {
            if name == b"HEAD" && target.starts_with(b"refs/heads/") {
                self.head = Head::Branch(parsed(target)?);
            }
            return Ok(());
        }
        let is_ours = name.starts_with(b"refs/heads/") || name.starts_with(b"refs/tags/");
        if name != b"HEAD" && (!is_ours || name.ends_with(b"^{}")) {
            return Ok(());
        }
        let id = String::from_utf8_lossy(value);
        let id = ObjectId::parse(&id).map_err(|error| error.to_string())?;
        if name != b"HEAD" {
            self.refs.insert(parsed(name)?, id);
        } else if self.head == Head::Unborn {
            self.head = Head::Detached(id);
        }
        Ok(())
    }
}

fn parsed(name: &[u8]) -> Result<RefName, String> {
    RefName::parse(name).map_err(|error| error.to_string())
}
