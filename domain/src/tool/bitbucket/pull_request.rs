//! `_tool_bitbucket_pull_requests`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One pull request, in any of the four states, with its participants.
pub struct PullRequests;

impl Stream for PullRequests {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_requests";
    const DESCRIBES: &'static str =
        "One pull request, in any of the four states, with its participants.";
}

/// One pull request of one repository, as Bitbucket Cloud describes it.
#[table("_tool_bitbucket_pull_requests")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Number of the pull request in its repository.
    #[key]
    pub bitbucket_id: i64,
    /// The same number, as DevLake repeats it.
    pub number: i64,
    /// Full name of the repository it is merged into.
    pub base_repo_id: String,
    /// Full name of the repository it comes from; empty when the fork is gone.
    pub head_repo_id: String,
    /// OPEN, MERGED, DECLINED or SUPERSEDED, as the API says.
    pub state: String,
    /// Title.
    #[text]
    pub title: String,
    /// Description, Markdown as typed.
    #[text]
    pub description: String,
    /// When it was opened (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
    /// Not in the API's answers; empty.
    pub closed_at: Option<DateTime<Utc>>,
    /// Comments that are not deleted.
    pub comment_count: i64,
    /// Not in the API's answers; 0.
    pub commits: i64,
    /// Date of the merge commit where the payload has it (UTC).
    pub merged_at: Option<DateTime<Utc>>,
    /// Never filled; the text is in `description`.
    #[text]
    pub body: String,
    /// The payload's type, `pullrequest`.
    pub r#type: String,
    /// Not in the API's answers; empty.
    pub component: String,
    /// Merge commit, 12 characters as the API gives it.
    #[width(40)]
    pub merge_commit_sha: String,
    /// Source branch.
    pub head_ref: String,
    /// Destination branch.
    pub base_ref: String,
    /// Destination commit, 12 characters.
    #[width(40)]
    pub base_commit_sha: String,
    /// Source commit, 12 characters.
    #[width(40)]
    pub head_commit_sha: String,
    /// Page a person can open.
    pub url: String,
    /// Display name of the author; empty for a deleted account.
    pub author_name: String,
    /// Account id of the author; empty for a deleted account.
    pub author_id: String,
    /// Display name of who closed it, whatever the state.
    #[width(100)]
    pub merged_by_name: String,
    /// Account id of who closed it, whatever the state.
    #[width(100)]
    pub merged_by_id: String,
    /// True while it is marked as a draft.
    pub is_draft: bool,
    /// Tasks on the pull request.
    pub task_count: i64,
}
