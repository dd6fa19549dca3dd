//! Raw rows on their way into another database, which is to hold what this one does.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use headwater_domain::Scope;

use super::{RawRow, raw_row};
use crate::Store;
use crate::database::sql::{LENGTHS, list_of};
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};

/// When an item was last seen to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTime {
    /// Natural key of the parent item; empty for an item without one.
    pub parent: String,
    /// Natural key among its siblings.
    pub key: String,
    /// Server time (UTC).
    pub at: Option<DateTime<Utc>>,
}

impl Store {
    /// Stored children of these parents, with their data.
    pub async fn children_of(
        &self,
        scope: &Scope,
        table: &str,
        parents: &[String],
    ) -> Result<Vec<RawRow>, StoreError> {
        let mut found = Vec::new();
        for group in parents.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "SELECT id, parent, item_key, data, created_at, changed_seq FROM {table} \
                 WHERE params = ? AND parent IN {list} ORDER BY id"
            );
            let mut values = vec![scope.params().into()];
            values.extend(keys);
            let rows = self
                .query_all(&text, values)
                .await?
                .into_iter()
                .map(raw_row);
            found.extend(rows.collect::<Result<Vec<_>, DbErr>>().during(&text)?);
        }
        Ok(found)
    }

    /// When these items without a parent were last seen to change.
    pub async fn item_times(
        &self,
        scope: &Scope,
        table: &str,
        keys: &[String],
    ) -> Result<Vec<ItemTime>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "SELECT item_key, created_at FROM {table} \
                 WHERE params = ? AND parent = '' AND item_key IN {list}"
            );
            let mut values = vec![scope.params().into()];
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                let read = || {
                    Ok(ItemTime {
                        parent: String::new(),
                        key: row.get(0)?,
                        at: row.get(1)?,
                    })
                };
                found.push(read().during(&text)?);
            }
        }
        Ok(found)
    }
}

impl Transaction<'_> {
    /// Sets when items were last seen to change; nothing else of them changes.
    pub fn set_item_times(&self, table: &str, times: Vec<ItemTime>) -> Result<(), StoreError> {
        let text = format!(
            "UPDATE {table} SET created_at = ? WHERE params = ? AND parent = ? AND item_key = ?"
        );
        for ItemTime { parent, key, at } in times {
            let values = vec![
                at.into(),
                self.params.clone().into(),
                parent.into(),
                key.into(),
            ];
            self.queue(&text, values)?;
        }
        Ok(())
    }
}
