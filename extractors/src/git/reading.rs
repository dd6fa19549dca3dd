//! Commits on their way from git to rows: one task reads them, others count their lines.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_git::{Git, GitError};
use headwater_store::Store;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Stop;
use super::commit_rows::{CommitBatch, CommitRowsBuilder, Lines};
use super::counting::{Block, Counter};
use super::history::{self, Commit};
use super::mirror::{Mirror, feed};

/// Commits of a block. Their hashes fit into the smallest pipe there is (16 KiB). Few in tests,
/// so that small histories have many blocks.
const BLOCK: usize = if cfg!(test) { 3 } else { 256 };

/// Bytes of messages after which a block ends before that.
const BYTES: usize = 4 << 20;

/// Children that count lines; git uses one core for each.
const COUNTERS: usize = 2;

/// Blocks after which a child that counts lines is replaced: it keeps something of each object that
/// it has met. Few in tests, as blocks are.
const LIFE: usize = if cfg!(test) { 3 } else { 64 };

/// Blocks, and parts, that may wait for the next task.
const BLOCKS: usize = 4;
const PARTS: usize = 1;

/// What is read.
pub(super) struct Reading {
    pub(super) git: Git,
    pub(super) mirror: PathBuf,
    pub(super) cancel: CancellationToken,
    pub(super) store: Store,
    /// Commits with whatever they reach, and those, behind a `^`, that are left out likewise.
    pub(super) tips: Vec<String>,
    pub(super) mailmap: bool,
    pub(super) line_counts: bool,
    /// The generation of which some commits are there already.
    pub(super) begun: Option<i64>,
    pub(super) builder: Arc<CommitRowsBuilder>,
}

/// Tasks that read a history; they end when this is dropped.
pub(super) struct Parts {
    batches: mpsc::Receiver<Result<CommitBatch, Stop>>,
    _tasks: JoinSet<()>,
}

impl Parts {
    /// The next commits as rows; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<CommitBatch>, Stop> {
        self.batches.recv().await.transpose()
    }
}

/// Starts reading.
pub(super) fn start(reading: Reading) -> Parts {
    let reading = Arc::new(reading);
    let (to_counters, blocks) = mpsc::channel(BLOCKS);
    let (to_writer, batches) = mpsc::channel(PARTS);
    let blocks = Arc::new(Mutex::new(blocks));
    let mut tasks = JoinSet::new();
    let counters = if reading.line_counts { COUNTERS } else { 1 };
    for _ in 0..counters {
        let (reading, blocks) = (Arc::clone(&reading), Arc::clone(&blocks));
        let to_writer = to_writer.clone();
        tasks.spawn(async move {
            let done = make_parts(&reading, &blocks, &to_writer).await;
            tell(done, &to_writer).await;
        });
    }
    tasks.spawn(async move {
        let done = read_commits(&reading, &to_counters).await;
        // It is not reported that the commits are all read before the error is.
        tell(done, &to_writer).await;
        drop(to_counters);
    });
    Parts {
        batches,
        _tasks: tasks,
    }
}

async fn tell(done: Result<(), Stop>, to_writer: &mpsc::Sender<Result<CommitBatch, Stop>>) {
    if let Err(stop) = done {
        // There is no reader when the writer failed first.
        let _ = to_writer.send(Err(stop)).await;
    }
}

/// The other side is gone: it failed, and says so itself.
struct Gone;

async fn read_commits(reading: &Reading, to: &mpsc::Sender<Vec<Commit>>) -> Result<(), Stop> {
    let mirror = reading.mirror();
    let log = history::log(mirror.command(), reading.mailmap);
    let mut running = log.fed().stream(&reading.cancel)?;
    feed(&mut running, reading.tips.clone());
    let mut block = Vec::with_capacity(BLOCK);
    let mut bytes = 0;
    while let Some(commit) = history::next(&mut running).await? {
        bytes += commit.message.len();
        block.push(commit);
        if block.len() == BLOCK || bytes > BYTES {
            bytes = 0;
            let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK));
            if reading.hand_on(full, to).await?.is_err() {
                return Ok(());
            }
        }
    }
    running.finish().await?;
    let _ = reading.hand_on(block, to).await?;
    Ok(())
}

impl Reading {
    fn mirror(&self) -> Mirror<'_> {
        Mirror {
            git: &self.git,
            path: &self.mirror,
            cancel: &self.cancel,
        }
    }

    /// Hands on what is not there yet.
    async fn hand_on(
        &self,
        mut block: Vec<Commit>,
        to: &mpsc::Sender<Vec<Commit>>,
    ) -> Result<Result<(), Gone>, Stop> {
        if let Some(generation) = self.begun {
            let shas: Vec<String> = block.iter().map(|commit| commit.sha.clone()).collect();
            let repo_id = &self.builder.repo_id;
            let done = self
                .store
                .git_commits_done(repo_id, generation, &shas)
                .await?;
            block.retain(|commit| !done.contains(&commit.sha));
        }
        if block.is_empty() {
            return Ok(Ok(()));
        }
        Ok(to.send(block).await.map_err(|_| Gone))
    }

    fn counter(&self) -> Result<Counter, GitError> {
        Counter::start(self.mirror().command(), &self.cancel)
    }
}

async fn make_parts(
    reading: &Reading,
    blocks: &Mutex<mpsc::Receiver<Vec<Commit>>>,
    to: &mpsc::Sender<Result<CommitBatch, Stop>>,
) -> Result<(), Stop> {
    let builder = &*reading.builder;
    let mut counter = None;
    let mut blocks_counted = 0;
    let mut batch = builder.batch();
    loop {
        let next = blocks.lock().await.recv().await;
        let Some(commits) = next else {
            break;
        };
        if !reading.line_counts {
            add_uncounted(builder, &mut batch, commits);
            if batch.is_full() {
                let full = std::mem::replace(&mut batch, builder.batch());
                if to.send(Ok(full.sorted())).await.is_err() {
                    return Ok(());
                }
            }
            continue;
        }
        let mut running = match counter.take() {
            Some(running) => running,
            None => reading.counter()?,
        };
        let last = blocks_counted % LIFE == LIFE - 1;
        blocks_counted += 1;
        running.feed(builder, &commits).await?;
        let mut block = Block::new(commits, batch);
        while let Some(batches) = running.read(builder, &mut block).await? {
            for batch in batches {
                if to.send(Ok(batch.sorted())).await.is_err() {
                    return Ok(());
                }
            }
        }
        batch = block.into_part();
        if last {
            running.finish().await?;
        } else {
            counter = Some(running);
        }
    }
    if let Some(counter) = counter {
        counter.finish().await?;
    }
    if !batch.is_empty() {
        let _ = to.send(Ok(batch.sorted())).await;
    }
    Ok(())
}

fn add_uncounted(builder: &CommitRowsBuilder, batch: &mut CommitBatch, commits: Vec<Commit>) {
    for commit in commits {
        batch.begun.push(commit.sha.clone());
        builder.commit(batch, commit, Lines::default());
    }
}
