//! Former names of repositories: whose name it was, and what that repository is called now.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_headwater_scope_aliases")
            .key_number("connection_id")
            .key("former_name", 255)
            .key("uuid", 127)
            .varchar("full_name", 255)
            .time("renamed_at"),
    ]
}
