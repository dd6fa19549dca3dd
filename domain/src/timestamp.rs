//! Times as every table stores them: UTC, whole milliseconds.

use chrono::{DateTime, Utc};

/// Cuts a time to whole milliseconds, the precision every database keeps.
#[must_use]
pub fn to_milliseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.timestamp_millis()).unwrap_or(time)
}

/// Fixed-width text that sorts like the time: `2023-02-20T09:38:47.203+00:00`.
#[must_use]
pub fn to_text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
}
