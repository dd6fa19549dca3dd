//! `_tool_bitbucket_pull_request_diffstats`.

use headwater_macros::table;

use crate::Stream;

/// One file that a pull request changes.
pub struct PullRequestDiffstats;

impl Stream for PullRequestDiffstats {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_diffstats";
    const DESCRIBES: &'static str = "One file that a pull request changes.";
}

/// One file that one pull request changes.
#[table("_tool_bitbucket_pull_request_diffstats")]
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
    /// Hash of the file's path, which may be too long for a key.
    #[key]
    #[width(127)]
    pub file_key: String,
    /// What became of the file, such as added, modified, removed or renamed.
    #[width(100)]
    pub status: String,
    /// Path before the change; empty for a file that is new.
    #[text]
    pub old_path: String,
    /// Path after the change; empty for a file that is removed.
    #[text]
    pub new_path: String,
    /// Lines added.
    pub lines_added: i64,
    /// Lines removed.
    pub lines_removed: i64,
}
