//! `_tool_bitbucket_issues`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

use crate::Stream;

/// One issue of the repository's tracker.
pub struct Issues;

impl Stream for Issues {
    const SOURCE: &'static str = super::SOURCE;
    const NAME: &'static str = "issues";
    const DESCRIBES: &'static str = "One issue of the repository's tracker.";
}

/// One issue of one repository.
#[table("_tool_bitbucket_issues")]
pub struct Model {
    /// Connection the repository is read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Number of the issue in its repository.
    #[key]
    pub bitbucket_id: i64,
    /// The same number, as DevLake repeats it.
    pub number: i64,
    /// New, open, resolved, on hold, invalid, duplicate, wontfix or closed.
    pub state: String,
    /// What the default rules make of the state: TODO, `IN_PROGRESS`, DONE or OTHER.
    pub std_state: String,
    /// Title.
    #[text]
    pub title: String,
    /// Description, Markdown as typed.
    #[text]
    pub body: String,
    /// Trivial, minor, major, critical or blocker.
    pub priority: String,
    /// Type of the record, always `issue`.
    #[width(100)]
    pub r#type: String,
    /// Bug, enhancement, proposal or task.
    pub kind: String,
    /// Account id of the reporter; empty for a deleted account.
    pub author_id: String,
    /// Display name of the reporter.
    pub author_name: String,
    /// Account id of the assignee; empty where there is none.
    pub assignee_id: String,
    /// Display name of the assignee.
    pub assignee_name: String,
    /// Id of the milestone; 0 for none.
    pub milestone_id: i64,
    /// Name of the milestone.
    #[text]
    pub milestone: String,
    /// Name of the version.
    #[text]
    pub version: String,
    /// Name of the component.
    #[text]
    pub component: String,
    /// Always null; the domain table has it.
    pub lead_time_minutes: Option<i64>,
    /// Address of the issue in the API.
    pub url: String,
    /// Page of the issue.
    #[text]
    pub html_url: String,
    /// Always null; the domain table has it (UTC).
    pub closed_at: Option<DateTime<Utc>>,
    /// Always empty.
    pub severity: String,
    /// When it was reported (UTC).
    pub bitbucket_created_at: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    pub bitbucket_updated_at: Option<DateTime<Utc>>,
}
