//! Commits of the main branch.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_commits"),
        NewTable::new("_tool_bitbucket_commits")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("sha", 40)
            .varchar("author_id", 255)
            .varchar("author_name", 255)
            .varchar("author_email", 255)
            .time("authored_date")
            .time("committed_date")
            .text("message")
            .text("url")
            .number("additions")
            .number("deletions")
            .tool(),
        NewTable::new("_tool_bitbucket_commit_parents")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("commit_sha", 40)
            .key("parent_sha", 40)
            .tool(),
        NewTable::new("_tool_bitbucket_repo_commits")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("commit_sha", 40)
            .tool(),
        NewTable::new("commits")
            .key("sha", 40)
            .number("additions")
            .number("deletions")
            .number("dev_eq")
            .text("message")
            .varchar("author_name", 255)
            .varchar("author_email", 255)
            .time("authored_date")
            .varchar("author_id", 255)
            .varchar("committer_name", 255)
            .varchar("committer_email", 255)
            .time("committed_date")
            .varchar("committer_id", 255)
            .domain()
            .index(&["author_id"]),
        NewTable::new("commit_parents")
            .key("commit_sha", 40)
            .key("parent_commit_sha", 40)
            .domain(),
        NewTable::new("repo_commits")
            .key("repo_id", 255)
            .key("commit_sha", 40)
            .varchar("source_id", 500)
            .domain()
            .index(&["source_id"]),
    ]
}
