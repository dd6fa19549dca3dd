//! Requests that were sent, counted per credential in short buckets of time.
//!
//! The only memory of the rate limit that outlives a process and is shared by several. Requests
//! are granted in small groups that count as sent at once, so a crash can only make the ledger too
//! careful. Why it is so: docs/decisions/0018-request-ledger.md.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DbBackend, DbErr, Value};

use crate::Store;
use crate::database::{Row, Turn};
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

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
    /// The bucket they are counted in: its begin in milliseconds since 1970, by the ledger's time.
    pub bucket: i64,
    /// How long they may be sent.
    pub lasts: Duration,
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
    /// None may be sent before this time (UTC), by the clock of whoever asked.
    Exhausted(DateTime<Utc>),
}

/// What is asked of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct RequestQuota<'a> {
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
    clock: LedgerClock,
}

/// What the ledger takes for the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LedgerClock {
    /// What it is told.
    Told,
    /// The clock of the server that holds the tables, which all processes share.
    Server,
    /// How long the machine runs, which no correction of the wall clock changes; the wall clock
    /// tells only what passed between two starts of the machine.
    Uptime,
}

impl Store {
    /// The ledger of requests in this database.
    pub async fn ledger(&self, window: Window) -> Result<Ledger, StoreError> {
        Ok(Ledger {
            store: self.clone(),
            window,
            salt: self.salt().await?,
            clock: LedgerClock::Told,
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

    pub(crate) async fn insert_missing(
        &self,
        shape: &Shape,
        row: Vec<Value>,
    ) -> Result<(), StoreError> {
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

    /// The same ledger in a time that goes on evenly, however the clock of this machine is set: the
    /// server's, or, for a file, that since the machine started where it tells it.
    #[must_use]
    pub fn in_steady_time(mut self) -> Self {
        self.clock = match self.store.backend() {
            DbBackend::Sqlite => LedgerClock::Uptime,
            _ => LedgerClock::Server,
        };
        self
    }

    /// Random text that belongs to this database: fingerprints made with it say nothing elsewhere.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// Grants as many of the wanted requests as the window allows, and counts them as sent.
    ///
    /// Processes that ask for one credential at the same time are served one after the other.
    pub async fn take(
        &self,
        wanted: RequestQuota<'_>,
        now: DateTime<Utc>,
    ) -> Result<Taken, StoreError> {
        let credential = wanted.credential;
        self.introduce(credential).await?;
        let mut writing = Writing::begin(&self.store).await?;
        let told = now;
        let now = writing.arrive(self, credential, now).await?;
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
        Ok(match taken {
            Taken::Exhausted(until) => Taken::Exhausted(told + (until - time(now))),
            granted @ Taken::Granted(_) => granted,
        })
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
        let returning = self.returning(credential, now).await?;
        Ok(returning.iter().map(|(_, requests)| requests).sum())
    }

    /// Requests that count at this time (UTC), by how long they still do, soonest first.
    pub async fn returning(
        &self,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Duration, u64)>, StoreError> {
        let text = "SELECT bucket, requests FROM _headwater_requests WHERE credential = ? \
                    ORDER BY bucket";
        let rows = self.store.query_all(text, vec![credential.into()]).await?;
        let buckets = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
        let buckets: Vec<(i64, i64)> = buckets.collect::<Result<_, _>>().during(text)?;
        let server_now = match self.clock {
            LedgerClock::Server => {
                let text = server_time(&self.store);
                let rows = self.store.query_all(&text, Vec::new()).await?;
                number(&rows).during(&text)?
            }
            LedgerClock::Told | LedgerClock::Uptime => None,
        };
        let rows = self
            .store
            .query_all(CREDENTIAL_SEEN, vec![credential.into()]);
        let seen = Seen::read(&rows.await?).during(CREDENTIAL_SEEN)?;
        let arrived = self.arrived(&seen, server_now, now);
        Ok(returning(self.window, &buckets, arrived.now))
    }

    /// The ledger's time. It never goes back, so that a clock that does unlocks nothing.
    fn arrived(&self, seen: &Seen, server_now: Option<i64>, told: DateTime<Utc>) -> Arrived {
        let machine = match self.clock {
            LedgerClock::Uptime => uptime::now(),
            LedgerClock::Told | LedgerClock::Server => None,
        };
        let told = server_now.unwrap_or_else(|| told.timestamp_millis());
        let now = match &machine {
            // What passed since is known, whatever the wall clock says now or said then.
            Some(machine) if machine.name == seen.machine && machine.millis >= seen.uptime => {
                seen.latest + (machine.millis - seen.uptime)
            }
            _ if seen.latest - told > millis(self.window.length) => told,
            _ => told.max(seen.latest),
        };
        Arrived { now, machine }
    }

    /// Makes the credential known, so that there is a row to lock.
    async fn introduce(&self, credential: &str) -> Result<(), StoreError> {
        let text = "SELECT latest FROM _headwater_credentials WHERE credential = ?";
        let known = self.store.query_all(text, vec![credential.into()]).await?;
        if !known.is_empty() {
            return Ok(());
        }
        let columns = ["credential", "latest", "machine", "uptime"];
        let mut shape = Shape::plain("_headwater_credentials", &columns, &["credential"]);
        shape.keep_existing = true;
        let row = vec![credential.into(), 0i64.into(), "".into(), 0i64.into()];
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
        let marked = self.store.marked(text);
        self.turn.execute(&marked, values).await.during(text)
    }

    /// Locks the credential and returns the ledger's time in milliseconds.
    async fn arrive(
        &self,
        ledger: &Ledger,
        credential: &str,
        told: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        // This update comes first: it is what makes others wait.
        let text = "UPDATE _headwater_credentials SET latest = latest WHERE credential = ?";
        self.execute(text, vec![credential.into()]).await?;
        let rows = self.query(CREDENTIAL_SEEN, vec![credential.into()]).await?;
        let seen = Seen::read(&rows).during(CREDENTIAL_SEEN)?;
        let server_now = match ledger.clock {
            LedgerClock::Server => {
                let text = server_time(self.store);
                number(&self.query(&text, Vec::new()).await?).during(&text)?
            }
            LedgerClock::Told | LedgerClock::Uptime => None,
        };
        let arrived = ledger.arrived(&seen, server_now, told);
        if arrived.now < seen.latest {
            // The clock was far ahead once. Waiting until it is there again could take years, so
            // what counted then counts as sent now: an hour at most.
            self.move_back(ledger.window, credential, (seen.latest, arrived.now))
                .await?;
        }
        let text = "UPDATE _headwater_credentials SET latest = ?, machine = ?, uptime = ? \
                    WHERE credential = ?";
        let machine = arrived.machine.unwrap_or_default();
        let values = vec![
            arrived.now.into(),
            machine.name.into(),
            machine.millis.into(),
            credential.into(),
        ];
        self.execute(text, values).await?;
        Ok(arrived.now)
    }

    async fn query(&self, text: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let marked = self.store.marked(text);
        self.turn.query(&marked, values).await.during(text)
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
        self.execute(text, values).await.map(|_| ())
    }

    async fn buckets(&self, credential: &str) -> Result<Vec<(i64, i64)>, StoreError> {
        let text = "SELECT bucket, requests FROM _headwater_requests \
                    WHERE credential = ? ORDER BY bucket";
        let marked = self.store.marked(text);
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

/// What is known of a credential's latest grant.
const CREDENTIAL_SEEN: &str =
    "SELECT latest, machine, uptime FROM _headwater_credentials WHERE credential = ?";

/// When a credential's requests were counted last.
#[derive(Debug, Default)]
struct Seen {
    /// The ledger's time, in milliseconds.
    latest: i64,
    /// The machine that counted, since it started; empty where that is not known.
    machine: String,
    /// How long that machine ran by then, in milliseconds.
    uptime: i64,
}

impl Seen {
    fn read(rows: &[Row]) -> Result<Self, DbErr> {
        let Some(row) = rows.first() else {
            return Ok(Self::default());
        };
        Ok(Self {
            latest: row.get(0)?,
            machine: row.get(1)?,
            uptime: row.get(2)?,
        })
    }
}

/// The ledger's time, in milliseconds, and the machine by whose time that is.
struct Arrived {
    now: i64,
    machine: Option<Uptime>,
}

/// The statement that asks a server for its time, in milliseconds.
fn server_time(store: &Store) -> String {
    format!("SELECT {}", store.dialect().clock())
}

fn number(rows: &[Row]) -> Result<Option<i64>, DbErr> {
    rows.first().map(|row| row.get(0)).transpose()
}

/// How many requests may go, or when the next one may; `buckets` in order of time.
fn decide(window: Window, buckets: &[(i64, i64)], wanted: RequestQuota<'_>, now: i64) -> Taken {
    let used = counted(window, buckets, now);
    let limit = u64::from(wanted.limit.max(1));
    if used < limit {
        let free = u32::try_from(limit - used).unwrap_or(u32::MAX);
        let requests = wanted.requests.clamp(1, free);
        let bucket = window.begin(now);
        let lasts = bucket + millis(window.bucket) - now;
        return Taken::Granted(Grant {
            bucket,
            lasts: Duration::from_millis(u64::try_from(lasts).unwrap_or_default()),
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

/// Requests that count, by how long they still do; `buckets` in order of time.
fn returning(window: Window, buckets: &[(i64, i64)], now: i64) -> Vec<(Duration, u64)> {
    let counting = buckets.iter().filter_map(|&(bucket, requests)| {
        let left = u64::try_from(window.leaves(bucket) - now)
            .ok()
            .filter(|&left| left > 0)?;
        let requests = u64::try_from(requests).unwrap_or_default();
        Some((Duration::from_millis(left), requests))
    });
    counting.collect()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 8)
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
}

mod uptime;

use uptime::Uptime;

#[cfg(test)]
mod tests;
