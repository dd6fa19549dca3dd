//! `project_metric_settings`.

use headwater_macros::table;

/// Which metrics are computed of a project.
#[table("project_metric_settings")]
pub struct Model {
    /// Project; joins `projects.name`.
    #[key]
    pub project_name: String,
    /// dora.
    #[key]
    pub plugin_name: String,
    /// Options, as a JSON object.
    #[text]
    pub plugin_option: String,
    /// True where they are computed.
    pub enable: bool,
}
