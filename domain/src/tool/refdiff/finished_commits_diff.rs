//! `_tool_refdiff_finished_commits_diffs`.

use headwater_macros::table;

/// One pair of commits that has been compared.
#[table("_tool_refdiff_finished_commits_diffs")]
pub struct Model {
    /// Commit of the newer end; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub new_commit_sha: String,
    /// Commit of the older end; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub old_commit_sha: String,
    /// Repository whose cut-off history it was made of; empty for a complete one, which is the same
    /// in every repository.
    pub repo_id: String,
    /// How many commits were found.
    pub commits: i64,
    /// Whether all history of both ends was known.
    pub is_complete: bool,
}
