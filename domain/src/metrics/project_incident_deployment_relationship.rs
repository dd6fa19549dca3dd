//! `project_incident_deployment_relationships`.

use headwater_macros::table;

/// The deployment that probably caused an incident, in a project.
#[table("project_incident_deployment_relationships")]
pub struct Model {
    /// Incident; joins `incidents.id`.
    #[key]
    pub id: String,
    /// Project; joins `projects.name`.
    #[key]
    #[width(100)]
    pub project_name: String,
    /// Deployment; joins `cicd_deployment_commits.cicd_deployment_id`.
    pub deployment_id: String,
    /// How it was found: EXPLICIT, REPOSITORY or PROJECT.
    #[width(20)]
    pub method: String,
    /// How sure that is: 1.0, 0.8, 0.5 or 0.3.
    pub confidence: f64,
}
