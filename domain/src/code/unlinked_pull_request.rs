//! `unlinked_pull_requests`.

use headwater_macros::table;

/// One merged pull request of which no commit was found, and why.
#[table("unlinked_pull_requests")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// What was looked for and why it was not found, in words.
    #[text]
    pub reason: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
}
