//! How long to wait before a request is tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
use reqwest::header::HeaderValue;
use tokio_util::sync::CancellationToken;

use crate::error::RequestErrorKind as Kind;

/// First pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// Longest pause that a server may ask for: the rate limit's own window.
const LONGEST: Duration = Duration::from_secs(3600);

/// Waits as long as the server asks, else exponentially with jitter.
///
/// # Errors
/// When cancelled.
pub(super) async fn before_retry(
    attempt: u32,
    kind: &Kind,
    cancel: &CancellationToken,
) -> Result<(), ()> {
    let asked = match kind {
        Kind::Unavailable { retry_after, .. } => *retry_after,
        _ => None,
    };
    let pause = asked.unwrap_or_else(|| backoff(attempt)).min(LONGEST);
    tokio::select! {
        () = cancel.cancelled() => Err(()),
        () = tokio::time::sleep(pause) => Ok(()),
    }
}

/// Between half and all of the exponential pause, so that clients do not come back together.
fn backoff(attempt: u32) -> Duration {
    let full = FIRST * 2u32.saturating_pow(attempt.saturating_sub(1).min(7));
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// `Retry-After` in seconds or as a date, by the server's own clock.
pub(super) fn retry_after(
    value: Option<&HeaderValue>,
    server_now: Option<DateTime<Utc>>,
) -> Option<Duration> {
    let text = value?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
    (at - server_now?).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = DateTime::from_timestamp(1_790_000_000, 0);
        let cases = [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Mon, 21 Sep 2026 14:13:50 GMT", Some(30)),
            ("Mon, 21 Sep 2026 10:00:00 GMT", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            let value = HeaderValue::from_static(text);
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(Some(&value), now), expected, "{text}");
        }
    }
}
