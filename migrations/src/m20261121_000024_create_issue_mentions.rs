//! Which issues pull requests and commits name, whether or not there are such issues.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        // Narrow rows, and many: whose they are is asked by key, which begins with the repository.
        NewTable::new("pull_request_mentions")
            .key("pull_request_id", 255)
            .key("mention", 64)
            .varchar("place", 20)
            .varchar("issue_id", 255)
            .origin()
            .clustered(),
        NewTable::new("commit_mentions")
            .key("source_id", 500)
            .key("mention", 64)
            .varchar("commit_sha", 40)
            .varchar("issue_id", 255)
            .origin()
            .clustered(),
        NewTable::more("_tool_bitbucket_pull_request_commits").text("mentions"),
        NewTable::more("_tool_bitbucket_repo_commits").text("mentions"),
        NewTable::more("issues").index(&["issue_key"]),
    ]
}
