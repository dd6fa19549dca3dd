//! Which parents' children are read now, while a range is read from its new end back.

use std::collections::HashSet;

use headwater_store::raw::ParentPosition;

use crate::bounds;
use crate::engine::Task;
use crate::error::CollectErrorKind;

/// Rows read at once.
const GROUP: usize = 256;

/// Keys of the stored parents that may be pending and are older than what is read now. What tells
/// no time is read.
pub(super) async fn parents_for_later(
    task: &Task<'_>,
    parent_table: &str,
    after: ParentPosition,
) -> Result<HashSet<String>, CollectErrorKind> {
    let mut later = HashSet::new();
    let (Some(from), Some(parent)) = (task.range.window, task.parent) else {
        return Ok(later);
    };
    let mut after = (after.seq, after.id);
    loop {
        let rows = task
            .store
            .changed_items(task.scope, parent_table, after, GROUP)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(later);
        };
        after = (last.changed_seq, last.id);
        let is_older = |data: &[u8]| {
            bounds::time_in_range(&parent.endpoint, data).is_some_and(|time| time < from)
        };
        let older = rows.into_iter().filter(|row| is_older(&row.data));
        later.extend(older.map(|row| row.key));
    }
}
