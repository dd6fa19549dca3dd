//! The rolling limit of requests per credential.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::fault::RetryForm;

/// So many requests in any window of that length, for each credential by itself.
///
/// The window may be of any length: 3.6 seconds play an hour a thousand times as fast. It is
/// exact: a request is refused when the requests let in less than a window ago are as many as
/// allowed. Those that a fault spoils count; refused ones do not, and neither do those of unknown
/// credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests of one credential in one window.
    pub requests: usize,
    /// Requests without credentials in one window, all together.
    pub anonymous_requests: usize,
    /// The window.
    pub window: Duration,
    /// Whether access tokens get `X-RateLimit-Limit`, `-Resource` and `-NearLimit`, the last of
    /// them true while less than a fifth is left. The real service sends them to no other client.
    pub scaled_headers: bool,
    /// Whether everyone gets `X-RateLimit-Remaining` and `X-RateLimit-Reset`, the latter in
    /// seconds from now, rounded up. One reporter has seen them; they are not documented.
    pub remaining_headers: bool,
    /// The form in which a refusal says when the next request is possible, if it does. Whole
    /// seconds are sent, fractions rounded up.
    pub retry_after: Option<RetryForm>,
}

impl RateLimit {
    /// So many requests in that window, without any headers. Anonymous readers share 60, or as
    /// many as everyone else has if that is less.
    #[must_use]
    pub fn new(requests: usize, window: Duration) -> RateLimit {
        RateLimit {
            requests,
            anonymous_requests: requests.min(60),
            window,
            scaled_headers: false,
            remaining_headers: false,
            retry_after: None,
        }
    }
}

/// What one credential did under a [`RateLimit`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateUse {
    /// When each served request came, counted from when the limit was set.
    pub served: Vec<Duration>,
    /// How many requests were refused with 429.
    pub refused: u64,
    /// The most requests that were served within any one window.
    pub busiest: usize,
}

impl RateUse {
    /// How many requests were served from one moment to another, both counted from when the limit
    /// was set; the latter is not included.
    #[must_use]
    pub fn served_between(&self, from: Duration, to: Duration) -> usize {
        let before = |moment| self.served.partition_point(|served| *served < moment);
        before(to).saturating_sub(before(from))
    }
}

/// Whether a request passes, and what its response says about the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// When to come back; `None` for a request that passes.
    pub(crate) refused_for: Option<Duration>,
    /// How many more would pass now.
    pub(crate) remaining: usize,
    /// When the oldest request leaves the window.
    pub(crate) reset: Duration,
}

/// The windows of all credentials.
#[derive(Debug)]
pub(crate) struct Limiter {
    since: Instant,
    windows: HashMap<String, Window>,
    order: Vec<String>,
}

#[derive(Debug, Default)]
struct Window {
    recent: VecDeque<Instant>,
    done: RateUse,
}

impl Limiter {
    pub(crate) fn new(since: Instant) -> Limiter {
        Limiter {
            since,
            windows: HashMap::new(),
            order: Vec::new(),
        }
    }

    /// Lets a request of that credential pass or not. Moments must not go back.
    pub(crate) fn admit(
        &mut self,
        limit: &RateLimit,
        credential: Option<&str>,
        now: Instant,
    ) -> Admission {
        let allowed = match credential {
            Some(_) => limit.requests,
            None => limit.anonymous_requests,
        };
        let name = credential.unwrap_or_default();
        if !self.windows.contains_key(name) {
            self.order.push(name.to_owned());
        }
        let window = self.windows.entry(name.to_owned()).or_default();
        let left = |moment: Instant| (moment + limit.window).saturating_duration_since(now);
        while window
            .recent
            .front()
            .is_some_and(|&oldest| left(oldest).is_zero())
        {
            window.recent.pop_front();
        }
        let passes = window.recent.len() < allowed;
        if passes {
            window.recent.push_back(now);
            window.done.served.push(now - self.since);
            window.done.busiest = window.done.busiest.max(window.recent.len());
        } else {
            window.done.refused += 1;
        }
        let reset = window
            .recent
            .front()
            .map_or(limit.window, |&oldest| left(oldest));
        Admission {
            refused_for: (!passes).then_some(reset),
            remaining: allowed.saturating_sub(window.recent.len()),
            reset,
        }
    }

    /// Per credential, in the order of their first requests.
    pub(crate) fn used(&self) -> Vec<RateUse> {
        let windows = self.order.iter().filter_map(|name| self.windows.get(name));
        windows.map(|window| window.done.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_window_holds_as_many_as_allowed_and_not_one_more() {
        let limit = RateLimit::new(3, Duration::from_secs(10));
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        let mut ask = |second: u64| {
            let admission = limiter.admit(&limit, Some("me"), start + Duration::from_secs(second));
            admission.refused_for.map(|wait| wait.as_secs())
        };
        assert_eq!([0, 1, 2].map(&mut ask), [None; 3]);
        assert_eq!([3, 9].map(&mut ask), [Some(7), Some(1)]);
        assert_eq!(
            [10, 10, 11, 11].map(&mut ask),
            [None, Some(1), None, Some(1)]
        );
        let used = limiter.used().remove(0);
        assert_eq!((used.served.len(), used.refused, used.busiest), (5, 4, 3));
        assert_eq!(
            used.served_between(Duration::from_secs(1), Duration::from_secs(11)),
            3
        );
    }

    #[test]
    fn credentials_have_windows_of_their_own() {
        let limit = RateLimit {
            anonymous_requests: 1,
            ..RateLimit::new(2, Duration::from_secs(10))
        };
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        let mut passes = |who| limiter.admit(&limit, who, now).refused_for.is_none();
        assert_eq!(
            [Some("a"), Some("a"), Some("a")].map(&mut passes),
            [true, true, false]
        );
        assert_eq!(
            [Some("b"), None, None].map(&mut passes),
            [true, true, false]
        );
        assert_eq!(limiter.used().len(), 3);
    }
}
