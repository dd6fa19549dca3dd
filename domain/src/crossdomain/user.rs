//! `users`.

use headwater_macros::table;

/// One person, whatever accounts they have.
#[table("users")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
}
