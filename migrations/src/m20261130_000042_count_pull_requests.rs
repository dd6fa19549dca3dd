//! Sizes of pull requests, as git tells them.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("_tool_bitbucket_pull_request_sizes")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("pull_request_id")
            .varchar("head_sha", 40)
            .varchar("base_sha", 40)
            .number("additions")
            .number("deletions")
            .number("changed_files")
            .tool(),
    ]
}
