//! `pull_request_commits`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One commit of one pull request.
#[table("pull_request_commits")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Full hash of the commit.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Author's name as git has it.
    pub commit_author_name: String,
    /// Author's e-mail as git has it.
    pub commit_author_email: String,
    /// Date of the commit (UTC).
    pub commit_authored_date: Option<DateTime<Utc>>,
}
