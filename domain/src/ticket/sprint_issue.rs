//! `sprint_issues`.

use headwater_macros::table;

/// An issue of a sprint.
#[table("sprint_issues")]
pub struct Model {
    /// Sprint; joins `sprints.id`.
    #[key]
    pub sprint_id: String,
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
}
