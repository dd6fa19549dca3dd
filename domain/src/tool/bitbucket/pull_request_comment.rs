//! `_tool_bitbucket_pull_request_comments`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One comment on a pull request.
pub struct PullRequestComments;

impl Stream for PullRequestComments {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_comments";
    const DESCRIBES: &'static str = "One comment on a pull request.";
}

/// One comment on one pull request.
#[table("_tool_bitbucket_pull_request_comments")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Id of the comment.
    #[key]
    pub bitbucket_id: i64,
    /// Full name of the repository, `workspace/slug`.
    pub repo_id: String,
    /// Number of the pull request.
    pub pull_request_id: i64,
    /// Account id of the author; empty for a deleted account.
    pub author_id: String,
    /// Display name of the author.
    pub author_name: String,
    /// When it was written (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it was last edited (UTC).
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// The payload's type, `pullrequest_comment`.
    pub r#type: String,
    /// Text, Markdown as typed.
    #[text]
    pub body: String,
    /// Comment this one answers; 0 for none.
    pub parent_id: i64,
    /// File it is attached to; empty for a general comment.
    #[text]
    pub inline_path: String,
    /// Line in the old version of the file.
    pub inline_from: Option<i64>,
    /// Line in the new version of the file.
    pub inline_to: Option<i64>,
    /// True when the comment was deleted and only its place remains.
    pub deleted: bool,
}
