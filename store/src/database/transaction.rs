//! One transaction of one scope, with its change sequence.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, Value};

use headwater_domain::Scope;

use crate::Store;
use crate::database::sql::{is_too_long, next_length, size_of_row};
use crate::database::values;
use crate::database::{Row, Turn};
use crate::derived::derivations::Noted;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// A transaction: what is written through it is committed together or not at all.
pub struct Transaction<'s> {
    pub(crate) store: &'s Store,
    turn: Turn,
    pub(crate) params: String,
    /// Sequence number of every change made in this page.
    pub(crate) seq: i64,
    pub(crate) now: DateTime<Utc>,
    changed: bool,
    /// What the changes made so far make stale.
    pub(crate) noted: Mutex<Noted>,
    /// The derivation that writes, which what it writes does not make stale.
    pub(crate) deriving: Option<&'static str>,
    /// Tables that have grown so much that the server is to look at them.
    grown: Mutex<Vec<String>>,
    /// Rows written so far.
    rows: AtomicUsize,
    /// How often it was waited for them.
    flushes: usize,
}

/// Rows after which a transaction takes no further page. Rows come in the order of random keys,
/// so that each page touches most leaves of an index: the more of them share a transaction, the
/// less often each leaf is written.
const ROOM: usize = 8192;

/// Pages that share a transaction at most, also where they write nothing: others wait meanwhile.
const SHARING: usize = 32;

impl Store {
    /// Begins a page for a registered scope; `now` is what `created_at` and `updated_at` say.
    pub async fn begin(
        &self,
        scope: &Scope,
        now: DateTime<Utc>,
    ) -> Result<Transaction<'_>, StoreError> {
        let mut turn = self.database.turn().await;
        turn.begin().await.during("beginning a transaction")?;
        let mut page = Transaction {
            store: self,
            turn,
            params: String::new(),
            seq: 0,
            now,
            changed: false,
            noted: Mutex::default(),
            deriving: None,
            grown: Mutex::default(),
            rows: AtomicUsize::new(0),
            flushes: 0,
        };
        page.enter(scope).await?;
        Ok(page)
    }

    /// Rows of a hand-written query outside any page.
    pub(crate) async fn query_all(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.database
            .read(&self.marked(text), values)
            .await
            .during(text)
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let turn = self.database.turn().await;
        turn.execute(&self.marked(text), values).await.during(text)
    }

    pub(crate) fn marked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.dialect().marked(text)
    }
}

impl Transaction<'_> {
    /// Sequence number of the changes made here; only stored when there are some.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Says which derivation writes: what it writes is nothing new to it.
    #[must_use]
    pub fn deriving(mut self, derivation: &'static str) -> Self {
        self.deriving = Some(derivation);
        self
    }

    /// Goes on with another scope in the same transaction.
    pub async fn enter(&mut self, scope: &Scope) -> Result<(), StoreError> {
        self.store_notes().await?;
        self.use_up_seq()?;
        self.params = scope.params();
        self.changed = false;
        self.renew_leases(scope).await?;
        if scope.is_everywhere() {
            // Only domain rows are written there, and these have no sequence.
            self.seq = 0;
            return Ok(());
        }
        let text = "SELECT seq FROM _headwater_scopes WHERE params = ?";
        let found = self
            .query_one(text, vec![self.params.clone().into()])
            .await?;
        let Some(row) = found else {
            return Err(StoreError::refused(
                format!("beginning a page of {}", scope.full_name),
                "the scope is not registered",
            ));
        };
        let last: i64 = row.get(0).during("reading a sequence")?;
        self.seq = last + 1;
        Ok(())
    }

    fn use_up_seq(&self) -> Result<(), StoreError> {
        if self.changed {
            let text = "UPDATE _headwater_scopes SET seq = ? WHERE params = ?";
            let values = vec![self.seq.into(), self.params.clone().into()];
            self.queue(text, values)?;
        }
        Ok(())
    }

    /// Runs a statement by the commit at the latest, without waiting for it.
    pub(crate) fn queue(&self, text: &str, values: Vec<Value>) -> Result<(), StoreError> {
        self.changes_by(text);
        let marked = self.store.marked(text).into_owned();
        let queued = self
            .turn
            .execute_rows(marked.into(), vec![values], Vec::new());
        queued.during(text)
    }

    /// Commits everything, and the scope's sequence when a tracked row changed.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.store_notes().await?;
        self.use_up_seq()?;
        self.turn.commit().await.during("committing a page")?;
        let grown = std::mem::take(self.grown.get_mut().unwrap_or_else(PoisonError::into_inner));
        for table in grown {
            // Only for speed: the page is committed, whatever comes of it.
            let _ = self
                .turn
                .execute(&format!("ANALYZE {table}"), Vec::new())
                .await;
        }
        Ok(())
    }

    /// Ends the work on a page of rows: once they are written the transaction comes back for a
    /// further page if it has room, and is committed if not.
    pub async fn go_on(mut self) -> Result<Option<Self>, StoreError> {
        if self.has_room() {
            self.flush().await?;
            return Ok(Some(self));
        }
        self.commit().await?;
        Ok(None)
    }

    /// Ends a pause in the work: a transaction that others wait for is committed now.
    pub async fn yield_turn(self) -> Result<Option<Self>, StoreError> {
        if self.turn.is_awaited() {
            self.commit().await?;
            return Ok(None);
        }
        Ok(Some(self))
    }

    /// True while the transaction may take a further page of rows after [`Transaction::flush`]. Only where
    /// one process writes and readers are not held up: in an `SQLite` file.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.store.database.reads_beside_writing()
            && self.flushes < SHARING
            && self.rows.load(Ordering::Relaxed) < ROOM
    }

    /// Waits until what was queued before the call before this one has been written, but not
    /// committed; on a server, until everything has.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        self.flushes += 1;
        self.turn.flush().await.during("writing a page")
    }

    /// Notes that a tracked row changed, so that the sequence is used up.
    pub(crate) fn mark_changed(&mut self) {
        self.changed = true;
    }

    pub(crate) async fn query_all(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let marked = self.store.marked(text);
        self.turn.query(&marked, values).await.during(text)
    }

    pub(crate) async fn query_one(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        let mut rows = self.query_all(text, values).await?;
        Ok(if rows.is_empty() {
            None
        } else {
            Some(rows.swap_remove(0))
        })
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let marked = self.store.marked(text);
        let changed = self.turn.execute(&marked, values).await.during(text)?;
        if changed > 0 {
            self.changes_by(text);
        }
        Ok(changed)
    }

    /// Counts rows written, for the server's statistics.
    pub(crate) fn note_written(&self, table: &str, rows: u64) {
        let counts = self.store.backend() == DbBackend::Postgres;
        if counts && self.store.written.add(table, rows) {
            let mut grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
            grown.push(table.to_owned());
        }
    }

    /// Upserts rows; of rows with one key the last wins.
    pub(crate) async fn upsert(
        &self,
        shape: &Shape,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        self.upsert_sharing(shape, rows, Vec::new()).await
    }

    /// Upserts rows whose last values are the same for all; of rows with one key the last wins.
    ///
    /// SQLite runs one prepared statement for each row; a server gets groups of fixed lengths. Both
    /// only queue them, but that concerns no caller: a way to write may have to wait.
    #[expect(
        clippy::unused_async,
        reason = "callers wait for a write, however it is done"
    )]
    pub(crate) async fn upsert_sharing(
        &self,
        shape: &Shape,
        rows: Vec<Vec<Value>>,
        shared: Vec<Value>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.rows.fetch_add(rows.len(), Ordering::Relaxed);
        let backend = self.store.backend();
        let failed = |source| StoreError::new(format!("writing {}", shape.table), source);
        let text = |length| {
            self.store
                .texts
                .upsert(backend, shape, length)
                .map_err(failed)
        };
        if backend == DbBackend::Sqlite {
            return self
                .turn
                .execute_rows(text(1)?, rows, shared)
                .map_err(failed);
        }
        self.note_written(&shape.table, rows.len() as u64);
        let mut rest = last_of_each_key(&key_places(shape), rows, |row| row);
        for row in &mut rest {
            row.extend(shared.iter().cloned());
        }
        let longest = self.store.database.statement_bytes();
        if let Some(row) = rest.iter().find(|row| is_too_long(row, longest)) {
            return Err(too_long(shape, row, longest));
        }
        while !rest.is_empty() {
            let length = next_length(&rest, shape.columns.len(), longest);
            let tail = rest.split_off(length);
            let values = rest.into_iter().flatten().collect();
            self.turn
                .execute_rows(text(length)?, vec![values], Vec::new())
                .map_err(failed)?;
            rest = tail;
        }
        Ok(())
    }
}

fn too_long(shape: &Shape, row: &[Value], longest: usize) -> StoreError {
    let key = key_places(shape).into_iter().map(|place| &row[place]);
    let key: Vec<String> = key.map(values::key_text).collect();
    StoreError::refused(
        format!("writing {}", shape.table),
        format!(
            "the row {} has {} bytes, and the server takes {longest} in one statement: raise its \
             max_allowed_packet",
            key.join(" "),
            size_of_row(row)
        ),
    )
}

fn key_places(shape: &Shape) -> Vec<usize> {
    let place = |key| shape.columns.iter().position(|column| column == key);
    shape.keys.iter().filter_map(place).collect()
}

/// Of rows with one key the last stays: PostgreSQL refuses to touch a row twice in a statement.
pub(crate) fn last_of_each_key<R>(
    places: &[usize],
    rows: Vec<R>,
    values: impl Fn(&R) -> &Vec<Value>,
) -> Vec<R> {
    let mut last: HashMap<Vec<&Value>, usize> = HashMap::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let values = values(row);
        last.insert(places.iter().map(|&place| &values[place]).collect(), index);
    }
    if last.len() == rows.len() {
        return rows;
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    let mut kept = kept.into_iter().peekable();
    let rows = rows.into_iter().enumerate();
    rows.filter(|(index, _)| kept.next_if_eq(index).is_some())
        .map(|(_, row)| row)
        .collect()
}
