//! Pace of requests: never more in an hour than the credential may.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Paces the requests of one credential.
pub(super) struct Limiter {
    paced: DefaultDirectRateLimiter,
    waiting: AtomicUsize,
}

impl Limiter {
    /// At most this many requests in any hour.
    ///
    /// GCRA allows a burst on top of its pace, so the burst is taken from the hour first: a tenth
    /// at once, the other nine tenths evenly.
    pub(super) fn per_hour(requests: u32) -> Self {
        let requests = requests.max(2);
        let burst = (requests / 10).max(1);
        let paced = requests - burst;
        let interval = Duration::from_hours(1) / paced;
        // Beyond a billion an hour the interval is no time at all.
        let interval = interval.max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Self {
            paced: RateLimiter::direct(quota.allow_burst(burst)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Returns when the next request may go.
    pub(super) async fn wait(&self) {
        if self.paced.check().is_ok() {
            return;
        }
        let _counted = Counted::new(&self.waiting);
        self.paced.until_ready().await;
    }

    /// Requests that wait now.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts a waiting request for as long as it lives, also when it is cancelled.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
