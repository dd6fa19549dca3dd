//! `_tool_bitbucket_issue_comments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One comment on an issue.
pub struct IssueComments;

impl Stream for IssueComments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issue_comments";
    const DESCRIBES: &'static str = "One comment on an issue.";
}

/// One comment on one issue.
#[table("_tool_bitbucket_issue_comments")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Id of the comment.
    #[key]
    pub bitbucket_id: i64,
    /// Full name of the repository, `workspace/slug`.
    pub repo_id: String,
    /// Number of the issue.
    pub issue_id: i64,
    /// Account id of the author; empty for a deleted account.
    pub author_id: String,
    /// Display name of the author.
    pub author_name: String,
    /// When it was written (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it was last edited (UTC); null for never.
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// Type of the record, `issue_comment`.
    pub r#type: String,
    /// Text, Markdown as typed.
    #[text]
    pub body: String,
}
