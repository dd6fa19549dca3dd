//! Requests taken from the ledger in small groups.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use headwater_store::StoreError;
use headwater_store::ledger::{Grant, Ledger, RequestQuota, Taken};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::token_bucket::Counted;

/// A grant is this part of the limit: large enough that the database is asked rarely, small enough
/// that a crash wastes little.
const PARTS: u32 = 120;

/// What a process holds of one credential's requests.
pub(super) struct Grants {
    ledger: Ledger,
    credential: String,
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    held: Mutex<Held>,
    /// Requests that count, as of the latest grant.
    used: AtomicU64,
}

#[derive(Default)]
struct Held {
    /// The grant's requests that were not sent yet, and when it was taken, by two clocks: one
    /// stands still while the machine sleeps, the other may be set.
    grant: Option<(Grant, Instant, DateTime<Utc>)>,
    /// There is nothing to be had before this time (UTC).
    exhausted: Option<Exhausted>,
}

#[derive(Clone, Copy)]
struct Exhausted {
    until: DateTime<Utc>,
    /// The ledger is asked again then: another process may have given something back.
    ask_again: Instant,
}

impl Grants {
    pub(super) fn new(
        ledger: Ledger,
        credential: String,
        now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    ) -> Self {
        Self {
            ledger,
            credential,
            now,
            held: Mutex::default(),
            used: AtomicU64::new(0),
        }
    }

    pub(super) fn window(&self) -> Duration {
        self.ledger.window().length
    }

    /// Requests that counted when the ledger was last asked.
    pub(super) fn used_then(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How long a request counts from its minute on.
    pub(super) fn counts(&self) -> Duration {
        let window = self.ledger.window();
        window.length + window.slack + window.bucket
    }

    /// Requests that count now, by when they no longer do, without those this process holds and
    /// has not sent.
    pub(super) async fn returning(&self) -> Result<Vec<(Duration, u64)>, StoreError> {
        let held = self.held.lock().await;
        let unsent = held.grant.map_or(0, |(grant, ..)| grant.requests);
        let credential = &self.credential;
        let mut returning = self.ledger.returning(credential, (self.now)()).await?;
        if let Some((_, newest)) = returning.last_mut() {
            *newest = newest.saturating_sub(u64::from(unsent));
        }
        Ok(returning)
    }

    /// Takes one request, waiting until there is one, and returns the bucket it counts in. `tell`
    /// learns when that will be.
    pub(super) async fn take(
        &self,
        limit: impl Fn() -> u32,
        waiting: &AtomicUsize,
        tell: impl Fn(DateTime<Utc>),
    ) -> Result<i64, StoreError> {
        loop {
            let exhausted = match self.try_take(limit()).await? {
                Ok(bucket) => return Ok(bucket),
                Err(exhausted) => exhausted,
            };
            tell(exhausted.until);
            let _counted = Counted::new(waiting);
            tokio::time::sleep_until(exhausted.ask_again).await;
        }
    }

    async fn try_take(&self, limit: u32) -> Result<Result<i64, Exhausted>, StoreError> {
        let mut held = self.held.lock().await;
        let now = (self.now)();
        if let Some(bucket) = held.send_one(now) {
            return Ok(Ok(bucket));
        }
        if let Some(exhausted) = held.exhausted
            && Instant::now() < exhausted.ask_again
        {
            return Ok(Err(exhausted));
        }
        self.return_rest(&mut held).await?;
        let wanted = RequestQuota {
            credential: &self.credential,
            requests: (limit / PARTS).max(1),
            limit,
        };
        match self.ledger.take(wanted, now).await? {
            Taken::Granted(mut grant) => {
                self.used.store(grant.used, Ordering::Relaxed);
                grant.requests -= 1;
                held.grant = Some((grant, Instant::now(), now));
                held.exhausted = None;
                Ok(Ok(grant.bucket))
            }
            Taken::Exhausted(until) => {
                let wait = (until - now).to_std().unwrap_or_default();
                let wait = wait.min(self.ledger.window().bucket);
                let exhausted = Exhausted {
                    until,
                    // A timer may fire within the millisecond before.
                    ask_again: Instant::now() + wait + Duration::from_millis(1),
                };
                held.exhausted = Some(exhausted);
                Ok(Err(exhausted))
            }
        }
    }

    /// Puts a request back that was taken and will not be sent now.
    pub(super) async fn put_back(&self, bucket: i64) {
        let mut held = self.held.lock().await;
        match &mut held.grant {
            Some((grant, ..)) if grant.bucket == bucket => grant.requests += 1,
            // Its bucket has ended: it stays counted.
            _ => {}
        }
    }

    /// Gives back what is left of the grant.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let mut held = self.held.lock().await;
        self.return_rest(&mut held).await
    }

    async fn return_rest(&self, held: &mut MutexGuard<'_, Held>) -> Result<(), StoreError> {
        // Taken out first: if this call is cancelled they are lost rather than sent twice.
        match held.grant.take() {
            Some((grant, ..)) if grant.requests > 0 => {
                self.ledger
                    .give_back(&self.credential, grant.bucket, grant.requests)
                    .await
            }
            _ => Ok(()),
        }
    }
}

impl Held {
    /// Uses one request of the grant, if its bucket has not ended, and returns the bucket.
    fn send_one(&mut self, now: DateTime<Utc>) -> Option<i64> {
        let (grant, taken, taken_at) = self.grant.as_mut()?;
        let passed = (now - *taken_at).to_std();
        let is_over = passed.map_or(true, |passed| passed >= grant.lasts);
        if is_over || taken.elapsed() >= grant.lasts || grant.requests == 0 {
            return None;
        }
        grant.requests -= 1;
        Some(grant.bucket)
    }
}
