//! `commit_line_change`.

use headwater_macros::table;

/// One line that a commit changed.
#[table("commit_line_change")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// Commit; joins `commits.sha`.
    #[width(40)]
    pub commit_sha: String,
    /// Path after the commit.
    pub new_file_path: String,
    /// Number of the line after the commit.
    pub line_no_new: Option<i64>,
    /// Number of the line before the commit.
    pub line_no_old: Option<i64>,
    /// Path before the commit.
    pub old_file_path: String,
    /// Number of the hunk.
    pub hunk_num: Option<i64>,
    /// Added or deleted.
    pub changed_type: String,
    /// Commit that last changed the line before.
    pub prev_commit: String,
}
