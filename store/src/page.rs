//! One transaction of one scope, with its change sequence.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, QueryResult, Statement, TransactionTrait, Value,
};

use headwater_domain::Scope;

use crate::Store;
use crate::error::{During, StoreError};
use crate::shape::Shape;
use crate::sql::{next_length, statement};
use crate::value::bindable;

/// A transaction: what is written through it is committed together or not at all.
pub struct Page<'s> {
    pub(crate) store: &'s Store,
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) params: String,
    /// Sequence number of every change made in this page.
    pub(crate) seq: i64,
    pub(crate) now: DateTime<Utc>,
    changed: bool,
}

impl Store {
    /// Begins a page for a registered scope; `now` is what `created_at` and `updated_at` say.
    pub async fn begin(&self, scope: &Scope, now: DateTime<Utc>) -> Result<Page<'_>, StoreError> {
        let begun = self.db.begin().await.during("beginning a transaction")?;
        let mut page = Page {
            store: self,
            transaction: begun,
            params: String::new(),
            seq: 0,
            now,
            changed: false,
        };
        page.enter(scope).await?;
        Ok(page)
    }

    pub(crate) fn statement(&self, text: &str, values: Vec<Value>) -> Statement {
        statement(self.backend(), text, values)
    }

    /// Rows of a hand-written query outside any page.
    pub(crate) async fn query_all(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let rows = self.db.query_all_raw(self.statement(text, values)).await;
        rows.during(text)
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let done = self.db.execute_raw(self.statement(text, values)).await;
        Ok(done.during(text)?.rows_affected())
    }
}

impl Page<'_> {
    /// Sequence number of the changes made here; only stored when there are some.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Goes on with another scope in the same transaction.
    pub async fn enter(&mut self, scope: &Scope) -> Result<(), StoreError> {
        self.use_up_seq().await?;
        self.params = scope.params();
        self.changed = false;
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
        let last: i64 = row.try_get_by_index(0).during("reading a sequence")?;
        self.seq = last + 1;
        Ok(())
    }

    async fn use_up_seq(&self) -> Result<(), StoreError> {
        if self.changed {
            let text = "UPDATE _headwater_scopes SET seq = ? WHERE params = ?";
            let values = vec![self.seq.into(), self.params.clone().into()];
            self.execute(text, values).await?;
        }
        Ok(())
    }

    /// Commits everything, and the scope's sequence when a tracked row changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.use_up_seq().await?;
        self.transaction.commit().await.during("committing a page")
    }

    /// Notes that a tracked row changed, so that the sequence is used up.
    pub(crate) fn mark_changed(&mut self) {
        self.changed = true;
    }

    pub(crate) async fn query_all(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let statement = self.store.statement(text, values);
        self.transaction.query_all_raw(statement).await.during(text)
    }

    pub(crate) async fn query_one(
        &self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Option<QueryResult>, StoreError> {
        let statement = self.store.statement(text, values);
        self.transaction.query_one_raw(statement).await.during(text)
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let statement = self.store.statement(text, values);
        let done = self.transaction.execute_raw(statement).await.during(text)?;
        Ok(done.rows_affected())
    }

    /// Upserts rows in groups of fixed lengths; of rows with one key the last wins.
    pub(crate) async fn upsert(
        &self,
        shape: &Shape,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), StoreError> {
        let backend = self.store.backend();
        let action = || format!("writing {}", shape.table);
        let places = key_places(shape);
        let mut rest = last_of_each_key(&places, rows);
        while !rest.is_empty() {
            let length = next_length(&rest, shape.columns.len());
            let tail = rest.split_off(length);
            let text = self.store.texts.upsert(backend, shape, length);
            let text = text.map_err(|source| StoreError::new(action(), source))?;
            let values = rest.into_iter().flatten().map(|v| bindable(backend, v));
            let upsert = Statement::from_sql_and_values(backend, &*text, values);
            let written = self.transaction.execute_raw(upsert).await;
            written.map_err(|source| StoreError::new(action(), source))?;
            rest = tail;
        }
        Ok(())
    }
}

fn key_places(shape: &Shape) -> Vec<usize> {
    let place = |key| shape.columns.iter().position(|column| column == key);
    shape.keys.iter().filter_map(place).collect()
}

/// Of rows with one key the last stays: PostgreSQL refuses to touch a row twice in a statement.
pub(crate) fn last_of_each_key(places: &[usize], rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut seen: HashMap<Vec<Value>, usize> = HashMap::with_capacity(rows.len());
    let mut kept: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
    for row in rows {
        let key: Vec<Value> = places.iter().map(|&place| row[place].clone()).collect();
        match seen.entry(key) {
            Entry::Occupied(known) => kept[*known.get()] = row,
            Entry::Vacant(new) => {
                new.insert(kept.len());
                kept.push(row);
            }
        }
    }
    kept
}
