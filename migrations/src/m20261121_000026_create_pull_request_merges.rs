//! Which commits merged pull requests brought or became, and patches by which they were found.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("pull_request_merges")
            .key("pull_request_id", 255)
            .key("commit_sha", 40)
            .varchar("method", 20)
            .flag("is_tip")
            .varchar("repo_id", 255)
            .origin()
            .index(&["commit_sha"])
            .index(&["repo_id"]),
        NewTable::new("unlinked_pull_requests")
            .key("pull_request_id", 255)
            .text("reason")
            .varchar("repo_id", 255)
            .origin()
            .index(&["repo_id"]),
        NewTable::new("_headwater_patches")
            .key("commit_sha", 40)
            .key("base_sha", 40)
            .varchar("patch_id", 40)
            .clustered(),
    ]
}
