//! Whether a request is tried again, and how long it waits before that.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
use reqwest::header::HeaderValue;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{RequestErrorKind as Kind, Verdict};

/// Tries of one request, the first included; those that met the rate limit are counted apart.
pub(super) const MAX_ATTEMPTS: u32 = 5;

/// Times that one request may meet the rate limit. Each pause is longer than the one before, so
/// that the time below is reached first.
pub(super) const MAX_REFUSALS: u32 = if cfg!(test) { 8 } else { 50 };

/// Time in which one request may meet the rate limit. After two windows another client uses up all
/// there is, and a person should know.
const MAX_LIMITED: Duration = Duration::from_hours(2);

/// First pause; each further one is twice as long. Tests do not wait.
const FIRST: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// Longest pause that a server may ask for: the rate limit's own window.
const LONGEST: Duration = Duration::from_hours(1);

/// What one request has gone through.
#[derive(Debug, Default)]
pub(super) struct Patience {
    attempts: u32,
    refusals: u32,
    limited_since: Option<Instant>,
}

/// What follows for a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is reported.
    GiveUp,
    /// It is tried again when the pace of all requests allows it.
    WithThePace,
    /// It is tried again after a pause of its own.
    After(Duration),
}

impl Patience {
    /// What follows after this failure.
    pub(super) fn after(&mut self, kind: &Kind) -> Next {
        if kind.verdict() != Verdict::Retry {
            return Next::GiveUp;
        }
        let asked = match kind {
            Kind::Unavailable { status: 429, .. } => return self.after_refusal(),
            Kind::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        };
        self.attempts += 1;
        if self.attempts >= MAX_ATTEMPTS {
            return Next::GiveUp;
        }
        let pause = asked.unwrap_or_else(|| backoff(self.attempts));
        Next::After(pause.min(LONGEST))
    }

    /// The rate limit is no fault of the request, so it waits as long as that can take.
    fn after_refusal(&mut self) -> Next {
        self.refusals += 1;
        let since = *self.limited_since.get_or_insert_with(Instant::now);
        if self.refusals >= MAX_REFUSALS || since.elapsed() > MAX_LIMITED {
            return Next::GiveUp;
        }
        Next::WithThePace
    }
}

/// Waits.
///
/// # Errors
/// When cancelled.
pub(super) async fn pause(pause: Duration, cancel: &CancellationToken) -> Result<(), ()> {
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

/// `Retry-After` in seconds, or as a date where a clock is known: best the server's own.
pub(super) fn retry_after(
    value: Option<&HeaderValue>,
    now: Option<DateTime<Utc>>,
) -> Option<Duration> {
    let text = value?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
    (at - now?).to_std().ok()
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

    fn unavailable(status: u16, asked: Option<u64>) -> Kind {
        Kind::Unavailable {
            status,
            message: String::new(),
            retry_after: asked.map(Duration::from_secs),
        }
    }

    #[test]
    fn the_server_decides_how_long_to_wait_up_to_an_hour() {
        for (asked, expected) in [(0, 0), (7, 7), (1_000_000, 3600)] {
            let next = Patience::default().after(&unavailable(503, Some(asked)));
            assert_eq!(next, Next::After(Duration::from_secs(expected)));
        }
        let next = Patience::default().after(&unavailable(503, None));
        assert!(
            matches!(next, Next::After(pause) if pause <= FIRST),
            "{next:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_limit_may_take_two_hours_of_a_request_and_no_attempt() {
        let mut patience = Patience::default();
        for _ in 0..4 {
            assert_eq!(patience.after(&unavailable(429, None)), Next::WithThePace);
            tokio::time::advance(Duration::from_mins(30)).await;
        }
        for _ in 1..MAX_ATTEMPTS {
            let next = patience.after(&unavailable(500, None));
            assert!(matches!(next, Next::After(_)), "{next:?}");
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(patience.after(&unavailable(429, None)), Next::GiveUp);
        assert_eq!(patience.after(&unavailable(500, None)), Next::GiveUp);
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
