//! Tables that change their owner: rows from the API make room for rows from git.
//!
//! Why: docs/decisions/0041-git-or-api.md.

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use sea_orm::Value;

use crate::bookkeeping::progress::WalkKey;
use crate::database::sql::key_list;
use crate::error::{During, StoreError};
use crate::{Store, Transaction};

/// Raw rows that are removed in one transaction.
const PAGE: usize = 512;

/// What is remembered of the streams that one owner fills tables from.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The streams.
    pub streams: Vec<&'static str>,
    /// Their raw tables.
    pub raw_tables: Vec<String>,
    /// The steps that read them and what follows.
    pub steps: Vec<String>,
}

impl Store {
    /// Whether anything of these streams is there for a scope.
    pub async fn has_side(&self, scope: &Scope, side: &Side) -> Result<bool, StoreError> {
        for stream in &side.streams {
            let stream = *stream;
            if self.walk_state(WalkKey { scope, stream }).await?.walk > 0 {
                return Ok(true);
            }
        }
        for step in &side.steps {
            if !self.checkpoint(scope, step).await?.is_start() {
                return Ok(true);
            }
        }
        for table in &side.raw_tables {
            if !self.is_empty(scope, table).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether every list of these streams was read to its end.
    pub async fn side_is_complete(&self, scope: &Scope, side: &Side) -> Result<bool, StoreError> {
        for stream in &side.streams {
            let stream = *stream;
            if !self.walk_state(WalkKey { scope, stream }).await?.complete {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the raw rows of these streams and what is remembered of reading them. Notes are
    /// left, so that extraction removes what was made of them. Returns how many rows are gone.
    pub async fn remove_side(
        &self,
        scope: &Scope,
        side: &Side,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let page = self.begin(scope, now).await?;
        page.forget_walks(&side.streams).await?;
        page.commit().await?;
        let mut removed = 0;
        for table in &side.raw_tables {
            loop {
                let mut page = self.begin(scope, now).await?;
                let ids = page.some_items(table).await?;
                page.remove_items(table, &ids).await?;
                page.commit().await?;
                removed += ids.len() as u64;
                if ids.len() < PAGE {
                    break;
                }
            }
        }
        Ok(removed)
    }

    /// Forgets how far these steps have come: should the streams come back, they begin anew.
    pub async fn forget_side(
        &self,
        scope: &Scope,
        side: &Side,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let page = self.begin(scope, now).await?;
        page.forget_steps(&side.steps).await?;
        page.commit().await
    }
}

impl Transaction<'_> {
    async fn some_items(&self, table: &str) -> Result<Vec<i64>, StoreError> {
        let text = format!("SELECT id FROM {table} WHERE params = ? ORDER BY id LIMIT {PAGE}");
        let rows = self
            .query_all(&text, vec![self.params.clone().into()])
            .await?;
        let ids = rows.iter().map(|row| row.get(0));
        ids.collect::<Result<_, _>>().during("reading raw rows")
    }

    async fn forget_walks(&self, streams: &[&str]) -> Result<(), StoreError> {
        let streams: Vec<Value> = streams.iter().map(|&stream| stream.into()).collect();
        for table in [
            "_headwater_walks",
            "_headwater_looks",
            "_headwater_fetched_children",
            "_headwater_dead_letters",
        ] {
            self.forget(table, "stream", streams.clone()).await?;
        }
        Ok(())
    }

    async fn forget_steps(&self, steps: &[String]) -> Result<(), StoreError> {
        let steps: Vec<Value> = steps.iter().map(|step| step.clone().into()).collect();
        for table in ["_headwater_checkpoints", "_headwater_work"] {
            self.forget(table, "step", steps.clone()).await?;
        }
        Ok(())
    }

    async fn forget(&self, table: &str, column: &str, keys: Vec<Value>) -> Result<(), StoreError> {
        let (list, keys) = key_list(keys);
        let text = format!("DELETE FROM {table} WHERE params = ? AND {column} IN {list}");
        let mut values = vec![self.params.clone().into()];
        values.extend(keys);
        self.execute(&text, values).await.map(|_| ())
    }
}
