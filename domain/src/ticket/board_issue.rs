//! `board_issues`.

use headwater_macros::table;

/// One issue of one board.
#[table("board_issues")]
pub struct Model {
    /// Board, the repository; joins `boards.id`.
    #[key]
    pub board_id: String,
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
}
