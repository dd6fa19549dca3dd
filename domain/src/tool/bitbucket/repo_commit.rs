//! `_tool_bitbucket_repo_commits`.

use headwater_macros::table;

/// One commit that the main branch of one repository has.
#[table("_tool_bitbucket_repo_commits")]
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
    /// Issues that the message names, as written, with a space between them.
    #[text]
    pub mentions: String,
}
