//! `pull_request_mentions`.

use headwater_macros::table;

/// One name of an issue that one pull request holds, whether or not there is such an issue.
#[table("pull_request_mentions")]
pub struct Model {
    /// Pull request; joins `pull_requests.id`.
    #[key]
    pub pull_request_id: String,
    /// The name as written: `#12` or `ABC-12`.
    #[key]
    #[width(64)]
    pub mention: String,
    /// Where it is written: title, branch or message (of a commit), the first of these.
    #[width(20)]
    pub place: String,
    /// Of `#12` the issue of the repository's own tracker, as `issues.id` would be; else empty.
    pub issue_id: String,
}
