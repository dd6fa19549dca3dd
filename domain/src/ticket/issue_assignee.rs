//! `issue_assignees`.

use headwater_macros::table;

/// One person who works on one issue.
#[table("issue_assignees")]
pub struct Model {
    /// Issue; joins `issues.id`.
    #[key]
    pub issue_id: String,
    /// Who works on it; joins `accounts.id`.
    #[key]
    pub assignee_id: String,
    /// Display name of the assignee.
    pub assignee_name: String,
}
