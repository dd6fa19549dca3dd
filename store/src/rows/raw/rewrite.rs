//! Stored payloads rewritten, once, by a rule that came later than they.

use sea_orm::{DbBackend, Value};

use crate::Store;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// Rows that are looked at in one go.
const PAGE: i64 = 200;

/// What a payload and its hash become; none where they stay.
pub type Rewritten = Option<(Vec<u8>, String)>;

impl Store {
    /// Whether a rewriting of this name was done to its end.
    pub async fn is_rewritten(&self, name: &str) -> Result<bool, StoreError> {
        let text = "SELECT name FROM _headwater_rewrites WHERE name = ?";
        let rows = self.query_all(text, vec![name.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// Notes that a rewriting was done to its end.
    pub async fn note_rewritten(&self, name: &str) -> Result<(), StoreError> {
        let mut shape = Shape::plain("_headwater_rewrites", &["name"], &["name"]);
        shape.keep_existing = true;
        self.insert_missing(&shape, vec![name.into()]).await
    }

    /// Rewrites the payloads of a raw table, and returns how many became others. What follows from
    /// them is not told: a rewriting changes nothing that tool tables hold.
    pub async fn rewrite_payloads(
        &self,
        table: &str,
        rewrite: impl Fn(Vec<u8>) -> Rewritten,
    ) -> Result<u64, StoreError> {
        let of_page = format!("FROM {table} WHERE id > ? ORDER BY id LIMIT ?");
        let lengths = format!("SELECT OCTET_LENGTH(data) {of_page}");
        let page = format!("SELECT id, data {of_page}");
        let update = format!("UPDATE {table} SET data = ?, content_hash = ? WHERE id = ?");
        let mut changed = 0;
        let mut after = 0i64;
        loop {
            let fitting = self.fitting_rows(&lengths, vec![after.into(), PAGE.into()]);
            let fitting = i64::try_from(fitting.await?).unwrap_or(PAGE);
            let rows = self
                .query_all(&page, vec![after.into(), fitting.into()])
                .await?;
            if rows.is_empty() {
                return Ok(changed);
            }
            let mut updates: Vec<Vec<Value>> = Vec::new();
            for mut row in rows {
                after = row.get(0).during(&page)?;
                let data = row.take_bytes(1).unwrap_or_default();
                if let Some((data, hash)) = rewrite(data) {
                    updates.push(vec![data.into(), hash.into(), after.into()]);
                }
            }
            changed += self.execute_together(&update, updates).await?;
        }
    }

    /// Runs a statement for each of these rows of values, in one transaction: a server waits for
    /// its disk at each commit.
    async fn execute_together(&self, text: &str, rows: Vec<Vec<Value>>) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let text = self.marked(text);
        let mut turn = self.database.turn().await;
        turn.begin().await.during(&text)?;
        let mut changed = 0;
        for values in rows {
            changed += turn.execute(&text, values).await.during(&text)?;
        }
        turn.commit().await.during(&text)?;
        Ok(changed)
    }

    /// Rewrites the texts of a column, and returns how many rows got another one.
    pub async fn rewrite_texts(
        &self,
        table: &str,
        column: &str,
        rewrite: impl Fn(&str) -> String,
    ) -> Result<u64, StoreError> {
        let page = format!(
            "SELECT DISTINCT {column} FROM {table} WHERE {column} > ? ORDER BY {column} LIMIT ?"
        );
        let update = format!("UPDATE {table} SET {column} = ? WHERE {column} = ?");
        let (mut changed, mut after) = (0, String::new());
        loop {
            let values = vec![after.clone().into(), PAGE.into()];
            let rows = self.query_all(&page, values).await?;
            if rows.is_empty() {
                return Ok(changed);
            }
            for row in &rows {
                after = row.get(0).during(&page)?;
                let rewritten = rewrite(&after);
                if rewritten != after {
                    let values = vec![rewritten.into(), after.clone().into()];
                    changed += self.execute(&update, values).await?;
                }
            }
        }
    }

    /// Whether an SQLite file has a table.
    pub async fn has_table(&self, table: &str) -> Result<bool, StoreError> {
        let text = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?";
        let rows = self.query_all(text, vec![table.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// Leaves nothing of what was overwritten in an SQLite file.
    pub async fn compact(&self) -> Result<(), StoreError> {
        if self.backend() == DbBackend::Sqlite {
            self.execute("VACUUM", Vec::new()).await?;
        }
        Ok(())
    }
}
