//! Workspaces, their projects and members; what else a repository tells; who is a bot.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_workspaces"),
        NewTable::raw("_raw_bitbucket_api_projects"),
        NewTable::raw("_raw_bitbucket_api_workspace_members"),
        NewTable::new("_tool_bitbucket_workspaces")
            .key_number("connection_id")
            .key("slug", 255)
            .varchar("uuid", 255)
            .varchar("name", 255)
            .flag("is_private")
            .varchar("html_url", 255)
            .time("bitbucket_created_at")
            .tool(),
        NewTable::new("_tool_bitbucket_projects")
            .key_number("connection_id")
            .key("workspace", 255)
            .key("project_key", 255)
            .varchar("uuid", 255)
            .varchar("name", 255)
            .text("description")
            .flag("is_private")
            .varchar("html_url", 255)
            .time("bitbucket_created_at")
            .time("bitbucket_updated_at")
            .tool(),
        NewTable::new("_tool_bitbucket_workspace_members")
            .key_number("connection_id")
            .key("workspace", 255)
            .key("account_id", 128)
            .key("uuid", 127)
            .varchar("display_name", 255)
            .tool(),
        NewTable::more("_tool_bitbucket_repos")
            .varchar("project_name", 255)
            .flag("is_archived"),
        NewTable::more("accounts").flag("is_bot"),
    ]
}
