//! `refs_pr_cherrypicks`.

use headwater_macros::table;

/// A pull request whose change was picked to other branches.
#[table("refs_pr_cherrypicks")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub parent_pr_id: String,
    /// Name of the repository.
    pub repo_name: String,
    /// Number of the pull request.
    pub parent_pr_key: Option<i64>,
    /// Branches, joined by commas.
    pub cherrypick_base_branches: String,
    /// Numbers of their pull requests, joined by commas.
    pub cherrypick_pr_keys: String,
    /// Page of the pull request.
    pub parent_pr_url: String,
}
