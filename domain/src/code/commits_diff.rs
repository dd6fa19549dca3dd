//! `commits_diffs`.

use headwater_macros::table;

/// One commit that one commit has and another has not.
#[table("commits_diffs")]
pub struct Model {
    /// Commit of the newer end; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub new_commit_sha: String,
    /// Commit of the older end; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub old_commit_sha: String,
    /// Commit that the newer end has and the older one has not; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Place among the commits of the pair, from 1 at the newer end.
    pub sorting_index: i64,
}
