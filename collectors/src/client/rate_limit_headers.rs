//! What the server says about its rate limit in headers. No server must, and few do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;

/// What the headers of one answer tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RateLimitHeaders {
    /// Requests allowed in an hour.
    pub(super) limit: Option<u32>,
    /// True when little is left of them.
    pub(super) near: Option<bool>,
    /// Nothing is left, for so long.
    pub(super) nothing_left: Option<Duration>,
}

impl RateLimitHeaders {
    /// Reads the headers; `now` is our clock (UTC).
    pub(super) fn of(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
        let number = |name| text(name)?.parse::<u64>().ok();
        // Data Center uses the same name for the size of a bucket that refills every few seconds.
        let hourly = headers.get("x-ratelimit-interval-seconds").is_none();
        let limit = number("x-ratelimit-limit").filter(|&limit| hourly && limit > 0);
        let near = text("x-ratelimit-nearlimit").map(|near| near.eq_ignore_ascii_case("true"));
        let reset = number("x-ratelimit-reset").map(|reset| seconds_left(reset, now));
        let exhausted = number("x-ratelimit-remaining") == Some(0);
        Self {
            limit: limit.and_then(|limit| u32::try_from(limit).ok()),
            near,
            nothing_left: reset.filter(|_| exhausted),
        }
    }
}

/// Seconds until the reset; a number that large can only be a time.
fn seconds_left(reset: u64, now: DateTime<Utc>) -> Duration {
    let now = u64::try_from(now.timestamp()).unwrap_or_default();
    let left = if reset > 1_000_000_000 {
        reset.saturating_sub(now)
    } else {
        reset
    };
    Duration::from_secs(left)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn told(lines: &[(&'static str, &'static str)]) -> RateLimitHeaders {
        let headers = lines.iter().map(|&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        RateLimitHeaders::of(&headers.collect(), now)
    }

    #[test]
    fn what_servers_tell_is_understood() {
        let nothing = RateLimitHeaders::default();
        let cases: [(&[(&str, &str)], RateLimitHeaders); 10] = [
            (&[], nothing),
            (
                &[
                    ("x-ratelimit-limit", "2500"),
                    ("x-ratelimit-nearlimit", "false"),
                ],
                RateLimitHeaders {
                    limit: Some(2500),
                    near: Some(false),
                    ..nothing
                },
            ),
            (
                &[("x-ratelimit-nearlimit", "True")],
                RateLimitHeaders {
                    near: Some(true),
                    ..nothing
                },
            ),
            (
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")],
                RateLimitHeaders {
                    nothing_left: Some(Duration::from_secs(90)),
                    ..nothing
                },
            ),
            (
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1790000060"),
                ],
                RateLimitHeaders {
                    nothing_left: Some(Duration::from_mins(1)),
                    ..nothing
                },
            ),
            (
                &[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "90")],
                nothing,
            ),
            (&[("x-ratelimit-remaining", "0")], nothing),
            (&[("x-ratelimit-limit", "0")], nothing),
            (
                &[("x-ratelimit-limit", "many"), ("x-ratelimit-reset", "soon")],
                nothing,
            ),
            (
                &[
                    ("x-ratelimit-limit", "60"),
                    ("x-ratelimit-interval-seconds", "1"),
                ],
                nothing,
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(told(lines), expected, "{lines:?}");
        }
    }
}
