//! `project_mapping`.

use headwater_macros::table;

/// One scope that belongs to a project.
#[table("project_mapping")]
pub struct Model {
    /// Project; joins `projects.name`.
    #[key]
    pub project_name: String,
    /// Table of the scope: repos, `cicd_scopes`, boards or that of an incident source.
    #[key]
    pub table: String,
    /// Id of the scope in that table.
    #[key]
    pub row_id: String,
}
