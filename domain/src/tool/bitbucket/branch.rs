//! `_tool_bitbucket_branches`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One branch, with the commit it points to.
pub struct Branches;

impl Stream for Branches {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "branches";
    const DESCRIBES: &'static str = "One branch, with the commit it points to.";
}

/// One branch of one repository.
#[table("_tool_bitbucket_branches")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Name of the branch.
    #[key]
    pub name: String,
    /// Commit it points to.
    #[width(40)]
    pub commit_sha: String,
    /// Date of that commit (UTC).
    pub commit_date: Option<DateTime<Utc>>,
}
