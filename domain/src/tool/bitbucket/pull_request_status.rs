//! `_tool_bitbucket_pull_request_statuses`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One status that a build or check gave to a commit of a pull request.
pub struct PullRequestStatuses;

impl Stream for PullRequestStatuses {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_statuses";
    const DESCRIBES: &'static str =
        "One status that a build or check gave to a commit of a pull request.";
}

/// One status that a build or check gave to a commit of a pull request.
#[table("_tool_bitbucket_pull_request_statuses")]
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
    /// Hash of the commit.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// What tells the checks of a commit apart.
    #[key]
    #[width(200)]
    pub status_key: String,
    /// SUCCESSFUL, FAILED, INPROGRESS or STOPPED.
    #[width(100)]
    pub state: String,
    /// Name of the check.
    pub name: String,
    /// What the check says of itself.
    #[text]
    pub description: String,
    /// Page of the check.
    #[text]
    pub url: String,
    /// Branch or tag that was checked.
    pub ref_name: String,
    /// When the status was first given (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When the status last changed (UTC).
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}
