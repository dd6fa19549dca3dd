//! How many lists a run is going to read, counted before it begins.

use headwater_domain::Scope;
use sea_orm::Value;

use crate::Store;
use crate::error::StoreError;
use crate::rows::raw::FETCHED_AS_OF;

/// Lists of a child stream: one for each parent.
#[derive(Clone, Copy, Debug)]
pub struct ChildLists<'a> {
    /// Raw table of the parents.
    pub parent_table: &'a str,
    /// The child stream.
    pub stream: &'a str,
    /// Field of the parent that counts its children: where it says 0 nothing is read.
    pub count: Option<&'a str>,
    /// Only parents that changed after this sequence and were not read since; none for all.
    pub pending_after: Option<i64>,
}

impl Store {
    /// Lists that a request must be sent for.
    pub async fn lists_to_read(
        &self,
        scope: &Scope,
        lists: ChildLists<'_>,
    ) -> Result<u64, StoreError> {
        let table = lists.parent_table;
        let mut text = format!("SELECT COUNT(*) FROM {table} AS parents WHERE parents.params = ?");
        let mut values: Vec<Value> = vec![scope.params().into()];
        if let Some(seq) = lists.pending_after {
            text += " AND parents.changed_seq > ? AND COALESCE(";
            text += FETCHED_AS_OF;
            text += ", -1) < parents.changed_seq";
            values.extend([seq.into(), lists.stream.into()]);
        }
        if let Some(count) = lists.count {
            text += " AND parents.child_counts NOT LIKE ? AND parents.child_counts NOT LIKE ?";
            values.push(format!("%{count}=0").into());
            values.push(format!("%{count}=0,%").into());
        }
        self.count(&text, values).await
    }
}
