//! `repo_languages`.

use headwater_macros::table;

/// How much of a repository is written in one language.
#[table("repo_languages")]
pub struct Model {
    /// Repository; joins `repos.id`.
    #[key]
    pub repo_id: String,
    /// Language.
    #[key]
    pub language: String,
    /// Bytes.
    pub bytes: Option<i64>,
}
