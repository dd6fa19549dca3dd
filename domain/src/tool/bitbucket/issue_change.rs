//! `_tool_bitbucket_issue_changes`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One change to an issue, of one attribute or several.
pub struct IssueChanges;

impl Stream for IssueChanges {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issue_changes";
    const DESCRIBES: &'static str = "One change to an issue, of one attribute or several.";
}

/// One attribute that one change to an issue altered.
#[table("_tool_bitbucket_issue_changes")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Number of the issue.
    #[key]
    pub issue_id: i64,
    /// Id of the change.
    #[key]
    pub bitbucket_id: i64,
    /// Attribute that changed: `state`, `kind`, `assignee` and so on; empty for none.
    #[key]
    #[width(100)]
    pub field: String,
    /// Value before.
    #[text]
    pub old_value: String,
    /// Value after.
    #[text]
    pub new_value: String,
    /// Account id of who changed it; empty for a deleted account.
    pub author_id: String,
    /// Display name of who changed it.
    pub author_name: String,
    /// When it was changed (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
}
