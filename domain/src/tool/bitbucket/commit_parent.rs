//! `_tool_bitbucket_commit_parents`.

use headwater_macros::table;

/// One parent of one commit.
#[table("_tool_bitbucket_commit_parents")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Commit.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Commit before it.
    #[key]
    #[width(40)]
    pub parent_sha: String,
    /// Place among the parents of the commit, from 0.
    pub parent_order: i64,
}
