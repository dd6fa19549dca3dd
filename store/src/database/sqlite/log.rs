//! Bringing the write-ahead log back into the file, beside the writing.
//!
//! A connection does that by itself when its log is long: then its thread waits for the disk, and
//! whoever has rows to write waits for the thread. Here another connection does it meanwhile.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as channel;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::Job;

/// Pages of log after which the other connection copies them back. Rows of one table share hot
/// index pages: a longer log writes them back less often.
const PASS: i32 = 8_000;

/// Pages of log after which the writer itself waits until all are back, so that it begins anew:
/// while it writes on, the other connection never quite catches up.
const FULL: i32 = 32_000;

thread_local! {
    /// Pages in the log after the thread's latest commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
    /// Pages in the log when they were last copied back.
    static PASSED: Cell<i32> = const { Cell::new(0) };
}

/// The writer's side: notices when the log is long. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// The other connection's queue.
    keeper: channel::Sender<Job>,
    /// It is at work.
    busy: Arc<AtomicBool>,
}

impl Log {
    pub(super) fn kept_by(keeper: channel::Sender<Job>) -> Self {
        Self {
            keeper,
            busy: Arc::default(),
        }
    }

    pub(super) fn keeper(&self) -> &channel::Sender<Job> {
        &self.keeper
    }

    /// Has the pages of every commit counted on the writer's thread, instead of what SQLite does
    /// by itself.
    pub(super) fn watch(connection: &Connection) {
        connection.wal_hook(Some(note));
    }

    /// To be called on the writer's thread after a commit.
    pub(super) fn committed(&self) {
        let pages = PAGES.get();
        if pages < PASSED.get() {
            // It began anew.
            PASSED.set(0);
        }
        if pages >= FULL {
            let (done, all_back) = channel::channel();
            self.pass(move || {
                // The writer may have been closed meanwhile.
                let _ = done.send(());
            });
            // Ends at once where the keeper is closed. What others still read cannot be copied
            // back yet, and is not waited for: it is tried again after the next commit.
            let _ = all_back.recv();
            PASSED.set(0);
        } else if pages - PASSED.get() >= PASS && !self.busy.swap(true, Ordering::Relaxed) {
            PASSED.set(pages);
            let busy = Arc::clone(&self.busy);
            self.pass(move || busy.store(false, Ordering::Relaxed));
        }
    }

    /// Has the other connection bring back what it can.
    fn pass(&self, then: impl FnOnce() + Send + 'static) {
        let passing = Box::new(move |connection: &Connection| {
            // Where it fails, it is tried again later; the last connection to close does it, too.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            then();
        });
        let _ = self.keeper.send(Job::Run(passing));
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form that rusqlite asks for")]
fn note(_: &Wal, pages: i32) -> rusqlite::Result<()> {
    PAGES.set(pages);
    Ok(())
}
