//! Tables that boards made for DevLake read, whether a source fills them or not.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    [issues(), code(), releases()].concat()
}

fn issues() -> Vec<NewTable> {
    vec![
        NewTable::new("board_repos")
            .key("board_id", 255)
            .key("repo_id", 255)
            .domain()
            .index(&["repo_id"]),
        NewTable::new("board_sprints")
            .key("board_id", 255)
            .key("sprint_id", 255)
            .domain(),
        NewTable::new("sprints")
            .key("id", 255)
            .varchar("name", 255)
            .varchar("url", 255)
            .varchar("status", 100)
            .time("started_date")
            .time("ended_date")
            .time("completed_date")
            .varchar("original_board_id", 255)
            .domain(),
        NewTable::new("sprint_issues")
            .key("sprint_id", 255)
            .key("issue_id", 255)
            .domain()
            .index(&["issue_id"]),
        NewTable::new("issue_relationships")
            .key("source_issue_id", 255)
            .key("target_issue_id", 255)
            .key("original_type", 255)
            .domain(),
        NewTable::new("issue_worklogs")
            .key("id", 255)
            .varchar("author_id", 255)
            .text("comment")
            .number("time_spent_minutes")
            .time("logged_date")
            .time("started_date")
            .varchar("issue_id", 255)
            .domain()
            .index(&["issue_id"]),
        NewTable::new("issue_custom_array_fields")
            .key("issue_id", 255)
            .key("field_id", 255)
            .key("field_value", 255)
            .domain(),
        NewTable::new("issue_repo_commits")
            .key("issue_id", 255)
            .key("repo_url", 255)
            .key("commit_sha", 255)
            .varchar("host", 255)
            .varchar("namespace", 255)
            .varchar("repo_name", 255)
            .domain(),
    ]
}

fn code() -> Vec<NewTable> {
    vec![
        NewTable::new("refs_pr_cherrypicks")
            .key("parent_pr_id", 255)
            .varchar("repo_name", 255)
            .number("parent_pr_key")
            .varchar("cherrypick_base_branches", 255)
            .varchar("cherrypick_pr_keys", 255)
            .varchar("parent_pr_url", 255)
            .domain(),
        NewTable::new("commit_file_components")
            .key("commit_file_id", 255)
            .varchar("component_name", 255)
            .domain(),
        NewTable::new("commit_line_change")
            .key("id", 255)
            .varchar("commit_sha", 40)
            .varchar("new_file_path", 255)
            .number("line_no_new")
            .number("line_no_old")
            .varchar("old_file_path", 255)
            .number("hunk_num")
            .varchar("changed_type", 255)
            .varchar("prev_commit", 255)
            .domain()
            .index(&["commit_sha"]),
        NewTable::new("components")
            .key("name", 255)
            .varchar("repo_id", 255)
            .varchar("path_regex", 255)
            .domain(),
        NewTable::new("repo_languages")
            .key("repo_id", 255)
            .key("language", 255)
            .number("bytes")
            .domain(),
        NewTable::new("repo_snapshot")
            .key("repo_id", 255)
            .key("commit_sha", 40)
            .key("file_path", 255)
            .key_number("line_no")
            .domain(),
        NewTable::new("pull_request_assignees")
            .key("pull_request_id", 255)
            .key("assignee_id", 255)
            .varchar("name", 255)
            .varchar("user_name", 255)
            .domain(),
        NewTable::new("pull_request_labels")
            .key("pull_request_id", 255)
            .key("label_name", 255)
            .domain(),
    ]
}

fn releases() -> Vec<NewTable> {
    vec![
        NewTable::new("cicd_releases")
            .key("id", 255)
            .time("published_at")
            .varchar("cicd_scope_id", 255)
            .varchar("name", 255)
            .varchar("display_title", 255)
            .text("description")
            .text("url")
            .flag("is_draft")
            .flag("is_latest")
            .flag("is_prerelease")
            .varchar("author_id", 255)
            .varchar("repo_id", 255)
            .text("tag_name")
            .text("commit_sha")
            .domain(),
    ]
}
