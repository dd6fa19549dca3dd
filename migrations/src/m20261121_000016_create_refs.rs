//! Branches and tags.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_branches"),
        NewTable::raw("_raw_bitbucket_api_tags"),
        NewTable::new("_tool_bitbucket_branches")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("name", 255)
            .varchar("commit_sha", 40)
            .time("commit_date")
            .tool(),
        NewTable::new("_tool_bitbucket_tags")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("name", 255)
            .varchar("commit_sha", 40)
            .time("commit_date")
            .text("message")
            .text("tagger")
            .time("tagged_at")
            .tool(),
        NewTable::new("refs")
            .key("id", 500)
            .varchar("repo_id", 255)
            .varchar("name", 255)
            .varchar("commit_sha", 40)
            .flag("is_default")
            .varchar("ref_type", 255)
            .time("created_date")
            .domain()
            .index(&["repo_id"]),
    ]
}
