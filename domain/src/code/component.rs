//! `components`.

use headwater_macros::table;

/// A part of a repository.
#[table("components")]
pub struct Model {
    /// Name.
    #[key]
    pub name: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// Paths of its files.
    pub path_regex: String,
}
