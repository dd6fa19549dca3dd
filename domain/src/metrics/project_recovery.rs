//! `project_recoveries`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One recovery from a failed deployment of a project: a resolved incident, or a repair.
#[table("project_recoveries")]
pub struct Model {
    /// Deployment that failed; joins `project_deployments.id`.
    #[key]
    pub deployment_id: String,
    /// Project; joins `projects.name`.
    #[key]
    #[width(100)]
    pub project_name: String,
    /// Incident that was resolved; empty where another deployment repaired.
    #[key]
    pub incident_id: String,
    /// When the incident was resolved, or the repairing deployment ended (UTC).
    pub recovered_date: Option<DateTime<Utc>>,
}
