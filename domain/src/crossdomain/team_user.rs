//! `team_users`.

use headwater_macros::table;

/// One member of a team.
#[table("team_users")]
pub struct Model {
    /// Team; joins `teams.id`.
    #[key]
    pub team_id: String,
    /// Person; joins `users.id`.
    #[key]
    pub user_id: String,
}
