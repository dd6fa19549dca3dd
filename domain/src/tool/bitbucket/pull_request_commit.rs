//! `_tool_bitbucket_pull_request_commits`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One commit of a pull request.
pub struct PullRequestCommits;

impl Stream for PullRequestCommits {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "pull_request_commits";
    const DESCRIBES: &'static str = "One commit of a pull request.";
}

/// One commit of one pull request.
#[table("_tool_bitbucket_pull_request_commits")]
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
    /// Full hash of the commit.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Author's name as git has it.
    pub commit_author_name: String,
    /// Author's e-mail as git has it.
    pub commit_author_email: String,
    /// Account of the author; empty where Bitbucket knows none.
    pub commit_author_id: String,
    /// Date of the commit (UTC).
    pub commit_authored_date: Option<DateTime<Utc>>,
    /// Issues that the message names, as written, with a space between them.
    #[text]
    pub mentions: String,
}
