//! `repo_commits`.

use headwater_macros::table;

/// One commit that one repository has: by git any, by the API one of the main branch.
#[table("repo_commits")]
pub struct Model {
    /// Repository; joins `repos.id`.
    #[key]
    pub repo_id: String,
    /// Commit; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Repository and commit in one: `<repository id>:<sha>`.
    #[width(500)]
    pub source_id: String,
}
