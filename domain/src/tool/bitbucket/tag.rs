//! `_tool_bitbucket_tags`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One tag, with the commit it points to.
pub struct Tags;

impl Stream for Tags {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "tags";
    const DESCRIBES: &'static str = "One tag, with the commit it points to.";
}

/// One tag of one repository.
#[table("_tool_bitbucket_tags")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Name of the tag.
    #[key]
    pub name: String,
    /// Commit it points to.
    #[width(40)]
    pub commit_sha: String,
    /// Date of that commit (UTC).
    pub commit_date: Option<DateTime<Utc>>,
    /// Message of an annotated tag.
    #[text]
    pub message: String,
    /// Who made an annotated tag, as git has it.
    #[text]
    pub tagger: String,
    /// When an annotated tag was made (UTC); null for others.
    pub tagged_at: Option<DateTime<Utc>>,
}
