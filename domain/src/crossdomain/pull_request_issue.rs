//! `pull_request_issues`.

use headwater_macros::table;

/// One issue that one pull request names.
#[table("pull_request_issues")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Number of the pull request.
    pub pull_request_key: i64,
    /// Key of the issue.
    pub issue_key: String,
    /// Where the issue is named: title, branch or message (of a commit), the first of these.
    pub place: String,
}
