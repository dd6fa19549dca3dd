//! `boards`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One board of issues; for Bitbucket one repository.
#[table("boards")]
pub struct Model {
    /// Domain id, the repository's.
    #[key]
    pub id: String,
    /// Full name, `workspace/slug`.
    pub name: String,
    /// Description of the repository.
    #[text]
    pub description: String,
    /// Page of the repository's issues.
    pub url: String,
    /// When the repository was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// Empty for Bitbucket.
    pub r#type: String,
}
