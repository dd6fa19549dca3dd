//! `pull_request_comments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One comment on one pull request; deleted comments are left out.
#[table("pull_request_comments")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketPrComment:<connection>:<comment id>`.
    #[key]
    pub id: String,
    /// Pull request; joins `pull_requests.id`.
    pub pull_request_id: String,
    /// Text, Markdown as typed.
    #[text]
    pub body: String,
    /// Author; joins `accounts.id`.
    pub account_id: String,
    /// When it was written (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// Empty for Bitbucket.
    pub commit_sha: String,
    /// NORMAL, or DIFF for a comment on a line of code.
    pub r#type: String,
    /// Empty for Bitbucket.
    pub review_id: String,
    /// Empty for Bitbucket.
    pub status: String,
}
