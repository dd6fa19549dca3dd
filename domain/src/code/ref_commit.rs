//! `ref_commits`.

use headwater_macros::table;

/// One pair of tags or branches that are compared.
#[table("ref_commits")]
pub struct Model {
    /// Newer tag or branch; joins `refs.id`.
    #[key]
    pub new_ref_id: String,
    /// Older tag or branch; joins `refs.id`.
    #[key]
    pub old_ref_id: String,
    /// Commit that the newer one points to.
    #[width(40)]
    pub new_commit_sha: String,
    /// Commit that the older one points to.
    #[width(40)]
    pub old_commit_sha: String,
    /// Repository of both; joins `repos.id`.
    pub repo_id: String,
}
