//! `cicd_scopes`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One place where pipelines and deployments run; for Bitbucket one repository.
#[table("cicd_scopes")]
pub struct Model {
    /// Domain id, the repository's.
    #[key]
    pub id: String,
    /// Full name, `workspace/slug`.
    pub name: String,
    /// Description of the repository.
    #[text]
    pub description: String,
    /// Page of the repository's pipelines.
    pub url: String,
    /// When the repository was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When the repository last changed (UTC).
    pub updated_date: Option<DateTime<Utc>>,
}
