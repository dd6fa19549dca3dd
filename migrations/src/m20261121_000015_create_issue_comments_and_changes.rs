//! Comments on issues, and changes to them.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_issue_comments"),
        NewTable::raw("_raw_bitbucket_api_issue_changes"),
        NewTable::new("_tool_bitbucket_issue_comments")
            .key_number("connection_id")
            .key_number("bitbucket_id")
            .varchar("repo_id", 255)
            .number("issue_id")
            .varchar("author_id", 255)
            .varchar("author_name", 255)
            .time("bitbucket_created_at")
            .time("bitbucket_updated_at")
            .varchar("type", 255)
            .text("body")
            .tool()
            .index(&["repo_id"])
            .index(&["issue_id"]),
        NewTable::new("_tool_bitbucket_issue_changes")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("issue_id")
            .key_number("bitbucket_id")
            .key("field", 100)
            .text("old_value")
            .text("new_value")
            .varchar("author_id", 255)
            .varchar("author_name", 255)
            .time("bitbucket_created_at")
            .tool()
            .index(&["issue_id"]),
        NewTable::new("issue_comments")
            .key("id", 255)
            .varchar("issue_id", 191)
            .text("body")
            .varchar("account_id", 255)
            .time("created_date")
            .time("updated_date")
            .domain()
            .index(&["issue_id"]),
        NewTable::new("issue_changelogs")
            .key("id", 255)
            .varchar("issue_id", 255)
            .varchar("author_id", 255)
            .varchar("author_name", 255)
            .varchar("field_id", 255)
            .varchar("field_name", 255)
            .text("original_from_value")
            .text("original_to_value")
            .text("from_value")
            .text("to_value")
            .time("created_date")
            .domain()
            .index(&["issue_id"]),
    ]
}
