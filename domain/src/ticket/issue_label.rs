//! `issue_labels`.

use headwater_macros::table;

/// One label of one issue: its component, milestone or version.
#[table("issue_labels")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Component, milestone or version of the issue.
    #[key]
    pub label_name: String,
}
