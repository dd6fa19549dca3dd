//! Short commit hashes, and the commits that they stand for.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("short_hashes")
            .key("repo_id", 255)
            .key("step", 100)
            .key("row_key", 255)
            .key("short_sha", 40)
            .varchar("beginning", 7)
            .varchar("commit_sha", 40)
            .varchar("state", 20)
            .origin()
            .clustered()
            .index(&["repo_id", "beginning"]),
    ]
}
