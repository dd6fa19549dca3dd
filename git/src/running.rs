//! A git command that runs: what it prints, and how it ends.

use std::future::Future;
use std::process::ExitStatus;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::meaning;
use crate::group::Group;
use crate::stderr::{Hidden, Watcher, listen};
use crate::{GitError, GitErrorKind};

/// How much is read at once, in bytes: a few times what a pipe holds.
const CHUNK: usize = 256 * 1024;

/// The standard input of a command; dropping it ends the input. It is written to by a task of its
/// own, while the output is read, since each of the two waits for the other.
pub type Input = tokio::process::ChildStdin;

/// What a running command keeps to.
pub(crate) struct Limits {
    pub(crate) record: usize,
    pub(crate) cancel: CancellationToken,
}

/// A git command that runs. Dropping it kills the child and everything it started.
pub struct Running {
    // Dropped before the child, so that no other process has its number yet.
    group: Group,
    child: Child,
    name: (String, String),
    input: Option<Input>,
    output: Option<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    limits: Limits,
    buffer: Vec<u8>,
    /// Where what was not handed out yet begins.
    start: usize,
}

impl Running {
    pub(crate) fn of(
        mut child: Child,
        name: (String, String),
        hidden: Hidden,
        watcher: Option<Watcher>,
        limits: Limits,
    ) -> Self {
        let stderr = child.stderr.take();
        Self {
            group: Group::of(&child),
            input: child.stdin.take(),
            output: child.stdout.take(),
            stderr: stderr.map(|from| tokio::spawn(listen(from, hidden, watcher))),
            child,
            name,
            limits,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// The standard input, once, of a command that is [`fed`](crate::Command::fed).
    pub fn take_input(&mut self) -> Option<Input> {
        self.input.take()
    }

    /// The number of the child process, which leads a process group; none once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The next record, without its end, which is `\n` or `\0` as the command prints it; none at
    /// the end of the output. The last record may lack its end. Whether the output is complete is
    /// known when [`Running::finish`] succeeds, not before.
    ///
    /// # Errors
    /// When a record is too long, the work is cancelled, or the child cannot be read.
    pub async fn record(&mut self, end: u8) -> Result<Option<&[u8]>, GitError> {
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.start..];
            if let Some(at) = memchr::memchr(end, &unread[searched..]) {
                let from = self.start;
                let length = searched + at;
                self.start += length + 1;
                return Ok(Some(&self.buffer[from..from + length]));
            }
            searched = unread.len();
            if searched > self.limits.record {
                return Err(self.failure(GitErrorKind::TooLong(self.limits.record)));
            }
            if !self.more().await? {
                return Ok(self.rest());
            }
        }
    }

    /// Exactly so many bytes, such as the content that `cat-file --batch` announced.
    ///
    /// # Errors
    /// As [`Running::record`], and when the output ends before.
    pub async fn bytes(&mut self, count: usize) -> Result<&[u8], GitError> {
        if count > self.limits.record {
            return Err(self.failure(GitErrorKind::TooLong(self.limits.record)));
        }
        while self.buffer.len() - self.start < count {
            if !self.more().await? {
                return Err(self.broke_off().await);
            }
        }
        let from = self.start;
        self.start += count;
        Ok(&self.buffer[from..self.start])
    }

    /// What has arrived, at least one byte; none at the end of the output.
    ///
    /// # Errors
    /// When the work is cancelled, or the child cannot be read.
    pub async fn chunk(&mut self) -> Result<Option<&[u8]>, GitError> {
        if self.start == self.buffer.len() && !self.more().await? {
            return Ok(None);
        }
        Ok(self.rest())
    }

    /// Waits for the end, without what was not read, and returns what was said on the
    /// standard error.
    ///
    /// # Errors
    /// When the command failed or the work was cancelled.
    pub async fn finish(mut self) -> Result<String, GitError> {
        drop(self.input.take());
        self.start = self.buffer.len();
        while self.more().await? {
            self.start = self.buffer.len();
        }
        let (status, stderr) = self.end().await?;
        if status.success() {
            return Ok(stderr);
        }
        let kind = meaning(&stderr).unwrap_or_else(|| GitErrorKind::Failed(status.to_string()));
        Err(self.error(kind, stderr))
    }

    /// Ends the child and says why.
    pub fn failure(&mut self, kind: GitErrorKind) -> GitError {
        self.group.kill();
        self.error(kind, String::new())
    }

    /// All that is left in the buffer; none if that is nothing.
    fn rest(&mut self) -> Option<&[u8]> {
        let from = std::mem::replace(&mut self.start, self.buffer.len());
        (from < self.buffer.len()).then(|| &self.buffer[from..])
    }

    /// Reads more into the buffer; false at the end of the output.
    async fn more(&mut self) -> Result<bool, GitError> {
        let Some(output) = &mut self.output else {
            return Ok(false);
        };
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve(CHUNK);
        let read = unless_cancelled(&self.limits.cancel, output.read_buf(&mut self.buffer)).await;
        match read {
            None => Err(self.failure(GitErrorKind::Cancelled)),
            Some(Ok(0)) => {
                self.output = None;
                Ok(false)
            }
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(self.failure(GitErrorKind::Process(error.to_string()))),
        }
    }

    /// Waits until the child has ended and everything it said is read.
    async fn end(&mut self) -> Result<(ExitStatus, String), GitError> {
        let cancel = self.limits.cancel.clone();
        let status = match unless_cancelled(&cancel, self.child.wait()).await {
            None => return Err(self.failure(GitErrorKind::Cancelled)),
            Some(Err(error)) => {
                return Err(self.failure(GitErrorKind::Process(error.to_string())));
            }
            Some(Ok(status)) => status,
        };
        if status.success() {
            self.group.forget();
        } else {
            // A leader that was killed may leave others behind, who keep its pipes open.
            self.group.kill();
        }
        let stderr = match self.stderr.take() {
            Some(stderr) => unless_cancelled(&cancel, stderr).await,
            None => Some(Ok(String::new())),
        };
        match stderr {
            None => Err(self.failure(GitErrorKind::Cancelled)),
            Some(stderr) => Ok((status, stderr.unwrap_or_default())),
        }
    }

    /// Why the output ended too early.
    async fn broke_off(&mut self) -> GitError {
        match self.end().await {
            Err(error) => error,
            Ok((_, stderr)) => {
                let early = || GitErrorKind::Unexpected("the output ended too early".to_owned());
                self.error(meaning(&stderr).unwrap_or_else(early), stderr)
            }
        }
    }

    fn error(&self, kind: GitErrorKind, stderr: String) -> GitError {
        GitError {
            command: self.name.0.clone(),
            place: self.name.1.clone(),
            kind,
            stderr,
        }
    }
}

/// What comes of a future; none if the work is cancelled before.
async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    future: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        result = future => Some(result),
    }
}
