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

/// Pages of log after which the other connection brings them back. Rows of one table share hot
/// index pages: a longer log writes them back less often.
const PASS: i32 = 8_000;

/// Pages of log after which the writer itself waits until all are back, so that it begins anew:
/// while it writes on, the other connection never quite catches up.
const FULL: i32 = 32_000;

thread_local! {
    /// Pages in the log after the thread's latest commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
    /// Pages in the log when they were last brought back.
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
    pub(super) fn committed(&self, connection: &Connection) {
        let pages = PAGES.get();
        if pages < PASSED.get() {
            // It began anew.
            PASSED.set(0);
        }
        if pages >= FULL {
            // Where it fails, it is tried again after the next commit, and at the end.
            let _ = pass(connection, "FULL");
            PASSED.set(0);
        } else if pages - PASSED.get() >= PASS && !self.busy.swap(true, Ordering::Relaxed) {
            PASSED.set(pages);
            let busy = Arc::clone(&self.busy);
            let passing = Box::new(move |connection: &Connection| {
                let _ = pass(connection, "PASSIVE");
                busy.store(false, Ordering::Relaxed);
            });
            // A keeper that has been closed brings back what there is when it closes.
            let _ = self.keeper.send(Job::Run(passing));
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form that rusqlite asks for")]
fn note(_: &Wal, pages: i32) -> rusqlite::Result<()> {
    PAGES.set(pages);
    Ok(())
}

fn pass(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
}
