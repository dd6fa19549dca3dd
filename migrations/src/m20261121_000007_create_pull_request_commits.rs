//! Commits of pull requests.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pull_request_commits"),
        NewTable::new("_tool_bitbucket_pull_request_commits")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("pull_request_id")
            .key("commit_sha", 40)
            .varchar("commit_author_name", 255)
            .varchar("commit_author_email", 255)
            .time("commit_authored_date")
            .tool(),
        NewTable::new("pull_request_commits")
            .key("pull_request_id", 255)
            .key("commit_sha", 40)
            .varchar("commit_author_name", 255)
            .varchar("commit_author_email", 255)
            .time("commit_authored_date")
            .domain(),
    ]
}
