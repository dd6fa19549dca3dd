//! `pull_requests`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One pull request.
#[table("pull_requests")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketPullRequest:<connection>:<workspace/slug>:<number>`.
    #[key]
    pub id: String,
    /// Repository it is merged into; joins `repos.id`.
    pub base_repo_id: String,
    /// Repository it comes from; ends in `:` when the fork is gone.
    pub head_repo_id: String,
    /// OPEN, CLOSED or MERGED.
    #[width(100)]
    pub status: String,
    /// State as the source says it.
    #[width(100)]
    pub original_status: String,
    /// Title.
    #[text]
    pub title: String,
    /// Description, Markdown as typed.
    #[text]
    pub description: String,
    /// Page a person can open.
    pub url: String,
    /// Display name of the author.
    #[width(100)]
    pub author_name: String,
    /// Author; joins `accounts.id`.
    #[width(100)]
    pub author_id: String,
    /// Display name of who merged it; empty unless MERGED.
    #[width(100)]
    pub merged_by_name: String,
    /// Who merged it; joins `accounts.id`; empty unless MERGED.
    #[width(100)]
    pub merged_by_id: String,
    /// Pull request this one was cherry-picked from; empty.
    #[width(100)]
    pub parent_pr_id: String,
    /// Number of the pull request in its repository.
    pub pull_request_key: i64,
    /// When it was opened (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it was merged (UTC), from the activity log.
    pub merged_date: Option<DateTime<Utc>>,
    /// When it was merged or declined (UTC), from the activity log.
    pub closed_date: Option<DateTime<Utc>>,
    /// The payload's type, `pullrequest`.
    #[width(100)]
    pub r#type: String,
    /// Empty for Bitbucket.
    #[width(100)]
    pub component: String,
    /// Merge commit; short until the full hash is known.
    #[width(40)]
    pub merge_commit_sha: String,
    /// Source branch.
    pub head_ref: String,
    /// Destination branch.
    pub base_ref: String,
    /// Destination commit; short until the full hash is known.
    #[width(40)]
    pub base_commit_sha: String,
    /// Source commit; short until the full hash is known.
    #[width(40)]
    pub head_commit_sha: String,
    /// Lines added; none until they are known, from the list of changed files, else counted by git.
    pub additions: Option<i64>,
    /// Lines removed; none until they are known.
    pub deletions: Option<i64>,
    /// Files changed; none until they are known.
    pub changed_files: Option<i64>,
    /// True while it is marked as a draft.
    pub is_draft: bool,
}
