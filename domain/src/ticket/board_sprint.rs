//! `board_sprints`.

use headwater_macros::table;

/// A sprint of a board.
#[table("board_sprints")]
pub struct Model {
    /// Board; joins `boards.id`.
    #[key]
    pub board_id: String,
    /// Sprint; joins `sprints.id`.
    #[key]
    pub sprint_id: String,
}
