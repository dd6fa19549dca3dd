//! `pull_request_reviewers`.

use headwater_macros::table;

/// One reviewer of one pull request: asked to review, or approved, or asked for changes; never the author.
#[table("pull_request_reviewers")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Reviewer; joins `accounts.id`.
    #[key]
    pub reviewer_id: String,
    /// Display name of the reviewer.
    pub name: String,
    /// Display name again, as DevLake fills it.
    pub user_name: String,
}
