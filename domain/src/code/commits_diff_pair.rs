//! `commits_diff_pairs`.

use headwater_macros::table;

/// One pair of commits of one repository that are compared, and why.
#[table("commits_diff_pairs")]
pub struct Model {
    /// Id, the repository's and what is compared.
    #[key]
    pub id: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// TAG for neighbours in the order of tags, CONFIGURED, or DEPLOYMENT.
    #[width(20)]
    pub kind: String,
    /// Newer end; joins `refs.id` or `cicd_deployment_commits.id`.
    #[width(500)]
    pub new_id: String,
    /// Older end; joins `refs.id` or `cicd_deployment_commits.id`.
    #[width(500)]
    pub old_id: String,
    /// Name of the newer end.
    pub new_name: String,
    /// Name of the older end.
    pub old_name: String,
    /// Commit that the newer end points to.
    pub new_commit_sha: String,
    /// Commit that the older end points to.
    pub old_commit_sha: String,
    /// COMPLETE; INCOMPLETE where the history is cut off; MISSING where the repository has not both
    /// commits; PENDING while it is computed.
    #[width(20)]
    pub state: String,
    /// How many commits the newer end has and the older one has not.
    pub commits: i64,
}
