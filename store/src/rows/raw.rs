//! Raw tables: one row per item of a page, as received.

mod copy;
mod export;
mod parents;
mod rewrite;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, DbErr, Value};

use crate::database::Row;

use headwater_domain::Scope;

use crate::Store;
use crate::database::sql::{LENGTHS, changed_lengths_text, changed_page_text, key_list, list_of};
use crate::database::transaction::Transaction;
use crate::database::values::KeyValue;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

pub use copy::ItemTime;
pub use export::ExportedRow;
pub(crate) use parents::FETCHED_AS_OF;
pub use parents::{KnownParent, ParentPosition, PendingParent};
pub use rewrite::Rewritten;

/// An item to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// Natural key of the parent item; empty for an item without one.
    pub parent: String,
    /// Natural key among its siblings.
    pub key: String,
    /// The item's JSON as received.
    pub data: Vec<u8>,
    /// Hash of `data`; an equal one means nothing changed.
    pub content_hash: String,
    /// Address of the list the item is in, without page and watermark.
    pub url: String,
    /// JSON of what the request was made for; `null` for a list without a parent.
    pub input: String,
    /// What the item says of its children's numbers, such as `comment_count=3`; empty for none.
    pub child_counts: String,
}

/// A stored item, as extraction reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRow {
    /// Id in its raw table.
    pub id: i64,
    /// Natural key of the parent item.
    pub parent: String,
    /// Natural key among its siblings.
    pub key: String,
    /// The item's JSON as received.
    pub data: Vec<u8>,
    /// Server time at which the item was last seen to change (UTC).
    pub created_at: Option<DateTime<Utc>>,
    /// Sequence of its last change.
    pub changed_seq: i64,
}

/// What is known of a stored item without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Id in its raw table.
    pub id: i64,
    /// Hash of its data.
    pub content_hash: String,
    /// Address of the list that it was in.
    pub url: String,
}

/// Stored items by parent and key.
pub type StoredItems = HashMap<(String, String), StoredItem>;

/// What writing a page of items did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawChanges {
    /// Items that are new or differ from what was stored.
    pub written: u64,
    /// Items that were stored already, just so.
    pub unchanged: u64,
}

const RAW_COLUMNS: [&str; 11] = [
    "params",
    "parent",
    "item_key",
    "data",
    "url",
    "input",
    "created_at",
    "content_hash",
    "changed_seq",
    "seen_walk",
    "child_counts",
];

const RAW_KEYS: [&str; 3] = ["params", "parent", "item_key"];

impl Store {
    /// Stored items of a list with these keys (no parent).
    pub async fn stored_items(
        &self,
        scope: &Scope,
        table: &str,
        keys: &[String],
    ) -> Result<StoredItems, StoreError> {
        let condition = "parent = '' AND item_key";
        self.stored(scope, table, condition, keys).await
    }

    /// True when nothing of a scope is stored in a raw table.
    pub async fn is_empty(&self, scope: &Scope, table: &str) -> Result<bool, StoreError> {
        let text = format!("SELECT 1 FROM {table} WHERE params = ? LIMIT 1");
        let found = self.query_all(&text, vec![scope.params().into()]).await?;
        Ok(found.is_empty())
    }

    /// All stored children of these parents.
    pub async fn stored_children(
        &self,
        scope: &Scope,
        table: &str,
        parents: &[String],
    ) -> Result<StoredItems, StoreError> {
        self.stored(scope, table, "parent", parents).await
    }

    async fn stored(
        &self,
        scope: &Scope,
        table: &str,
        condition: &str,
        keys: &[String],
    ) -> Result<StoredItems, StoreError> {
        let mut found = StoredItems::new();
        for group in keys.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "SELECT parent, item_key, id, content_hash, url FROM {table} \
                 WHERE params = ? AND {condition} IN {list}"
            );
            let mut values = vec![scope.params().into()];
            values.extend(keys);
            for row in self.query_all(&text, values).await? {
                let (key, item) = stored_item(&row).during("reading stored items")?;
                found.insert(key, item);
            }
        }
        Ok(found)
    }

    /// Items that the given complete walk did not see, by raw id.
    pub async fn not_seen(
        &self,
        scope: &Scope,
        table: &str,
        walk: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let text = format!(
            "SELECT id, item_key FROM {table} \
             WHERE params = ? AND parent = '' AND seen_walk < ? ORDER BY id"
        );
        let rows = self
            .query_all(&text, vec![scope.params().into(), walk.into()])
            .await?;
        let read = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        read.collect::<Result<_, _>>()
            .during("reading items not seen")
    }

    /// Number of items that the given complete walk saw.
    pub async fn seen(&self, scope: &Scope, table: &str, walk: i64) -> Result<u64, StoreError> {
        let text = format!(
            "SELECT COUNT(*) FROM {table} WHERE params = ? AND parent = '' AND seen_walk = ?"
        );
        self.count(&text, vec![scope.params().into(), walk.into()])
            .await
    }

    /// Items changed after a position, in the order of their changes.
    pub async fn changed_items(
        &self,
        scope: &Scope,
        table: &str,
        (seq, id): (i64, i64),
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        let values = |limit: usize| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            vec![
                scope.params().into(),
                seq.into(),
                seq.into(),
                id.into(),
                limit.into(),
            ]
        };
        let lengths = changed_lengths_text(table);
        let fitting = self.fitting_rows(&lengths, values(limit)).await?;
        let text = changed_page_text(table);
        let rows = self.query_all(&text, values(fitting)).await?;
        rows.into_iter()
            .map(raw_row)
            .collect::<Result<_, _>>()
            .during("reading raw rows")
    }

    /// Items by raw id.
    pub async fn items_by_id(&self, table: &str, ids: &[i64]) -> Result<Vec<RawRow>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for group in ids.chunks(LENGTHS[0]) {
            let (list, values) = key_list(group.iter().map(|&id| id.into()).collect());
            let text = format!(
                "SELECT id, parent, item_key, data, created_at, changed_seq FROM {table} \
                 WHERE id IN {list} ORDER BY id"
            );
            for row in self.query_all(&text, values).await? {
                found.push(raw_row(row).during("reading raw rows")?);
            }
        }
        Ok(found)
    }
}

impl Transaction<'_> {
    /// Writes items: new and changed ones get this page's sequence; of others at most the address is
    /// written.
    ///
    /// `known` is what is stored of them; a `walk` marks unchanged ones as seen by it.
    pub async fn write_items(
        &mut self,
        table: &str,
        items: Vec<NewItem>,
        known: &StoredItems,
        walk: Option<i64>,
    ) -> Result<RawChanges, StoreError> {
        let mut changes = RawChanges::default();
        let mut rows = Vec::with_capacity(items.len());
        let mut seen = Vec::new();
        let mut moved: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for item in last_of_each_item(items) {
            // The map is keyed by owned pairs; looking up by reference would need a clone anyway.
            let stored = known.get(&(item.parent.clone(), item.key.clone()));
            match stored {
                Some(stored) if stored.content_hash == item.content_hash => {
                    changes.unchanged += 1;
                    seen.push(stored.id);
                    if stored.url != item.url {
                        moved.entry(item.url).or_default().push(stored.id);
                    }
                }
                _ => rows.push(self.raw_values(item, walk.unwrap_or_default())),
            }
        }
        changes.written = rows.len() as u64;
        if !rows.is_empty() {
            self.upsert(&Shape::plain(table, &RAW_COLUMNS, &RAW_KEYS), rows)
                .await?;
            self.mark_changed();
        }
        self.move_items(table, moved).await?;
        if let Some(walk) = walk {
            self.mark_seen(table, &seen, walk).await?;
        }
        Ok(changes)
    }

    /// Gives items the address that they have now, by raw id. What was made of them stays.
    async fn move_items(
        &self,
        table: &str,
        moved: BTreeMap<String, Vec<i64>>,
    ) -> Result<(), StoreError> {
        for (url, ids) in moved {
            for group in ids.chunks(LENGTHS[0]) {
                let (list, ids) = key_list(group.iter().map(|&id| id.into()).collect());
                let text = format!("UPDATE {table} SET url = ? WHERE id IN {list}");
                let mut values = vec![url.clone().into()];
                values.extend(ids);
                self.execute(&text, values).await?;
            }
        }
        Ok(())
    }

    fn raw_values(&self, item: NewItem, walk: i64) -> Vec<Value> {
        vec![
            self.params.clone().into(),
            item.parent.into(),
            item.key.into(),
            item.data.into(),
            item.url.into(),
            item.input.into(),
            self.now.into(),
            item.content_hash.into(),
            self.seq.into(),
            walk.into(),
            item.child_counts.into(),
        ]
    }

    async fn mark_seen(&self, table: &str, ids: &[i64], walk: i64) -> Result<(), StoreError> {
        for group in ids.chunks(LENGTHS[0]) {
            let (list, ids) = key_list(group.iter().map(|&id| id.into()).collect());
            let text = format!("UPDATE {table} SET seen_walk = ? WHERE id IN {list}");
            let mut values = vec![walk.into()];
            values.extend(ids);
            self.execute(&text, values).await?;
        }
        Ok(())
    }

    /// Stores an item under a given id; of two ids for one item the higher wins.
    ///
    /// Returns false when a higher id holds the item already, or the same content is there.
    pub async fn import_item(
        &mut self,
        table: &str,
        id: i64,
        item: NewItem,
        created_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let text = format!(
            "SELECT parent, item_key, id, content_hash, url, params FROM {table} \
             WHERE id = ? OR (params = ? AND parent = ? AND item_key = ?)"
        );
        let values = vec![
            id.into(),
            self.params.clone().into(),
            item.parent.clone().into(),
            item.key.clone().into(),
        ];
        for row in self.query_all(&text, values).await? {
            let (key, stored) = stored_item(&row).during(&text)?;
            let params: String = row.get(5).during(&text)?;
            let same_item = params == self.params && key == (item.parent.clone(), item.key.clone());
            if !same_item {
                return Err(StoreError::refused(
                    format!("importing row {id} into {table}"),
                    format!(
                        "id {id} is taken by another item ({params}, key {}); \
                         import into an empty database, or leave the id out",
                        key.1
                    ),
                ));
            }
            if stored.id > id || (stored.id == id && stored.content_hash == item.content_hash) {
                return Ok(false);
            }
            self.remove_items(table, &[stored.id]).await?;
        }
        let mut columns = vec!["id"];
        columns.extend(RAW_COLUMNS);
        let mut values = vec![id.into()];
        let created = RAW_COLUMNS
            .iter()
            .position(|&column| column == "created_at");
        let mut row = self.raw_values(item, 0);
        row[created.unwrap_or_default()] = created_at.into();
        values.append(&mut row);
        self.upsert(&Shape::plain(table, &columns, &["id"]), vec![values])
            .await?;
        if self.store.backend() == DbBackend::Postgres {
            // Only here a given id leaves the numbering of later rows behind.
            let text = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"
            );
            self.query_all(&text, Vec::new()).await?;
        }
        self.mark_changed();
        Ok(true)
    }

    /// Removes items by raw id; extraction follows by the note left behind.
    pub async fn remove_items(&mut self, table: &str, ids: &[i64]) -> Result<(), StoreError> {
        for group in ids.chunks(LENGTHS[0]) {
            let (list, values) = key_list(group.iter().map(|&id| id.into()).collect());
            self.execute(&format!("DELETE FROM {table} WHERE id IN {list}"), values)
                .await?;
        }
        let keys: Vec<KeyValue> = ids.iter().map(i64::to_string).collect();
        self.note_deleted(table, keys).await
    }
}

/// An item that came twice counts as it came last: lists shift while they are read.
fn last_of_each_item(items: Vec<NewItem>) -> Vec<NewItem> {
    let mut last: HashMap<(&str, &str), usize> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        last.insert((&item.parent, &item.key), index);
    }
    if last.len() == items.len() {
        return items;
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    let mut kept = kept.into_iter().peekable();
    let items = items.into_iter().enumerate();
    items
        .filter(|(index, _)| kept.next_if_eq(index).is_some())
        .map(|(_, item)| item)
        .collect()
}

fn stored_item(row: &Row) -> Result<((String, String), StoredItem), DbErr> {
    let key = (row.get(0)?, row.get(1)?);
    let item = StoredItem {
        id: row.get(2)?,
        content_hash: row.get(3)?,
        url: row.get::<Option<String>>(4)?.unwrap_or_default(),
    };
    Ok((key, item))
}

fn raw_row(mut row: Row) -> Result<RawRow, DbErr> {
    Ok(RawRow {
        id: row.get(0)?,
        parent: row.get(1)?,
        key: row.get(2)?,
        data: row.take_bytes(3).unwrap_or_default(),
        created_at: row.get(4)?,
        changed_seq: row.get(5)?,
    })
}
