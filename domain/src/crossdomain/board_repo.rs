//! `board_repos`.

use headwater_macros::table;

/// A repository that a board is about.
#[table("board_repos")]
pub struct Model {
    /// Board; joins `boards.id`.
    #[key]
    pub board_id: String,
    /// Repository; joins `repos.id`.
    #[key]
    pub repo_id: String,
}
