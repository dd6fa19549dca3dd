//! Comments on pull requests.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pull_request_comments"),
        NewTable::new("_tool_bitbucket_pull_request_comments")
            .key_number("connection_id")
            .key_number("bitbucket_id")
            .varchar("repo_id", 255)
            .number("pull_request_id")
            .varchar("author_id", 255)
            .varchar("author_name", 255)
            .time("bitbucket_created_at")
            .time("bitbucket_updated_at")
            .varchar("type", 255)
            .text("body")
            .number("parent_id")
            .text("inline_path")
            .number("inline_from")
            .number("inline_to")
            .flag("deleted")
            .tool()
            .index(&["pull_request_id"]),
        NewTable::new("pull_request_comments")
            .key("id", 255)
            .varchar("pull_request_id", 255)
            .text("body")
            .varchar("account_id", 255)
            .time("created_date")
            .varchar("commit_sha", 255)
            .varchar("type", 255)
            .varchar("review_id", 255)
            .varchar("status", 255)
            .domain()
            .index(&["pull_request_id"]),
    ]
}
