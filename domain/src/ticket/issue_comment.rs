//! `issue_comments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One comment on one issue.
#[table("issue_comments")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssueComment:<connection>:<comment id>`.
    #[key]
    pub id: String,
    /// Issue; joins `issues.id`.
    #[width(191)]
    pub issue_id: String,
    /// Text, Markdown as typed.
    #[text]
    pub body: String,
    /// Who wrote it; joins `accounts.id`.
    pub account_id: String,
    /// When it was written (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it was last edited (UTC); null for never.
    pub updated_date: Option<DateTime<Utc>>,
}
