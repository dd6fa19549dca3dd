//! `issue_worklogs`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// Time that a person logged on an issue.
#[table("issue_worklogs")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// Who worked; joins `accounts.id`.
    pub author_id: String,
    /// What was done.
    #[text]
    pub comment: String,
    /// Minutes.
    pub time_spent_minutes: Option<i64>,
    /// When it was logged (UTC).
    pub logged_date: Option<DateTime<Utc>>,
    /// When the work began (UTC).
    pub started_date: Option<DateTime<Utc>>,
    /// Issue; joins `issues.id`.
    pub issue_id: String,
}
