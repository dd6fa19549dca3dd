//! `commit_mentions`.

use headwater_macros::table;

/// One name of an issue in the message of one commit of one repository, whether or not there is
/// such an issue.
#[table("commit_mentions")]
pub struct Model {
    /// Repository and commit in one; joins `repo_commits.source_id`.
    #[key]
    #[width(500)]
    pub source_id: String,
    /// The name as written: `#12` or `ABC-12`.
    #[key]
    #[width(64)]
    pub mention: String,
    /// Commit; joins `commits.sha`.
    #[width(40)]
    pub commit_sha: String,
    /// Of `#12` the issue of the repository's own tracker, as `issues.id` would be; else empty.
    pub issue_id: String,
}
