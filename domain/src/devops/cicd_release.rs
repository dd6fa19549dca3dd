//! `cicd_releases`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// A published release.
#[table("cicd_releases")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// When it was published (UTC).
    pub published_at: Option<DateTime<Utc>>,
    /// Where it belongs; joins `cicd_scopes.id`.
    pub cicd_scope_id: String,
    /// Name.
    pub name: String,
    /// Title that people see.
    pub display_title: String,
    /// Notes.
    #[text]
    pub description: String,
    /// Page of the release.
    #[text]
    pub url: String,
    /// True for a draft.
    pub is_draft: bool,
    /// True for the newest.
    pub is_latest: bool,
    /// True before a release.
    pub is_prerelease: bool,
    /// Who made it; joins `accounts.id`.
    pub author_id: String,
    /// Repository; joins `repos.id`.
    pub repo_id: String,
    /// Tag.
    #[text]
    pub tag_name: String,
    /// Commit; joins `commits.sha`.
    #[text]
    pub commit_sha: String,
}
