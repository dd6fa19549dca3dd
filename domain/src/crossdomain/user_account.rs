//! `user_accounts`.

use headwater_macros::table;

/// Whose account one is.
#[table("user_accounts")]
pub struct Model {
    /// Person; joins `users.id`.
    pub user_id: String,
    /// Account; joins `accounts.id`.
    #[key]
    pub account_id: String,
}
