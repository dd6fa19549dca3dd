//! `commit_files`.

use headwater_macros::table;

/// One file that one commit changed.
#[table("commit_files")]
pub struct Model {
    /// Domain id, `<sha>:<SHA-256 of the path's bytes, in hexadecimal>`.
    #[key]
    pub id: String,
    /// Commit; joins `commits.sha`.
    #[width(40)]
    pub commit_sha: String,
    /// Path after the commit; of a removed file the one it had.
    #[text]
    pub file_path: String,
    /// Lines added; 0 for a binary file.
    pub additions: i64,
    /// Lines removed; 0 for a binary file.
    pub deletions: i64,
}
