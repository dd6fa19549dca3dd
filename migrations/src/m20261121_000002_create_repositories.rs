//! Repositories: the raw item, the tool row and the three domain rows made of it.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_repositories"),
        NewTable::new("_tool_bitbucket_repos")
            .key_number("connection_id")
            .key("bitbucket_id", 255)
            .number("scope_config_id")
            .varchar("name", 255)
            .varchar("html_url", 255)
            .text("description")
            .text("owner")
            .varchar("language", 255)
            .varchar("clone_url", 255)
            .time("created_date")
            .time("updated_date")
            .varchar("uuid", 255)
            .varchar("main_branch", 255)
            .flag("is_private")
            .varchar("forked_from", 255)
            .varchar("project_key", 255)
            .tool(),
        NewTable::new("repos")
            .key("id", 255)
            .text("name")
            .text("url")
            .text("description")
            .varchar("owner_id", 255)
            .varchar("language", 255)
            .text("forked_from")
            .time("created_date")
            .time("updated_date")
            .flag("deleted")
            .domain(),
        NewTable::new("boards")
            .key("id", 255)
            .varchar("name", 255)
            .text("description")
            .varchar("url", 255)
            .time("created_date")
            .varchar("type", 255)
            .domain(),
        NewTable::new("cicd_scopes")
            .key("id", 255)
            .varchar("name", 255)
            .text("description")
            .varchar("url", 255)
            .time("created_date")
            .time("updated_date")
            .domain(),
    ]
}
