//! `issue_custom_array_fields`.

use headwater_macros::table;

/// One value of a field with several values.
#[table("issue_custom_array_fields")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Field.
    #[key]
    pub field_id: String,
    /// Value.
    #[key]
    pub field_value: String,
}
