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

/// Fields of a commit, each of which ends with a NUL, which no field can hold.
const PLAIN: &str = "--format=%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";

/// The same with names and addresses as the mailmap has them.
const MAPPED: &str = "--format=%H%x00%P%x00%aN%x00%aE%x00%at%x00%cN%x00%cE%x00%ct%x00%B";

/// Asks for the commits that are fed as tips, and what they reach.
pub(super) fn log(command: Command, mailmap: bool) -> Command {
    let options = [
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
        "--end-of-options",
    ];
    let (last, first) = options.split_last().unwrap_or((&"", &[]));
    let _ = last;
    let command = super::bounded(command).args(first.iter().copied());
    if mailmap {
        command.arg("--mailmap").arg(MAPPED)
    } else {
        command.arg("--no-mailmap").arg(PLAIN)
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
    let parents = field(running).await?;
    commit.parents = parents
        .split(|&byte| byte == b' ')
        .filter(|sha| !sha.is_empty())
        .map(text::text)
        .collect();
    commit.author = person(running).await?;
    commit.committer = person(running).await?;
    commit.message = text::text(field(running).await?);
    Ok(Some(commit))
}

async fn person(running: &mut Running) -> Result<Person, GitError> {
    Ok(Person {
        name: text::text(field(running).await?),
        email: text::text(field(running).await?),
        date: text::time(field(running).await?),
    })
}

async fn field(running: &mut Running) -> Result<&[u8], GitError> {
    // Told apart first: a reference from within cannot be returned from one of two ways.
    let broken = || GitErrorKind::Unexpected("half a commit".to_owned());
    match running.record(0).await {
        Ok(Some(_)) => {}
        Ok(None) => return Err(running.failure(broken())),
        Err(error) => return Err(error),
    }
    Ok(running.last())
}
