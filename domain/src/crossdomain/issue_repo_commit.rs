//! `issue_repo_commits`.

use headwater_macros::table;

/// A commit that names an issue, with its repository spelt out.
#[table("issue_repo_commits")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Address of the repository.
    #[key]
    pub repo_url: String,
    /// Commit; joins `commits.sha`.
    #[key]
    pub commit_sha: String,
    /// Host of the address.
    pub host: String,
    /// Workspace.
    pub namespace: String,
    /// Name of the repository.
    pub repo_name: String,
}
