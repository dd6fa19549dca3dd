//! Environments.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_environments"),
        NewTable::new("_tool_bitbucket_environments")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("bitbucket_id", 255)
            .varchar("name", 255)
            .varchar("slug", 255)
            .varchar("environment_type", 255)
            .number("rank")
            .tool(),
    ]
}
