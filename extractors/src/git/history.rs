//! Commits as `git log` prints them.

use chrono::{DateTime, Utc};
use headwater_git::{Command, GitError, GitErrorKind, Running};

use super::text;

/// Who wrote or committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    /// None where git has no time that every database stores (UTC).
    pub(super) date: Option<DateTime<Utc>>,
}

/// One commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) sha: String,
    /// In git's order; of a commit at the boundary of a shallow repository none.
    pub(super) parents: Vec<String>,
    pub(super) author: Person,
    pub(super) committer: Person,
    pub(super) message: String,
}

/// Bytes of the longest field that is read; a longer one is an error. What is stored is shorter.
const LONGEST_FIELD: usize = 128 << 20;

/// Fields of a commit, each of which ends with a NUL, which no field can hold.
const PLAIN: &str = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";

/// The same with names and addresses as the mailmap has them.
const MAPPED: &str = "--format=%H%x00%P%x00%aN%x00%aE%x00%at%x00%cN%x00%cE%x00%ct%x00%B";

/// Asks for the commits that are fed as tips, and what they reach.
pub(super) fn log(command: Command, mailmap: bool) -> Command {
    let command = super::bounded(command).longest_record(LONGEST_FIELD).args([
        "log",
        "--stdin",
        "-z",
        "--no-patch",
        "--no-decorate",
        "--no-notes",
        "--no-show-signature",
        "--no-color",
        // What says its encoding is converted; what does not is taken as it is.
        "--encoding=UTF-8",
    ]);
    if mailmap {
        command.args(["--mailmap", MAPPED])
    } else {
        command.args(["--no-mailmap", PLAIN])
    }
}

/// The next commit; none at the end.
pub(super) async fn next(running: &mut Running) -> Result<Option<Commit>, GitError> {
    let Some(sha) = running.record(0).await? else {
        return Ok(None);
    };
    let mut commit = Commit {
        sha: text::text(sha),
        ..Commit::default()
    };
    if commit.sha.len() != 40 {
        let what = format!("a hash of {} characters", commit.sha.len());
        return Err(running.failure(GitErrorKind::Unexpected(what)));
    }
    commit.parents = field(running, hashes).await?;
    commit.author = person(running).await?;
    commit.committer = person(running).await?;
    commit.message = field(running, text::long_text).await?;
    Ok(Some(commit))
}

async fn person(running: &mut Running) -> Result<Person, GitError> {
    Ok(Person {
        name: field(running, text::text).await?,
        email: field(running, text::text).await?,
        date: field(running, text::time).await?,
    })
}

fn hashes(field: &[u8]) -> Vec<String> {
    let hashes = field.split(|&byte| byte == b' ');
    let hashes = hashes.filter(|hash| !hash.is_empty());
    hashes.map(text::text).collect()
}

async fn field<T>(running: &mut Running, read: impl FnOnce(&[u8]) -> T) -> Result<T, GitError> {
    let field = running.record(0).await?.map(read);
    field.ok_or_else(|| {
        let why = "the output ended within a commit".to_owned();
        running.failure(GitErrorKind::Unexpected(why))
    })
}
