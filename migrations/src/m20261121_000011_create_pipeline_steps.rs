//! Steps of pipelines.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::raw("_raw_bitbucket_api_pipeline_steps"),
        NewTable::new("_tool_bitbucket_pipeline_steps")
            .key_number("connection_id")
            .key("repo_id", 255)
            .key("pipeline_id", 255)
            .key("bitbucket_id", 255)
            .varchar("name", 255)
            .varchar("trigger", 255)
            .varchar("state", 255)
            .varchar("result", 255)
            .number("max_time")
            .time("started_on")
            .time("completed_on")
            .number("duration_in_seconds")
            .number("build_seconds_used")
            .number("run_number")
            .varchar("type", 255)
            .varchar("environment", 255)
            .tool()
            .index(&["pipeline_id"]),
        NewTable::new("cicd_tasks")
            .key("id", 255)
            .varchar("name", 255)
            .varchar("pipeline_id", 255)
            .varchar("result", 100)
            .varchar("status", 100)
            .varchar("original_status", 100)
            .varchar("original_result", 100)
            .varchar("type", 100)
            .varchar("environment", 255)
            .number("duration_sec")
            .number("queued_duration_sec")
            .time("created_date")
            .time("queued_date")
            .time("started_date")
            .time("finished_date")
            .varchar("cicd_scope_id", 255)
            .domain()
            .index(&["pipeline_id"])
            .index(&["cicd_scope_id"]),
    ]
}
