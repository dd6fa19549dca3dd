//! What an engine needs from outside while it works.

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

/// The run's clock, its cancellation, and who wants to know how far it is.
pub struct StepContext<'a> {
    /// The time that written rows carry (UTC).
    pub now: DateTime<Utc>,
    /// Ends the work at the next page.
    pub cancel: &'a CancellationToken,
    /// Receives the number of items done since its last call.
    pub progress: &'a (dyn Fn(u64) + Send + Sync),
}
