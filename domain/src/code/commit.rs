//! `commits`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One commit.
#[table("commits")]
pub struct Model {
    /// Hash.
    #[key]
    #[width(40)]
    pub sha: String,
    /// Lines added, as git counts them; 0 for a merge, and where lines are not counted.
    pub additions: i64,
    /// Lines removed, likewise.
    pub deletions: i64,
    /// Always 0.
    pub dev_eq: i64,
    /// Message.
    #[text]
    pub message: String,
    /// Name of the author, as git has it.
    pub author_name: String,
    /// Address of the author, as git has it.
    pub author_email: String,
    /// When it was written (UTC).
    pub authored_date: Option<DateTime<Utc>>,
    /// Account of the author, joins `accounts.id`; else the address.
    pub author_id: String,
    /// Likewise of the committer; where only the API was asked, as the author.
    pub committer_name: String,
    /// Likewise of the committer; where only the API was asked, as the author.
    pub committer_email: String,
    /// When it was written (UTC).
    pub committed_date: Option<DateTime<Utc>>,
    /// Likewise of the committer; where only the API was asked, as the author.
    pub committer_id: String,
}
