//! `_tool_bitbucket_projects`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One project, which is a group of repositories of a workspace.
pub struct Projects;

impl Stream for Projects {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "projects";
    const DESCRIBES: &'static str = "One project, which is a group of repositories of a workspace.";
    const OF_WORKSPACE: bool = true;
}

/// One project, which is a group of repositories of a workspace.
#[table("_tool_bitbucket_projects")]
pub struct Model {
    /// Connection the workspace is read through.
    #[key]
    pub connection_id: i64,
    /// Short name of the workspace.
    #[key]
    pub workspace: String,
    /// Key of the project; joins `_tool_bitbucket_repos.project_key`.
    #[key]
    pub project_key: String,
    /// Stable id, in braces.
    pub uuid: String,
    /// Name shown to people.
    pub name: String,
    /// Description as typed by its owner; empty when there is none.
    #[text]
    pub description: String,
    /// True when only members can see it.
    pub is_private: bool,
    /// Page a person can open.
    pub html_url: String,
    /// When the project was made (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When the project last changed (UTC).
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}
