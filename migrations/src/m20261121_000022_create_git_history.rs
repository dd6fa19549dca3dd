//! Git history read from mirrors: files of commits, the order of parents, and how far it was read.

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    vec![
        NewTable::new("commit_files")
            .key("id", 255)
            .varchar("commit_sha", 40)
            .text("file_path")
            .number("additions")
            .number("deletions")
            .domain()
            .index(&["commit_sha"]),
        NewTable::more("commit_parents").number("parent_order"),
        NewTable::more("_tool_bitbucket_commit_parents").number("parent_order"),
        NewTable::more("_tool_bitbucket_pull_request_commits").varchar("commit_author_id", 255),
        NewTable::new("_headwater_git")
            .key("params", 255)
            .number("generation")
            .varchar("done_as", 255)
            .varchar("doing_as", 255)
            .varchar("identity", 255)
            .flag("line_counts")
            .number("boundary"),
        NewTable::new("_headwater_git_tips")
            .key("params", 255)
            .key("sha", 40)
            .flag("done")
            .clustered(),
        NewTable::more("repo_commits").index(&["commit_sha"]),
        NewTable::new("_headwater_git_authors")
            .key_number("connection_id")
            .key("email", 255)
            .varchar("account_id", 255)
            .clustered(),
    ]
}
