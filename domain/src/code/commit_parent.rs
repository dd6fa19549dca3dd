//! `commit_parents`.

use headwater_macros::table;

/// One parent of one commit.
#[table("commit_parents")]
pub struct Model {
    /// Commit; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Commit before it; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub parent_commit_sha: String,
    /// Place among the parents of the commit, from 0; the first is what it was made on.
    pub parent_order: i64,
}
