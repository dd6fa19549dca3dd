//! Sizes of pull requests: the number of files, and what the list of changed files says.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::more("pull_requests").number("changed_files"),
        NewTable::raw("_raw_bitbucket_api_pull_request_diffstats"),
        NewTable::new("_tool_bitbucket_pull_request_diffstats")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("pull_request_id")
            .key("file_key", 127)
            .varchar("status", 100)
            .text("old_path")
            .text("new_path")
            .number("lines_added")
            .number("lines_removed")
            .tool(),
    ]
}
