//! `incident_assignees`.

use headwater_macros::table;

/// One person who works on an incident.
#[table("incident_assignees")]
pub struct Model {
    /// Incident; joins `incidents.id`.
    #[key]
    pub incident_id: String,
    /// Person; joins `accounts.id`.
    #[key]
    pub assignee_id: String,
    /// Display name.
    pub assignee_name: String,
}
