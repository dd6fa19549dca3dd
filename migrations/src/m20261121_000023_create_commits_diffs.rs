//! What tags and deployments brought, and which issues pull requests and commits name.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        // The longest table of these: whose rows they are is asked by pair, never by scope.
        NewTable::new("commits_diffs")
            .key("new_commit_sha", 40)
            .key("old_commit_sha", 40)
            .key("commit_sha", 40)
            .number("sorting_index")
            .origin()
            .index(&["commit_sha"]),
        NewTable::new("commits_diff_pairs")
            .key("id", 255)
            .varchar("repo_id", 255)
            .varchar("kind", 20)
            .varchar("new_id", 500)
            .varchar("old_id", 500)
            .varchar("new_name", 255)
            .varchar("old_name", 255)
            .varchar("new_commit_sha", 255)
            .varchar("old_commit_sha", 255)
            .varchar("state", 20)
            .number("commits")
            .domain()
            .index(&["repo_id"])
            .index(&["new_commit_sha", "old_commit_sha"]),
        NewTable::new("_tool_refdiff_finished_commits_diffs")
            .key("new_commit_sha", 40)
            .key("old_commit_sha", 40)
            .varchar("repo_id", 255)
            .number("commits")
            .flag("is_complete")
            .tool(),
        NewTable::new("ref_commits")
            .key("new_ref_id", 255)
            .key("old_ref_id", 255)
            .varchar("new_commit_sha", 40)
            .varchar("old_commit_sha", 40)
            .varchar("repo_id", 255)
            .domain()
            .index(&["repo_id"]),
        NewTable::new("refs_issues_diffs")
            .key("new_ref_id", 255)
            .key("old_ref_id", 255)
            .key("issue_id", 255)
            .varchar("new_ref_commit_sha", 40)
            .varchar("old_ref_commit_sha", 40)
            .varchar("issue_number", 255)
            .varchar("repo_id", 255)
            .domain()
            .index(&["repo_id"])
            .index(&["issue_id"]),
        NewTable::new("pull_request_issues")
            .key("pull_request_id", 255)
            .key("issue_id", 255)
            .number("pull_request_key")
            .varchar("issue_key", 255)
            .varchar("place", 255)
            .domain()
            .index(&["issue_id"]),
        NewTable::new("issue_commits")
            .key("issue_id", 255)
            .key("commit_sha", 255)
            .varchar("place", 255)
            .domain()
            .index(&["commit_sha"]),
    ]
}
