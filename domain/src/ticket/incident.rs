//! `incidents`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One incident.
#[table("incidents")]
pub struct Model {
    /// Domain id: that of the issue, or as imported.
    #[key]
    pub id: String,
    /// Page of the incident.
    pub url: String,
    /// Number or key that people see.
    pub incident_key: String,
    /// Title.
    #[text]
    pub title: String,
    /// Description as typed.
    #[text]
    pub description: String,
    /// TODO, `IN_PROGRESS`, DONE or OTHER.
    #[width(100)]
    pub status: String,
    /// Status as its source spells it.
    #[width(100)]
    pub original_status: String,
    /// When it was resolved (UTC); null while it is not.
    pub resolution_date: Option<DateTime<Utc>>,
    /// When it began or was reported (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it last changed (UTC).
    pub updated_date: Option<DateTime<Utc>>,
    /// Minutes from report to resolution; null while it is not resolved.
    pub lead_time_minutes: Option<i64>,
    /// Estimated minutes; null where unknown.
    pub original_estimate_minutes: Option<i64>,
    /// Minutes that were worked on it; null where unknown.
    pub time_spent_minutes: Option<i64>,
    /// Minutes of work that are left; null where unknown.
    pub time_remaining_minutes: Option<i64>,
    /// Who reported it; joins `accounts.id`.
    pub creator_id: String,
    /// Display name of the reporter.
    pub creator_name: String,
    /// Incident that it belongs to.
    pub parent_incident_id: String,
    /// Priority in the words of its source.
    pub priority: String,
    /// Severity in the words of its source.
    pub severity: String,
    /// Urgency in the words of its source.
    pub urgency: String,
    /// Component or service that it is about.
    pub component: String,
    /// Project in the words of its source.
    pub original_project: String,
    /// Table of its scope: boards for an issue.
    pub table: String,
    /// Scope in that table; for an issue the smallest board that a project maps.
    pub scope_id: String,
    /// Who works on it; joins `accounts.id`.
    pub assignee_id: String,
    /// Display name of the assignee.
    pub assignee_name: String,
    /// Deployment that caused it, where its source says so; joins `cicd_deployments.id`.
    pub deployment_id: String,
}
