//! `_tool_bitbucket_commits`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One commit of the main branch.
pub struct Commits;

impl Stream for Commits {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "commits";
    const DESCRIBES: &'static str = "One commit of the main branch.";
}

/// One commit of the main branch of one repository.
#[table("_tool_bitbucket_commits")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Hash.
    #[key]
    #[width(40)]
    pub sha: String,
    /// Account id of the author; empty where no account has the address.
    pub author_id: String,
    /// Name of the author, as git has it.
    pub author_name: String,
    /// Address of the author, as git has it.
    pub author_email: String,
    /// Date that the API gives (UTC).
    pub authored_date: Option<DateTime<Utc>>,
    /// The same date (UTC).
    pub committed_date: Option<DateTime<Utc>>,
    /// Message.
    #[text]
    pub message: String,
    /// Address of the commit in the API.
    #[text]
    pub url: String,
    /// Always 0.
    pub additions: i64,
    /// Always 0.
    pub deletions: i64,
}
