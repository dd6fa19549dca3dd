//! Branches and tags that have no row in `refs`, with the reason.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_left_out_refs")
            .key("params", 255)
            .key("name", 255)
            .varchar("reason", 255)
            .clustered(),
    ]
}
