//! Pipelines.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pipelines"),
        NewTable::new("_tool_bitbucket_pipelines")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("bitbucket_id", 255)
            .varchar("status", 100)
            .varchar("result", 100)
            .varchar("ref_name", 255)
            .varchar("commit_sha", 255)
            .varchar("web_url", 255)
            .varchar("type", 255)
            .varchar("environment", 255)
            .number("build_number")
            .number("duration_in_seconds")
            .time("bitbucket_created_on")
            .time("bitbucket_complete_on")
            .tool(),
        NewTable::new("cicd_pipelines")
            .key("id", 255)
            .text("name")
            .text("display_title")
            .text("url")
            .varchar("result", 100)
            .varchar("status", 100)
            .varchar("original_status", 100)
            .varchar("original_result", 100)
            .varchar("type", 100)
            .number("duration_sec")
            .number("queued_duration_sec")
            .varchar("environment", 255)
            .time("created_date")
            .time("queued_date")
            .time("started_date")
            .time("finished_date")
            .varchar("cicd_scope_id", 255)
            .flag("is_child")
            .domain()
            .index(&["cicd_scope_id"]),
        NewTable::new("cicd_pipeline_commits")
            .key("pipeline_id", 255)
            .key("commit_sha", 255)
            .text("commit_msg")
            .text("display_title")
            .text("url")
            .varchar("branch", 255)
            .varchar("repo_id", 255)
            .varchar("repo_url", 500)
            .domain()
            .index(&["repo_id"]),
    ]
}
