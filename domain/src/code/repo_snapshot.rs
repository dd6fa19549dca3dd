//! `repo_snapshot`.

use headwater_macros::table;

/// The commit that last changed one line of a file.
#[table("repo_snapshot")]
pub struct Model {
    /// Repository; joins `repos.id`.
    #[key]
    pub repo_id: String,
    /// Commit; joins `commits.sha`.
    #[key]
    #[width(40)]
    pub commit_sha: String,
    /// Path.
    #[key]
    pub file_path: String,
    /// Number of the line.
    #[key]
    pub line_no: i64,
}
