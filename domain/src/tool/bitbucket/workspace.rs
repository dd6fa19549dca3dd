//! `_tool_bitbucket_workspaces`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One workspace that repositories are collected of.
pub struct Workspaces;

impl Stream for Workspaces {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "workspaces";
    const DESCRIBES: &'static str = "One workspace that repositories are collected of.";
    const OF_WORKSPACE: bool = true;
}

/// One workspace that repositories are collected of.
#[table("_tool_bitbucket_workspaces")]
pub struct Model {
    /// Connection the workspace is read through.
    #[key]
    pub connection_id: i64,
    /// Short name in addresses.
    #[key]
    pub slug: String,
    /// Stable id, in braces; survives a rename.
    pub uuid: String,
    /// Name shown to people.
    pub name: String,
    /// True when only members can see it.
    pub is_private: bool,
    /// Page a person can open.
    pub html_url: String,
    /// When the workspace was opened (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
}
