//! Parents of raw rows, and as of when their children were fetched.

use sea_orm::{DbErr, Value};

use headwater_domain::Scope;

use crate::Store;
use crate::database::Row;
use crate::database::sql::{LENGTHS, list_of};
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// A parent whose children are to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingParent {
    /// Natural key of the parent.
    pub key: String,
    /// Sequence of its last change.
    pub changed_seq: i64,
    /// What it says of its children's numbers, as [`super::NewItem::child_counts`].
    pub child_counts: String,
}

/// How far a walk over pending parents has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParentPosition {
    /// Sequence of the last parent seen.
    pub seq: i64,
    /// Raw id of the last parent seen.
    pub id: i64,
}

/// A parent, whether its children are to be fetched or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownParent {
    /// Its raw id.
    pub id: i64,
    /// Sequence of its change as of which its children were fetched; none where they never were.
    pub fetched: Option<i64>,
    /// What is known of it besides.
    pub parent: PendingParent,
}

impl KnownParent {
    /// True when its children were not fetched since its last change.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.fetched.is_none_or(|seq| seq < self.parent.changed_seq)
    }
}

/// The sequence of `parents` as of which its children of a stream were fetched.
///
/// Not a join: to `PostgreSQL`, whose statistics are young during a first sync, a stream seems to
/// have one row, and it would read all of them again for each parent. So it has no choice but to
/// look each one up by its key.
pub(crate) const FETCHED_AS_OF: &str = "(SELECT fetched.parent_seq \
     FROM _headwater_fetched_children AS fetched WHERE fetched.params = parents.params \
     AND fetched.stream = ? AND fetched.parent = parents.item_key)";

impl Store {
    /// Number of items changed after a sequence.
    pub async fn changed_count(
        &self,
        scope: &Scope,
        table: &str,
        seq: i64,
    ) -> Result<u64, StoreError> {
        let text = format!("SELECT COUNT(*) FROM {table} WHERE params = ? AND changed_seq > ?");
        self.count(&text, vec![scope.params().into(), seq.into()])
            .await
    }

    /// Parents whose children were not fetched since their last change, after a position.
    pub async fn pending_parents(
        &self,
        scope: &Scope,
        streams: (&str, &str),
        after: ParentPosition,
        limit: usize,
    ) -> Result<(Vec<PendingParent>, ParentPosition), StoreError> {
        let (mut parents, reached) = self.parents(scope, streams, after, limit).await?;
        parents.retain(KnownParent::is_pending);
        let pending = parents.into_iter().map(|known| known.parent);
        Ok((pending.collect(), reached))
    }

    /// Parents after a position, in the order of their changes, and how far that is.
    pub async fn parents(
        &self,
        scope: &Scope,
        (parent_table, stream): (&str, &str),
        after: ParentPosition,
        limit: usize,
    ) -> Result<(Vec<KnownParent>, ParentPosition), StoreError> {
        let text = format!(
            "SELECT parents.id, parents.item_key, parents.changed_seq, {FETCHED_AS_OF}, \
             parents.child_counts FROM {parent_table} AS parents \
             WHERE parents.params = ? AND parents.changed_seq >= ? \
             AND (parents.changed_seq > ? OR parents.id > ?) \
             ORDER BY parents.changed_seq, parents.id LIMIT ?"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![
            stream.into(),
            scope.params().into(),
            after.seq.into(),
            after.seq.into(),
            after.id.into(),
            limit.into(),
        ];
        let rows = self.query_all(&text, values).await?;
        let parents = rows.iter().map(known_parent);
        let parents: Vec<KnownParent> = parents
            .collect::<Result<_, _>>()
            .during("reading parents")?;
        let reached = parents.last().map_or(after, |known| ParentPosition {
            seq: known.parent.changed_seq,
            id: known.id,
        });
        Ok((parents, reached))
    }

    /// How many items of a scope a raw table has, and the sequence of the last change of one that
    /// is there: where both stayed as they were, none came, changed or went.
    pub async fn extent(&self, scope: &Scope, table: &str) -> Result<(i64, i64), StoreError> {
        let text =
            format!("SELECT COUNT(*), COALESCE(MAX(changed_seq), 0) FROM {table} WHERE params = ?");
        let rows = self.query_all(&text, vec![scope.params().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok((0, 0));
        };
        let read = || Ok((row.get(0)?, row.get(1)?));
        read().during("counting items")
    }
}

impl Transaction<'_> {
    /// Removes all children of a parent in one child stream. Returns how many.
    pub async fn remove_children(
        &mut self,
        (table, stream): (&str, &str),
        parent: &str,
    ) -> Result<u64, StoreError> {
        let text = format!("SELECT id FROM {table} WHERE params = ? AND parent = ?");
        let values: Vec<Value> = vec![self.params.clone().into(), parent.into()];
        let rows = self.query_all(&text, values.clone()).await?;
        let ids = rows.iter().map(|row| row.get(0));
        let ids: Vec<i64> = ids.collect::<Result<_, _>>().during("reading children")?;
        self.remove_items(table, &ids).await?;
        let text = "DELETE FROM _headwater_fetched_children \
                    WHERE params = ? AND parent = ? AND stream = ?";
        let mut values = values;
        values.push(stream.into());
        self.execute(text, values).await?;
        Ok(ids.len() as u64)
    }

    /// Notes that the children of these parents are complete as of each parent's sequence.
    pub async fn set_children_fetched(
        &self,
        stream: &str,
        parents: Vec<(String, i64)>,
    ) -> Result<(), StoreError> {
        let shape = Shape::plain(
            "_headwater_fetched_children",
            &["params", "stream", "parent", "parent_seq"],
            &["params", "stream", "parent"],
        );
        let row = |(parent, seq): (String, i64)| {
            vec![
                self.params.clone().into(),
                stream.into(),
                parent.into(),
                seq.into(),
            ]
        };
        self.upsert(&shape, parents.into_iter().map(row).collect())
            .await
    }

    /// Makes every parent pending again for a child stream.
    pub async fn forget_children_fetched(&self, stream: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_fetched_children WHERE params = ? AND stream = ?";
        let values = vec![self.params.clone().into(), stream.into()];
        self.execute(text, values).await.map(|_| ())
    }

    /// Forgets that the children of these parents were fetched.
    pub async fn forget_children_of(
        &self,
        stream: &str,
        parents: &[String],
    ) -> Result<(), StoreError> {
        for group in parents.chunks(LENGTHS[0]) {
            let (list, keys) = list_of(group);
            let text = format!(
                "DELETE FROM _headwater_fetched_children \
                 WHERE params = ? AND stream = ? AND parent IN {list}"
            );
            let mut values: Vec<Value> = vec![self.params.clone().into(), stream.into()];
            values.extend(keys);
            self.execute(&text, values).await?;
        }
        Ok(())
    }
}

fn known_parent(row: &Row) -> Result<KnownParent, DbErr> {
    Ok(KnownParent {
        id: row.get(0)?,
        fetched: row.get(3)?,
        parent: PendingParent {
            key: row.get(1)?,
            changed_seq: row.get(2)?,
            child_counts: row.get::<Option<String>>(4)?.unwrap_or_default(),
        },
    })
}
