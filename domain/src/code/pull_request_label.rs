//! `pull_request_labels`.

use headwater_macros::table;

/// A label of a pull request.
#[table("pull_request_labels")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Label.
    #[key]
    pub label_name: String,
}
