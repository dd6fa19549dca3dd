//! Statuses of commits of pull requests.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pull_request_statuses"),
        NewTable::new("_tool_bitbucket_pull_request_statuses")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("pull_request_id")
            .key("commit_sha", 40)
            .key("status_key", 200)
            .varchar("state", 100)
            .varchar("name", 255)
            .text("description")
            .text("url")
            .varchar("ref_name", 255)
            .time("bitbucket_created_at")
            .time("bitbucket_updated_at")
            .tool(),
    ]
}
