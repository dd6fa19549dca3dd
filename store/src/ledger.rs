//! Requests that were sent, counted per credential in short buckets of time.
//!
//! The only memory of the rate limit that outlives a process and is shared by several. Requests
//! are granted in small groups that count as sent at once, so a crash can only make the ledger too
//! careful. Why it is so: docs/decisions/0018-request-ledger.md.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::Value;

use crate::Store;
use crate::database::Turn;
use crate::error::{During, StoreError};
use crate::shape::Shape;
use crate::sql::numbered;

/// What the salt of this table's fingerprints is stored under.
const PURPOSE: &str = "credentials";

/// The time in which requests are limited, and how finely it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How long a request counts.
    pub length: Duration,
    /// Length of the buckets in which requests are counted.
    pub bucket: Duration,
    /// How much later than here a request may arrive at the server, by the server's clock.
    pub slack: Duration,
}

impl Window {
    /// An hour in minutes: what Bitbucket Cloud limits.
    pub const HOUR: Self = Self {
        length: Duration::from_hours(1),
        bucket: Duration::from_mins(1),
        slack: Duration::from_secs(30),
    };

    /// Begin of the bucket that holds a time; both in milliseconds.
    fn begin(self, at: i64) -> i64 {
        let bucket = millis(self.bucket).max(1);
        at.div_euclid(bucket) * bucket
    }

    /// When the last request of a bucket no longer counts; in milliseconds.
    fn leaves(self, bucket: i64) -> i64 {
        bucket + millis(self.bucket) + millis(self.length) + millis(self.slack)
    }
}

/// A group of requests that may be sent, already counted as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The bucket they are counted in: its begin in milliseconds since 1970.
    pub bucket: i64,
    /// How many.
    pub requests: u32,
    /// Requests that count now, these included.
    pub used: u64,
}

/// The ledger's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// These may be sent until their bucket ends.
    Granted(Grant),
    /// None may be sent before this time (UTC).
    Exhausted(DateTime<Utc>),
}

/// What is asked of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Fingerprint of the credential.
    pub credential: &'a str,
    /// Requests that are to be sent soon; fewer may be granted.
    pub requests: u32,
    /// Requests allowed in any window.
    pub limit: u32,
}

/// Grants requests and remembers them.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    window: Window,
    salt: String,
}

impl Store {
    /// The ledger of requests in this database.
    pub async fn ledger(&self, window: Window) -> Result<Ledger, StoreError> {
        Ok(Ledger {
            store: self.clone(),
            window,
            salt: self.salt().await?,
        })
    }

    /// Random text that belongs to this database, made when it is first asked for.
    async fn salt(&self) -> Result<String, StoreError> {
        let text = "SELECT salt FROM _headwater_salts WHERE purpose = ?";
        let read = || self.query_all(text, vec![PURPOSE.into()]);
        if let Some(row) = read().await?.first() {
            return row.get(0).during(text);
        }
        let mut shape = Shape::plain("_headwater_salts", &["purpose", "salt"], &["purpose"]);
        // Of two processes that make one at the same time the first wins.
        shape.keep_existing = true;
        let salt = format!("{:032x}", rand::random::<u128>());
        self.insert_missing(&shape, vec![PURPOSE.into(), salt.into()])
            .await?;
        match read().await?.first() {
            Some(row) => row.get(0).during(text),
            None => Err(StoreError::refused("making a salt", "it was not stored")),
        }
    }

    async fn insert_missing(&self, shape: &Shape, row: Vec<Value>) -> Result<(), StoreError> {
        let action = format!("writing {}", shape.table);
        let text = self.texts.upsert(self.backend(), shape, 1);
        let text = text.during(&action)?;
        let turn = self.database.turn().await;
        turn.execute(&text, row).await.during(&action).map(|_| ())
    }
}

impl Ledger {
    /// The time in which requests are limited.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// Random text that belongs to this database: fingerprints made with it say nothing elsewhere.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// Grants as many of the wanted requests as the window allows, and counts them as sent.
    ///
    /// Processes that ask for one credential at the same time are served one after the other.
    pub async fn take(&self, wanted: Wanted<'_>, now: DateTime<Utc>) -> Result<Taken, StoreError> {
        let credential = wanted.credential;
        self.introduce(credential).await?;
        let mut writing = Writing::begin(&self.store).await?;
        let now = writing.arrive(self.window, credential, now).await?;
        let buckets = writing.buckets(credential).await?;
        let taken = decide(self.window, &buckets, wanted, now);
        if let Taken::Granted(grant) = taken {
            let new = buckets.iter().all(|&(bucket, _)| bucket != grant.bucket);
            writing.count(credential, &grant, new).await?;
            if new {
                writing.forget(self.window, credential, now).await?;
            }
        }
        writing.turn.commit().await.during("granting requests")?;
        Ok(taken)
    }

    /// Takes requests that were granted but not sent out of the count.
    pub async fn give_back(
        &self,
        credential: &str,
        bucket: i64,
        requests: u32,
    ) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_requests SET requests = requests - ? \
                    WHERE credential = ? AND bucket = ? AND requests >= ?";
        let requests = i64::from(requests);
        let values = vec![
            requests.into(),
            credential.into(),
            bucket.into(),
            requests.into(),
        ];
        self.store.execute(text, values).await.map(|_| ())
    }

    /// Requests that count at this time (UTC).
    pub async fn used(&self, credential: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let text = "SELECT bucket, requests FROM _headwater_requests WHERE credential = ?";
        let rows = self.store.query_all(text, vec![credential.into()]).await?;
        let buckets = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        let buckets: Vec<(i64, i64)> = buckets.collect::<Result<_, _>>().during(text)?;
        Ok(counted(self.window, &buckets, now.timestamp_millis()))
    }

    /// Makes the credential known, so that there is a row to lock.
    async fn introduce(&self, credential: &str) -> Result<(), StoreError> {
        let text = "SELECT latest FROM _headwater_credentials WHERE credential = ?";
        let known = self.store.query_all(text, vec![credential.into()]).await?;
        if !known.is_empty() {
            return Ok(());
        }
        let columns = ["credential", "latest"];
        let mut shape = Shape::plain("_headwater_credentials", &columns, &["credential"]);
        shape.keep_existing = true;
        let row = vec![credential.into(), 0i64.into()];
        self.store.insert_missing(&shape, row).await
    }
}

/// One transaction on the ledger.
struct Writing<'a> {
    store: &'a Store,
    turn: Turn,
}

impl<'a> Writing<'a> {
    async fn begin(store: &'a Store) -> Result<Self, StoreError> {
        let mut turn = store.database.turn().await;
        turn.begin().await.during("beginning to grant requests")?;
        Ok(Self { store, turn })
    }

    async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let marked = numbered(self.store.backend(), text);
        self.turn.execute(&marked, values).await.during(text)
    }

    /// Locks the credential and returns the ledger's time in milliseconds: it never goes back, so
    /// that a clock that does unlocks nothing.
    async fn arrive(
        &self,
        window: Window,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let now = now.timestamp_millis();
        // This update comes first: it is what makes others wait.
        let text = "UPDATE _headwater_credentials \
                    SET latest = CASE WHEN latest < ? THEN ? ELSE latest END WHERE credential = ?";
        self.execute(text, vec![now.into(), now.into(), credential.into()])
            .await?;
        let text = "SELECT latest FROM _headwater_credentials WHERE credential = ?";
        let marked = numbered(self.store.backend(), text);
        let rows = self.turn.query(&marked, vec![credential.into()]).await;
        let rows = rows.during(text)?;
        let latest: i64 = match rows.first() {
            Some(row) => row.get(0).during(text)?,
            None => now,
        };
        if latest - now <= millis(window.length) {
            return Ok(latest);
        }
        // The clock was far ahead once. Waiting until it is there again could take years, so what
        // counted then counts as sent now: an hour at most.
        self.move_back(window, credential, (latest, now)).await?;
        Ok(now)
    }

    async fn move_back(
        &self,
        window: Window,
        credential: &str,
        (latest, now): (i64, i64),
    ) -> Result<(), StoreError> {
        let buckets = self.buckets(credential).await?;
        let used = counted(window, &buckets, latest);
        let text = "DELETE FROM _headwater_requests WHERE credential = ?";
        self.execute(text, vec![credential.into()]).await?;
        let text =
            "INSERT INTO _headwater_requests (credential, bucket, requests) VALUES (?, ?, ?)";
        let used = i64::try_from(used).unwrap_or(i64::MAX);
        let values = vec![credential.into(), window.begin(now).into(), used.into()];
        self.execute(text, values).await?;
        let text = "UPDATE _headwater_credentials SET latest = ? WHERE credential = ?";
        self.execute(text, vec![now.into(), credential.into()])
            .await
            .map(|_| ())
    }

    async fn buckets(&self, credential: &str) -> Result<Vec<(i64, i64)>, StoreError> {
        let text = "SELECT bucket, requests FROM _headwater_requests \
                    WHERE credential = ? ORDER BY bucket";
        let marked = numbered(self.store.backend(), text);
        let rows = self.turn.query(&marked, vec![credential.into()]).await;
        let rows = rows.during(text)?;
        let buckets = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        buckets.collect::<Result<_, _>>().during(text)
    }

    async fn count(&self, credential: &str, grant: &Grant, new: bool) -> Result<(), StoreError> {
        let text = if new {
            "INSERT INTO _headwater_requests (requests, credential, bucket) VALUES (?, ?, ?)"
        } else {
            "UPDATE _headwater_requests SET requests = requests + ? \
             WHERE credential = ? AND bucket = ?"
        };
        let requests = i64::from(grant.requests);
        let values = vec![requests.into(), credential.into(), grant.bucket.into()];
        self.execute(text, values).await.map(|_| ())
    }

    /// Forgets what left the window long ago.
    async fn forget(&self, window: Window, credential: &str, now: i64) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_requests WHERE credential = ? AND bucket < ?";
        let kept = now - 2 * (window.leaves(0));
        self.execute(text, vec![credential.into(), kept.into()])
            .await
            .map(|_| ())
    }
}

/// How many requests may go, or when the next one may; `buckets` in order of time.
fn decide(window: Window, buckets: &[(i64, i64)], wanted: Wanted<'_>, now: i64) -> Taken {
    let used = counted(window, buckets, now);
    let limit = u64::from(wanted.limit.max(1));
    if used < limit {
        let free = u32::try_from(limit - used).unwrap_or(u32::MAX);
        let requests = wanted.requests.clamp(1, free);
        return Taken::Granted(Grant {
            bucket: window.begin(now),
            requests,
            used: used + u64::from(requests),
        });
    }
    let mut rest = used;
    let mut until = now + 1;
    for &(bucket, requests) in buckets {
        if window.leaves(bucket) > now && rest >= limit {
            rest = rest.saturating_sub(u64::try_from(requests).unwrap_or_default());
            until = window.leaves(bucket);
        }
    }
    Taken::Exhausted(time(until))
}

fn counted(window: Window, buckets: &[(i64, i64)], now: i64) -> u64 {
    let counts = buckets
        .iter()
        .filter(|(bucket, _)| window.leaves(*bucket) > now);
    counts
        .map(|(_, requests)| u64::try_from(*requests).unwrap_or_default())
        .sum()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 8)
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
}

#[cfg(test)]
mod tests;
