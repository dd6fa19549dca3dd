//! The pace of one credential: an even flow, a ledger that no restart forgets, and the pauses that
//! the server asks for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use headwater_store::StoreError;
use headwater_store::ledger::Ledger;
use tokio::sync::watch;
use tokio::time::Instant;

use super::budget::Budget;
use super::grants::Grants;
use super::pause::Pause;
use super::rate_limit_headers::RateLimitHeaders;
use super::token_bucket::{Rate, Speed, TokenBucket};

/// The window in which Bitbucket Cloud limits requests.
const HOUR: Duration = Duration::from_hours(1);

/// The pace of one credential. Clones share it.
#[derive(Clone)]
pub struct RateLimiter(Arc<Shared>);

struct Shared {
    rates: RwLock<Rates>,
    kind: Kind,
    pause: Pause,
    /// The server says that little is left.
    near: AtomicBool,
    waiting: AtomicUsize,
    hold: watch::Sender<Option<Hold>>,
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

/// What limits requests.
enum Kind {
    /// So many in any hour, remembered in the database.
    Recorded(Box<Grants>),
    /// So many in any hour, as far as this process knows.
    PerHour,
    /// A bucket that holds so many and refills.
    PerSecond { burst: u32 },
}

/// The limit in force, and the flow that follows from it.
struct Rates {
    configured: u32,
    announced: Option<u32>,
    token_bucket: Arc<TokenBucket>,
}

impl Rates {
    fn limit(&self) -> u32 {
        self.announced
            .map_or(self.configured, |announced| announced.min(self.configured))
    }
}

/// Why no request goes out, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When requests go on (UTC); later if another client uses the credential.
    pub until: DateTime<Utc>,
    /// True when the server asked for it, false when the budget of the hour is used up.
    pub by_server: bool,
}

impl RateLimiter {
    /// At most this many requests in any hour of this process.
    ///
    /// GCRA allows a burst on top of its pace, so the burst is taken from the hour first: a tenth
    /// at once, the other nine tenths evenly.
    /// `now` gives the time (UTC).
    #[must_use]
    pub fn per_hour(
        requests: u32,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Self {
        Self::new(requests.max(2), Kind::PerHour, Box::new(now))
    }

    /// At most this many requests in any hour, whoever sent them through this ledger before, or
    /// does so elsewhere now. `credential` is a fingerprint, never a secret; `now` gives the time.
    #[must_use]
    pub fn recorded(
        requests: u32,
        ledger: Ledger,
        credential: String,
        now: impl Fn() -> DateTime<Utc> + Clone + Send + Sync + 'static,
    ) -> Self {
        let grants = Grants::new(ledger, credential, Box::new(now.clone()));
        Self::new(
            requests.max(1),
            Kind::Recorded(Box::new(grants)),
            Box::new(now),
        )
    }

    /// So many requests a second, after a pause up to `burst` at once. Nothing is remembered: such
    /// a server forgets within seconds too. `now` gives the time (UTC).
    #[must_use]
    pub fn per_second(
        requests: u32,
        burst: u32,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Self {
        Self::new(requests.max(1), Kind::PerSecond { burst }, Box::new(now))
    }

    fn new(requests: u32, kind: Kind, now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>) -> Self {
        let rates = Rates {
            configured: requests,
            announced: None,
            token_bucket: Arc::new(TokenBucket::new(kind.rate(requests))),
        };
        Self(Arc::new(Shared {
            rates: RwLock::new(rates),
            kind,
            pause: Pause::default(),
            near: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            hold: watch::Sender::new(None),
            now,
        }))
    }

    /// Lowers the limit to this many; another connection shares the credential and says so.
    pub fn at_most(&self, requests: u32) {
        self.change_limit(|rates| rates.configured = rates.configured.min(requests.max(1)));
    }

    /// Requests that wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Why no request goes out; none while they do.
    #[must_use]
    pub fn hold(&self) -> watch::Receiver<Option<Hold>> {
        self.0.hold.subscribe()
    }

    /// How much of the hour's budget is used; none where requests are not limited by the hour.
    pub async fn budget(&self) -> Result<Option<Budget>, StoreError> {
        let limit = self.limit();
        let (returning, counts) = match &self.0.kind {
            Kind::PerSecond { .. } => return Ok(None),
            Kind::PerHour => (Vec::new(), None),
            Kind::Recorded(grants) => (grants.returning().await?, Some(grants.counts())),
        };
        let rate = self.0.kind.rate(limit);
        Ok(Some(Budget {
            per_hour: limit,
            at_once: rate.at_once,
            evenly: rate.requests,
            returning,
            counts,
        }))
    }

    /// Gives back what was taken from the ledger and not sent. Requests may still follow.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.0.kind {
            Kind::Recorded(grants) => grants.close().await,
            Kind::PerHour | Kind::PerSecond { .. } => Ok(()),
        }
    }

    /// Returns when the next request may go.
    pub(super) async fn permit(&self) -> Result<(), StoreError> {
        let shared = &*self.0;
        loop {
            shared.pause.over(&shared.waiting).await;
            self.token_bucket()
                .ready(self.speed(), &shared.waiting)
                .await;
            let Kind::Recorded(grants) = &shared.kind else {
                break;
            };
            let tell = |until| self.tell(until, false);
            let limit = || self.limit();
            let bucket = grants.take(limit, &shared.waiting, tell).await?;
            if !shared.pause.is_on() {
                break;
            }
            // The server asked for a pause meanwhile.
            grants.put_back(bucket).await;
        }
        shared.hold.send_if_modified(|hold| hold.take().is_some());
        Ok(())
    }

    /// Notes that the server refused a request because there were too many: all of them pause.
    pub(super) fn refused(&self, sent: Instant, retry_after: Option<Duration>) {
        let pause = self.0.pause.refused(sent, retry_after, HOUR);
        tracing::debug!(seconds = pause.as_secs_f64(), "the server asks for a pause");
        self.tell_pause(pause);
    }

    /// Notes that a request was not refused for being one too many.
    pub(super) fn passed(&self, sent: Instant) {
        self.0.pause.passed(sent);
    }

    /// Follows what the server says about its limit.
    pub(super) fn heed(&self, headers: RateLimitHeaders) {
        if let Some(near) = headers.near {
            self.0.near.store(near, Ordering::Relaxed);
        }
        if let (Some(limit), false) = (headers.limit, matches!(self.0.kind, Kind::PerSecond { .. }))
        {
            self.change_limit(|rates| rates.announced = Some(limit));
        }
        if let Some(pause) = headers.nothing_left {
            let pause = pause.min(HOUR);
            self.0.pause.pause(pause);
            self.tell_pause(pause);
        }
    }

    /// Our clock (UTC).
    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.0.now)()
    }

    /// Where the server says that little is left, requests go evenly; where the ledger knows too
    /// few to explain it, another client uses the credential and gets half.
    fn speed(&self) -> Speed {
        if !self.0.near.load(Ordering::Relaxed) {
            return Speed::Quick;
        }
        match &self.0.kind {
            Kind::Recorded(grants) if grants.used_then() * 4 >= u64::from(self.limit()) * 3 => {
                Speed::Even
            }
            _ => Speed::Half,
        }
    }

    fn limit(&self) -> u32 {
        self.read_rates().limit()
    }

    fn token_bucket(&self) -> Arc<TokenBucket> {
        Arc::clone(&self.read_rates().token_bucket)
    }

    fn change_limit(&self, change: impl Fn(&mut Rates)) {
        let mut rates = self.write_rates();
        let before = rates.limit();
        change(&mut rates);
        let limit = rates.limit();
        if limit != before {
            rates.token_bucket = Arc::new(TokenBucket::new(self.0.kind.rate(limit)));
        }
    }

    fn tell_pause(&self, pause: Duration) {
        let pause = TimeDelta::from_std(pause).unwrap_or_default();
        if pause > TimeDelta::zero() {
            self.tell(self.now() + pause, true);
        }
    }

    fn tell(&self, until: DateTime<Utc>, by_server: bool) {
        let new = Some(Hold { until, by_server });
        self.0.hold.send_if_modified(|hold| {
            let changed = *hold != new;
            *hold = new;
            changed
        });
    }

    fn read_rates(&self) -> std::sync::RwLockReadGuard<'_, Rates> {
        self.0.rates.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_rates(&self) -> std::sync::RwLockWriteGuard<'_, Rates> {
        self.0.rates.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn rate(&self, limit: u32) -> Rate {
        match self {
            // The ledger sees to the limit, so half of it may go at once.
            Self::Recorded(grants) => Rate {
                requests: limit,
                within: grants.window(),
                at_once: limit.div_ceil(2),
            },
            Self::PerHour => {
                let at_once = (limit / 10).max(1);
                Rate {
                    requests: limit.saturating_sub(at_once).max(1),
                    within: HOUR,
                    at_once,
                }
            }
            Self::PerSecond { burst } => Rate {
                requests: limit,
                within: Duration::from_secs(1),
                at_once: *burst,
            },
        }
    }
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RateLimiter")
    }
}

#[cfg(test)]
mod tests;
