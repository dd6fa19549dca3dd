//! `issues`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One issue.
#[table("issues")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssue:<connection>:<repository>:<number>`.
    #[key]
    pub id: String,
    /// Page of the issue.
    pub url: String,
    /// Always empty.
    pub icon_url: String,
    /// Number of the issue.
    pub issue_key: String,
    /// Title.
    #[text]
    pub title: String,
    /// Description, Markdown as typed.
    #[text]
    pub description: String,
    /// Always empty.
    pub epic_key: String,
    /// BUG, REQUIREMENT, INCIDENT or what the rules say.
    #[width(100)]
    pub r#type: String,
    /// The kind in Bitbucket's words.
    #[width(500)]
    pub original_type: String,
    /// TODO, `IN_PROGRESS`, DONE or OTHER.
    #[width(100)]
    pub status: String,
    /// The state in Bitbucket's words.
    #[width(100)]
    pub original_status: String,
    /// Always null.
    pub story_point: Option<i64>,
    /// When it was resolved (UTC); null while it is not.
    pub resolution_date: Option<DateTime<Utc>>,
    /// When it was reported (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    pub updated_date: Option<DateTime<Utc>>,
    /// Whole minutes from report to resolution; null while it is not resolved.
    pub lead_time_minutes: Option<i64>,
    /// Always null.
    pub original_estimate_minutes: Option<i64>,
    /// Always null.
    pub time_spent_minutes: Option<i64>,
    /// Always null.
    pub time_remaining_minutes: Option<i64>,
    /// Who reported it; joins `accounts.id`.
    pub creator_id: String,
    /// Display name of the reporter.
    pub creator_name: String,
    /// Who works on it; joins `accounts.id`.
    pub assignee_id: String,
    /// Display name of the assignee.
    pub assignee_name: String,
    /// Always empty.
    pub parent_issue_id: String,
    /// Trivial, minor, major, critical or blocker.
    pub priority: String,
    /// Always empty.
    pub severity: String,
    /// Always empty.
    pub urgency: String,
    /// Name of the component.
    pub component: String,
    /// Always empty.
    pub original_project: String,
    /// Always false.
    pub is_subtask: bool,
    /// Always null (UTC).
    pub due_date: Option<DateTime<Utc>>,
    /// Always empty.
    #[text]
    pub fix_versions: String,
}
