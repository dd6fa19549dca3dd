//! `_tool_bitbucket_pull_request_sizes`.

use headwater_macros::table;

/// How much one pull request changes, as its repository's git history says.
#[table("_tool_bitbucket_pull_request_sizes")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Number of the pull request.
    #[key]
    pub pull_request_id: i64,
    /// Commit with which all of the pull request is there.
    #[width(40)]
    pub head_sha: String,
    /// Commit that it is compared with.
    #[width(40)]
    pub base_sha: String,
    /// Lines added; a binary file has none.
    pub additions: i64,
    /// Lines removed; a binary file has none.
    pub deletions: i64,
    /// Files changed; a renamed one counts once.
    pub changed_files: i64,
}
