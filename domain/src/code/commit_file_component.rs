//! `commit_file_components`.

use headwater_macros::table;

/// The component that a changed file belongs to.
#[table("commit_file_components")]
pub struct Model {
    /// File; joins `commit_files.id`.
    #[key]
    pub commit_file_id: String,
    /// Component; joins `components.name`.
    pub component_name: String,
}
