//! `unlinked_incidents`.

use headwater_macros::table;

/// An incident of a project without a deployment that caused it.
#[table("unlinked_incidents")]
pub struct Model {
    /// Incident; joins `incidents.id`.
    #[key]
    pub id: String,
    /// Project; joins `projects.name`.
    #[key]
    #[width(100)]
    pub project_name: String,
    /// Why there is none.
    #[width(40)]
    pub reason: String,
}
