//! Lines that commits change, counted by `git diff-tree` as `git log --numstat` counts them.

use std::collections::VecDeque;

use headwater_git::{Command, GitError, GitErrorKind, Input, Running};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::commit_rows::{CommitBatch, CommitRowsBuilder, Lines};
use super::history::Commit;
use super::numstat::{Parser, Printed};

/// What `git log` does without any configuration, said so that none changes it.
const OPTIONS: [&str; 15] = [
    "diff-tree",
    "--stdin",
    "-r",
    "-z",
    "--numstat",
    "--root",
    "--always",
    "--find-renames=50%",
    "-l1000",
    "--diff-algorithm=myers",
    "--no-ext-diff",
    "--no-textconv",
    "--indent-heuristic",
    "--ignore-submodules=none",
    "--no-color",
];

/// A child that counts the lines of the commits that it is fed.
pub(super) fn counting(command: Command) -> Command {
    // Attributes would come from the files of HEAD, and change what old commits count.
    let attributes = ["-c", "attr.tree=4b825dc642cb6eb9a060e54bf8d69288fbee4904"];
    super::bounded(command).args(attributes).args(OPTIONS)
}

/// A child that counts the lines of one block of commits after another.
pub(super) struct Counter {
    running: Running,
    input: Input,
    parser: Parser,
}

impl Counter {
    pub(super) fn start(command: Command, cancel: &CancellationToken) -> Result<Self, GitError> {
        let mut running = counting(command).fed().stream(cancel)?;
        let Some(input) = running.take_input() else {
            let why = "it has no input".to_owned();
            return Err(running.failure(GitErrorKind::Process(why)));
        };
        Ok(Self {
            running,
            input,
            parser: Parser::default(),
        })
    }

    /// Feeds a block. It must fit into a pipe, since nothing is read meanwhile.
    pub(super) async fn feed(
        &mut self,
        builder: &CommitRowsBuilder,
        block: &[Commit],
    ) -> Result<(), GitError> {
        let mut lines = String::with_capacity(41 * block.len() + 1);
        for commit in block.iter().filter(|commit| builder.counts(commit)) {
            lines.push_str(&commit.sha);
            lines.push('\n');
        }
        // What is no hash comes back as it is, and what was printed before with it.
        lines.push('\n');
        let fed = self.input.write_all(lines.as_bytes()).await;
        fed.map_err(|error| {
            let why = format!("it does not read: {error}");
            self.running.failure(GitErrorKind::Process(why))
        })
    }

    /// Reads some of what is printed about a block, and returns which parts are full; none behind the
    /// block's end.
    pub(super) async fn read(
        &mut self,
        builder: &CommitRowsBuilder,
        block: &mut Block,
    ) -> Result<Option<Vec<CommitBatch>>, GitError> {
        if block.ended {
            return Ok(None);
        }
        let Some(chunk) = self.running.chunk().await? else {
            let why = "the output ended within a block".to_owned();
            return Err(self.running.failure(GitErrorKind::Unexpected(why)));
        };
        let mut batches = Vec::new();
        let pushed = self.parser.push(chunk, |printed| {
            block.take(builder, &printed);
            if block.batch.is_full() {
                batches.push(std::mem::replace(&mut block.batch, builder.batch()));
            }
        });
        let pushed = pushed.and_then(|()| block.check());
        if let Err(what) = pushed {
            return Err(self.running.failure(GitErrorKind::Unexpected(what)));
        }
        Ok(Some(batches))
    }

    /// Ends the child.
    pub(super) async fn finish(self) -> Result<(), GitError> {
        drop(self.input);
        self.running.finish().await.map(|_| ())
    }
}

/// Commits that are being counted.
pub(super) struct Block {
    waiting: VecDeque<Commit>,
    /// The commit whose files come.
    current: Option<(Commit, Lines)>,
    batch: CommitBatch,
    ended: bool,
    /// A commit that was not asked for.
    strange: Option<String>,
}

impl Block {
    /// Commits whose rows are added to a part.
    pub(super) fn new(commits: Vec<Commit>, batch: CommitBatch) -> Self {
        Self {
            waiting: commits.into(),
            current: None,
            batch,
            ended: false,
            strange: None,
        }
    }

    /// The part that is not full yet.
    pub(super) fn into_part(self) -> CommitBatch {
        self.batch
    }

    fn take(&mut self, builder: &CommitRowsBuilder, printed: &Printed<'_>) {
        match *printed {
            Printed::Commit(sha) => {
                self.finish_current(builder);
                self.go_to(builder, Some(sha));
            }
            Printed::File {
                additions,
                deletions,
                path,
            } => {
                let Some((commit, lines)) = &mut self.current else {
                    self.strange = Some("files of no commit".to_owned());
                    return;
                };
                lines.additions += additions;
                lines.deletions += deletions;
                let own = Lines {
                    additions,
                    deletions,
                };
                self.batch.file(&commit.sha, path, own);
            }
            Printed::End => {
                self.finish_current(builder);
                self.go_to(builder, None);
                self.ended = true;
            }
        }
    }

    fn finish_current(&mut self, builder: &CommitRowsBuilder) {
        if let Some((commit, lines)) = self.current.take() {
            builder.commit(&mut self.batch, commit, lines);
        }
    }

    /// Makes rows of the commits before this one, which are not counted; of all at the end.
    fn go_to(&mut self, builder: &CommitRowsBuilder, sha: Option<&[u8]>) {
        while let Some(commit) = self.waiting.pop_front() {
            self.batch.begun.push(commit.sha.clone());
            if sha == Some(commit.sha.as_bytes()) {
                self.current = Some((commit, Lines::default()));
                return;
            }
            if builder.counts(&commit) {
                self.strange = Some(format!("nothing about {}", commit.sha));
            }
            builder.commit(&mut self.batch, commit, Lines::default());
        }
        if let Some(sha) = sha {
            self.strange = Some(super::text::text(sha));
        }
    }

    fn check(&mut self) -> Result<(), String> {
        self.strange.take().map_or(Ok(()), Err)
    }
}
