//! `teams`.

use headwater_macros::table;

/// One team.
#[table("teams")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// Name.
    pub name: String,
    /// Another name.
    pub alias: String,
    /// Team that it is part of; joins `teams.id`.
    pub parent_id: String,
    /// Place among other teams.
    pub sorting_index: Option<i64>,
}
