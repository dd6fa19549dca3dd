//! `pull_request_assignees`.

use headwater_macros::table;

/// A person who is assigned to a pull request.
#[table("pull_request_assignees")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Person; joins `accounts.id`.
    #[key]
    pub assignee_id: String,
    /// Display name.
    pub name: String,
    /// User name.
    pub user_name: String,
}
