//! How long to wait before a request is tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
use reqwest::header::HeaderValue;
use tokio_util::sync::CancellationToken;

use crate::error::RequestErrorKind as Kind;

/// First pause; each further one is twice as long. Tests do not wait.
const FIRST: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// Longest pause that a server may ask for: the rate limit's own window.
const LONGEST: Duration = Duration::from_hours(1);

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
    fn each_pause_is_at_most_twice_the_one_before_until_they_stop_growing() {
        for attempt in 1..20 {
            let longest = FIRST * 2u32.pow((attempt - 1).min(7));
            for _ in 0..50 {
                let pause = backoff(attempt);
                assert!(
                    pause >= longest / 2 && pause <= longest,
                    "{attempt}: {pause:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_decides_how_long_to_wait_up_to_an_hour() {
        let cases = [
            (Some(0), 0..=1),
            (Some(7), 7..=8),
            (Some(1_000_000), 3600..=3601),
            (None, 0..=1),
        ];
        for (asked, expected) in cases {
            let kind = Kind::Unavailable {
                status: 429,
                message: String::new(),
                retry_after: asked.map(Duration::from_secs),
            };
            let began = tokio::time::Instant::now();
            before_retry(1, &kind, &CancellationToken::new())
                .await
                .unwrap();
            assert!(expected.contains(&began.elapsed().as_secs()), "{asked:?}");
        }
    }

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
