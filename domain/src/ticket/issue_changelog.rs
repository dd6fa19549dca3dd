//! `issue_changelogs`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One attribute of one issue that changed.
#[table("issue_changelogs")]
pub struct Model {
    /// Domain id, `bitbucket:BitbucketIssueChange:<connection>:<repository>:<number>:<change
    /// id>:<field>`.
    #[key]
    pub id: String,
    /// Issue; joins `issues.id`.
    pub issue_id: String,
    /// Who changed it; joins `accounts.id`.
    pub author_id: String,
    /// Display name of who changed it.
    pub author_name: String,
    /// Attribute that changed, in Bitbucket's words.
    pub field_id: String,
    /// `status` and `type` for `state` and `kind`, else as `field_id`.
    pub field_name: String,
    /// Value before, in Bitbucket's words.
    #[text]
    pub original_from_value: String,
    /// Value after, in Bitbucket's words.
    #[text]
    pub original_to_value: String,
    /// Value before; of a status by the rules.
    #[text]
    pub from_value: String,
    /// Value after; of a status by the rules.
    #[text]
    pub to_value: String,
    /// When it was changed (UTC).
    pub created_date: Option<DateTime<Utc>>,
}
