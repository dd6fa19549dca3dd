//! `issue_relationships`.

use headwater_macros::table;

/// How one issue relates to another.
#[table("issue_relationships")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub source_issue_id: String,
    /// Other issue; joins `issues.id`.
    #[key]
    pub target_issue_id: String,
    /// Relation in the words of its source.
    #[key]
    pub original_type: String,
}
