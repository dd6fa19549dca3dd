//! `sprints`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One sprint.
#[table("sprints")]
pub struct Model {
    /// Id, as imported.
    #[key]
    pub id: String,
    /// Name.
    pub name: String,
    /// Page of the sprint.
    pub url: String,
    /// FUTURE, ACTIVE or CLOSED.
    #[width(100)]
    pub status: String,
    /// When it began (UTC).
    pub started_date: Option<DateTime<Utc>>,
    /// When it was to end (UTC).
    pub ended_date: Option<DateTime<Utc>>,
    /// When it was closed (UTC).
    pub completed_date: Option<DateTime<Utc>>,
    /// Board that it was made on.
    pub original_board_id: String,
}
