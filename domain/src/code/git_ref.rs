//! `refs`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One branch or tag.
#[table("refs")]
pub struct Model {
    /// Domain id, the repository's and the name: `<repository id>:main`, `<repository
    /// id>:refs/tags/v1`.
    #[key]
    #[width(500)]
    pub id: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// Name of a branch; of a tag `refs/tags/` and its name.
    pub name: String,
    /// Commit it points to.
    #[width(40)]
    pub commit_sha: String,
    /// Whether it is the main branch.
    pub is_default: bool,
    /// BRANCH or TAG.
    pub ref_type: String,
    /// When an annotated tag was made (UTC); null for others.
    pub created_date: Option<DateTime<Utc>>,
}
