//! The activity log of pull requests.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pull_request_activities"),
        NewTable::new("_tool_bitbucket_pr_activities")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key_number("pull_request_id")
            .key("activity_key", 255)
            .varchar("kind", 100)
            .varchar("state", 100)
            .varchar("previous_state", 100)
            .varchar("changed_fields", 255)
            .varchar("actor_id", 255)
            .varchar("actor_name", 255)
            .time("happened_at")
            .tool(),
    ]
}
