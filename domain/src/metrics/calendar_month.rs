//! `calendar_months`.

use chrono::{DateTime, Utc};
use headwater_macros::table;

/// One month of a calendar, for charts that show empty ones too.
#[table("calendar_months")]
pub struct Model {
    /// Last two digits of the year and number of the month, as `24/01`.
    #[key]
    #[width(20)]
    pub month: String,
    /// Its first day (UTC).
    pub month_timestamp: Option<DateTime<Utc>>,
}
