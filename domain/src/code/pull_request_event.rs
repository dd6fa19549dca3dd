//! `pull_request_events`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One thing that happened to one pull request: who did what, when.
#[table("pull_request_events")]
pub struct Model {
    /// Domain id of the record the event was read from; ends in `:created` for the beginning.
    #[key]
    pub id: String,
    /// Pull request; joins `pull_requests.id`.
    pub pull_request_id: String,
    /// Created, commented, approved, unapproved, changes requested, updated, merged, declined or
    /// reopened.
    #[width(100)]
    pub kind: String,
    /// Who did it; joins `accounts.id`.
    pub actor_id: String,
    /// When it happened (UTC).
    pub at: Option<DateTime<Utc>>,
    /// Record that tells of it: the pull request or the comment.
    pub source_id: String,
}
