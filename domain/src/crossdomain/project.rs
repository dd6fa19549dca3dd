//! `projects`.

use headwater_macros::table;

/// One project: repositories and boards that are measured together.
#[table("projects")]
pub struct Model {
    /// Name, as in the configuration.
    #[key]
    pub name: String,
    /// What it is; empty unless imported.
    #[text]
    pub description: String,
}
