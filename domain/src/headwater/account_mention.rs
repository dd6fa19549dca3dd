//! `_headwater_account_mentions`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// How often one stream of one repository gives one description of an account.
///
/// The accounts table is computed from these rows.
#[table("_headwater_account_mentions")]
pub struct Model {
    /// Connection the items were read through.
    #[key]
    pub connection_id: i64,
    /// Full name of the repository, `workspace/slug`.
    #[key]
    pub repo_id: String,
    /// Stream of the items.
    #[key]
    #[width(100)]
    pub source: String,
    /// Atlassian account id; where there is none, the UUID in braces.
    #[key]
    pub account_id: String,
    /// Content hash of the description.
    #[key]
    #[width(40)]
    pub profile_id: String,
    /// Number of items that give it.
    pub mentions: i64,
    /// When the newest of them last changed, as the source says (UTC); none where it says nothing.
    pub seen_at: Option<DateTime<Utc>>,
    /// Key of the newest of them: parent and own key.
    #[width(520)]
    pub item: String,
}
