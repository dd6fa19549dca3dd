//! Projects, people and teams, incidents, and what is measured of projects.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    [projects(), metrics(), incidents(), people()].concat()
}

fn projects() -> Vec<NewTable> {
    vec![
        NewTable::new("projects")
            .key("name", 255)
            .text("description")
            .domain(),
        NewTable::new("project_mapping")
            .key("project_name", 255)
            .key("table", 255)
            .key("row_id", 255)
            .domain()
            .index(&["table", "row_id"]),
        NewTable::new("project_metric_settings")
            .key("project_name", 255)
            .key("plugin_name", 255)
            .text("plugin_option")
            .flag("enable")
            .domain(),
    ]
}

fn metrics() -> Vec<NewTable> {
    vec![
        NewTable::new("project_pr_metrics")
            .key("id", 255)
            .key("project_name", 100)
            .varchar("first_commit_sha", 255)
            .number("pr_coding_time")
            .varchar("first_review_id", 255)
            .number("pr_pickup_time")
            .number("pr_review_time")
            .varchar("deployment_commit_id", 255)
            .number("pr_deploy_time")
            .number("pr_cycle_time")
            .time("first_commit_authored_date")
            .time("first_comment_date")
            .time("pr_created_date")
            .time("pr_merged_date")
            .time("pr_deployed_date")
            .number("pr_coding_sec")
            .number("pr_pickup_sec")
            .number("pr_review_sec")
            .number("pr_deploy_sec")
            .number("pr_cycle_sec")
            .varchar("deployment_method", 20)
            .varchar("reason", 40)
            .domain()
            .index(&["project_name", "pr_deployed_date"])
            .index(&["deployment_commit_id"]),
        NewTable::new("project_incident_deployment_relationships")
            .key("id", 255)
            .key("project_name", 100)
            .varchar("deployment_id", 255)
            .varchar("method", 20)
            .real("confidence")
            .domain()
            .index(&["project_name", "deployment_id"]),
        NewTable::new("unlinked_incidents")
            .key("id", 255)
            .key("project_name", 100)
            .varchar("reason", 40)
            .domain(),
        NewTable::new("project_deployments")
            .key("id", 255)
            .key("project_name", 100)
            .time("finished_date")
            .varchar("result", 20)
            .flag("failed")
            .varchar("repairs", 100)
            .number("commit_samples")
            .number("commit_mean")
            .number("commit_median")
            .domain()
            .index(&["project_name", "finished_date"]),
        NewTable::new("dora_benchmarks")
            .key_number("id")
            .varchar("metric", 255)
            .varchar("low", 255)
            .varchar("medium", 255)
            .varchar("high", 255)
            .varchar("elite", 255)
            .varchar("dora_report", 20)
            .domain(),
        NewTable::new("calendar_months")
            .key("month", 20)
            .time("month_timestamp")
            .domain(),
    ]
}

fn incidents() -> Vec<NewTable> {
    vec![
        NewTable::new("incidents")
            .key("id", 255)
            .varchar("url", 255)
            .varchar("incident_key", 255)
            .text("title")
            .text("description")
            .varchar("status", 100)
            .varchar("original_status", 100)
            .time("resolution_date")
            .time("created_date")
            .time("updated_date")
            .number("lead_time_minutes")
            .number("original_estimate_minutes")
            .number("time_spent_minutes")
            .number("time_remaining_minutes")
            .varchar("creator_id", 255)
            .varchar("creator_name", 255)
            .varchar("parent_incident_id", 255)
            .varchar("priority", 255)
            .varchar("severity", 255)
            .varchar("urgency", 255)
            .varchar("component", 255)
            .varchar("original_project", 255)
            .varchar("table", 255)
            .varchar("scope_id", 255)
            .varchar("assignee_id", 255)
            .varchar("assignee_name", 255)
            .varchar("deployment_id", 255)
            .domain()
            .index(&["table", "scope_id"]),
        NewTable::new("incident_assignees")
            .key("incident_id", 255)
            .key("assignee_id", 255)
            .varchar("assignee_name", 255)
            .domain(),
    ]
}

fn people() -> Vec<NewTable> {
    vec![
        NewTable::new("users")
            .key("id", 255)
            .varchar("email", 255)
            .varchar("name", 255)
            .domain(),
        NewTable::new("user_accounts")
            .varchar("user_id", 255)
            .key("account_id", 255)
            .domain()
            .index(&["user_id"]),
        NewTable::new("teams")
            .key("id", 255)
            .varchar("name", 255)
            .varchar("alias", 255)
            .varchar("parent_id", 255)
            .number("sorting_index")
            .domain(),
        NewTable::new("team_users")
            .key("team_id", 255)
            .key("user_id", 255)
            .domain()
            .index(&["user_id"]),
    ]
}
