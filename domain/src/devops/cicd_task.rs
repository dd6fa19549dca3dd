//! `cicd_tasks`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One step of a pipeline that has started.
#[table("cicd_tasks")]
pub struct Model {
    /// Domain id.
    #[key]
    pub id: String,
    /// Name of the step.
    pub name: String,
    /// Pipeline; joins `cicd_pipelines.id`.
    pub pipeline_id: String,
    /// SUCCESS, FAILURE or empty.
    #[width(100)]
    pub result: String,
    /// `IN_PROGRESS`, DONE or OTHER.
    #[width(100)]
    pub status: String,
    /// Status as Bitbucket spells it.
    #[width(100)]
    pub original_status: String,
    /// Result as Bitbucket spells it.
    #[width(100)]
    pub original_result: String,
    /// DEPLOYMENT or empty.
    #[width(100)]
    pub r#type: String,
    /// PRODUCTION, STAGING, TESTING, DEVELOPMENT or empty.
    pub environment: String,
    /// How long it ran, in seconds.
    pub duration_sec: i64,
    /// How long it waited, in seconds.
    pub queued_duration_sec: Option<i64>,
    /// When it was created (UTC).
    pub created_date: Option<DateTime<Utc>>,
    /// When it was queued (UTC).
    pub queued_date: Option<DateTime<Utc>>,
    /// When it started (UTC).
    pub started_date: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub finished_date: Option<DateTime<Utc>>,
    /// Where it ran; joins `cicd_scopes.id`.
    pub cicd_scope_id: String,
}
