//! `pull_request_merges`.

use headwater_macros::table;

/// One commit that a merged pull request added or became.
#[table("pull_request_merges")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// Commit; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// How it was found: ANCESTRY, PATCH-ID or NUMBER.
    #[width(20)]
    pub method: String,
    /// True for the commit with which all of the pull request is there.
    pub is_tip: bool,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
}
