//! `issue_commits`.

use headwater_macros::table;

/// One issue that one commit names.
#[table("issue_commits")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Commit; joins `commits.sha`.
    #[key]
    pub commit_sha: String,
    /// Where the issue is named: message; those of the pull request are in `pull_request_issues`.
    pub place: String,
}
