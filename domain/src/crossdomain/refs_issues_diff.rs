//! `refs_issues_diffs`.

use headwater_macros::table;

/// One issue named in the commit range between two tags or branches.
#[table("refs_issues_diffs")]
pub struct Model {
    /// Newer tag or branch; joins `refs.id`.
    #[key]
    pub new_ref_id: String,
    /// Older tag or branch; joins `refs.id`.
    #[key]
    pub old_ref_id: String,
    /// Commit that the newer one points to.
    #[width(40)]
    pub new_ref_commit_sha: String,
    /// Commit that the older one points to.
    #[width(40)]
    pub old_ref_commit_sha: String,
    /// Key of the issue.
    pub issue_number: String,
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Repository of both; joins `repos.id`.
    pub repo_id: String,
}
