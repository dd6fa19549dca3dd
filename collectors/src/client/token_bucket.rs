//! Even pace: GCRA, at three speeds.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep};

/// How fast requests may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speed {
    /// Some at once, the others evenly.
    Quick,
    /// As many in all, but never some at once.
    Even,
    /// Half as many.
    Half,
}

/// Requests allowed in a time, of which some may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) requests: u32,
    pub(super) within: Duration,
    pub(super) at_once: u32,
}

type Paced = RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<std::time::Instant>>;

/// Paces requests.
pub(super) struct TokenBucket {
    quick: Paced,
    even: Paced,
    half: Paced,
}

impl TokenBucket {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = rate.within / rate.requests.max(1);
        Self {
            quick: paced(interval, rate.at_once),
            even: paced(interval, 1),
            half: paced(interval * 2, 1),
        }
    }

    /// Returns when the next request may go.
    pub(super) async fn ready(&self, speed: Speed, waiting: &AtomicUsize) {
        let paced = match speed {
            Speed::Quick => &self.quick,
            Speed::Even => &self.even,
            Speed::Half => &self.half,
        };
        while let Err(not_yet) = paced.check() {
            let _counted = Counted::new(waiting);
            sleep(not_yet.wait_time_from(RuntimeClock.now())).await;
        }
    }
}

fn paced(interval: Duration, at_once: u32) -> Paced {
    // Beyond a billion a second the interval is no time at all.
    let interval = interval.max(Duration::from_nanos(1));
    let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct_with_clock(quota.allow_burst(at_once), RuntimeClock)
}

/// The runtime's own clock: what tests can stop.
#[derive(Clone, Copy, Debug)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

/// Counts a waiting request for as long as it lives, also when it is cancelled.
pub(super) struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    pub(super) fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
