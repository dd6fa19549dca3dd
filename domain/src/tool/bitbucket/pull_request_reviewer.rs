//! `_tool_bitbucket_pr_reviewers`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One participant of one pull request: whoever reviews, approves or comments.
#[table("_tool_bitbucket_pr_reviewers")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Number of the pull request.
    #[key]
    pub pull_request_id: i64,
    /// Account id of the participant.
    #[key]
    pub account_id: String,
    /// Display name of the participant.
    pub display_name: String,
    /// REVIEWER or PARTICIPANT.
    #[width(100)]
    pub role: String,
    /// Approved, `changes_requested` or empty.
    #[width(100)]
    pub state: String,
    /// True when the participant approves now.
    pub approved: bool,
    /// When the participant last acted (UTC).
    pub participated_on: Option<DateTime<Utc>>,
}
