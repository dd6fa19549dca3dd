//! `_tool_bitbucket_pr_activities`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One entry of the activity log of a pull request: approval, change request, update, merge or decline.
pub struct PullRequestActivities;

impl Stream for PullRequestActivities {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_activities";
    const DESCRIBES: &'static str = "One entry of the activity log of a pull request: approval, change request, update, merge or decline.";
}

/// One entry of a pull request's activity log, other than a comment.
#[table("_tool_bitbucket_pr_activities")]
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
    /// Kind, time and actor: the API gives entries no id.
    #[key]
    pub activity_key: String,
    /// Approval, `changes_requested` or update.
    #[width(100)]
    pub kind: String,
    /// State of the pull request after an update; empty for others.
    #[width(100)]
    pub state: String,
    /// State before, when the update says it changed.
    #[width(100)]
    pub previous_state: String,
    /// Fields the update changed, comma separated; empty for none.
    pub changed_fields: String,
    /// Account id of who did it; empty for a deleted account.
    pub actor_id: String,
    /// Display name of who did it.
    pub actor_name: String,
    /// When it happened (UTC).
    pub happened_at: Option<DateTime<Utc>>,
    /// Hash of what an update says, but for its date and actor; empty for others.
    #[width(40)]
    pub content_hash: String,
}
