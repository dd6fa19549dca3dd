//! Leases: two processes never work on one scope.
//!
//! A lease is a row with a random token and an expiry on the database's own clock, so that the
//! clocks of the machines play no part. Each [`Transaction`] of a leased scope renews the lease by its
//! token before anything else; when no row answers to the token the page is refused. On a server
//! that renewal also holds the row until the commit, so no process can take a lease over while a page
//! of it is under way. A heartbeat renews it while no page is written, as during long pauses.
//!
//! Why it is a table of its own: docs/decisions/0019-leases.md.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbErr, Value};
use tokio_util::task::AbortOnDropHandle;

use headwater_domain::Scope;

use crate::Store;
use crate::database::Row;
use crate::database::dialect::SqlDialect;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// How long a lease lasts unless it is renewed, in milliseconds.
const LASTS: i64 = 60_000;

/// How often it is asked again for a lease that another process is just taking: for five seconds.
/// Tries are counted, because a process that stood still meanwhile has not tried.
const TRIES: u32 = 250;

/// Time between two such questions.
const PAUSE: Duration = Duration::from_millis(20);

/// How long after its end a lease is waited for that cannot be taken: a process that is frozen in the
/// middle of a page keeps it.
const GRACE: i64 = 30_000;

/// How the names of leases begin that stand for whole runs.
const RUN: &str = "run ";

/// How long the lease of a run that was killed is kept, in milliseconds.
const KEPT: i64 = 3_600_000;

/// What is read of a lease's holder.
const HOLDER: &str = "SELECT name, token, host, machine, process, command, taken_at, expires_at \
                      FROM _headwater_leases";

/// Time between two renewals by the heartbeat: three may fail before the lease is lost.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who asks for a lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Name of the computer.
    pub host: String,
    /// What the process number means something in: the boot of a machine, or a container. Empty
    /// when that is unknown.
    pub machine: String,
    /// Number of the process.
    pub process: i64,
    /// The command, such as `sync`.
    pub command: String,
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub claim: Claim,
    /// Since when, by the database's clock (UTC).
    pub since: Option<DateTime<Utc>>,
    name: String,
    token: String,
    /// In milliseconds since 1970, by the database's clock.
    expires_at: i64,
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim {
            host,
            process,
            command,
            ..
        } = &self.claim;
        write!(out, "host {host}, process {process}, command {command}")?;
        if let Some(since) = self.since {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            write!(out, ", since {since}")?;
        }
        Ok(())
    }
}

/// What asking for a lease came to.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Ours(Lease),
    /// Another process holds it.
    Held(Holder),
}

/// Leases of this store that its pages check: by the scope's params, names and tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Arc<Mutex<HashMap<String, Vec<Pair>>>>);

/// Name and token of a lease.
type Pair = (String, String);

impl Held {
    fn of(&self, params: &str) -> Vec<Pair> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(params).cloned().unwrap_or_default()
    }

    fn add(&self, params: &str, pair: Pair) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(params.to_owned()).or_default().push(pair);
    }

    fn remove(&self, params: &str, token: &str) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pairs) = held.get_mut(params) {
            pairs.retain(|(_, held)| held != token);
            if pairs.is_empty() {
                held.remove(params);
            }
        }
    }
}

/// A lease in force: renewed in the background until it is released or dropped.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    params: String,
    name: String,
    token: String,
    released: bool,
    _heartbeat: AbortOnDropHandle<()>,
}

impl Lease {
    /// Lets others take it at once.
    ///
    /// # Errors
    /// When the database fails; then the lease expires by itself.
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.released = true;
        self.store.held.remove(&self.params, &self.token);
        self.store.delete_lease(&self.name, &self.token).await
    }
}

impl Lease {
    /// Its name and token, for a condition of a statement.
    pub(super) fn pair(&self) -> [Value; 2] {
        [self.name.clone().into(), self.token.clone().into()]
    }

    /// True when another process has taken it over, as after a pause that was too long. False where
    /// the database cannot be asked.
    pub async fn is_lost(&self) -> bool {
        let text = "SELECT name FROM _headwater_leases WHERE name = ? AND token = ?";
        let values = vec![self.name.clone().into(), self.token.clone().into()];
        let found = self.store.query_all(text, values).await;
        found.is_ok_and(|rows| rows.is_empty())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.released {
            return;
        }
        self.store.held.remove(&self.params, &self.token);
        // Whoever was cancelled could not wait. Without a runtime the lease expires by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let store = self.store.clone();
            let (name, token) = (self.name.clone(), self.token.clone());
            runtime.spawn(async move { store.delete_lease(&name, &token).await });
        }
    }
}

impl Store {
    /// Takes the lease of a scope: pages of the scope then renew it, and are refused without it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_scope(&self, scope: &Scope, claim: &Claim) -> Result<Taken, StoreError> {
        self.take_lease(scope, scope.params(), claim).await
    }

    /// Takes, besides a scope's own lease, the one for what all scopes of its connection share.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_shared(&self, scope: &Scope, claim: &Claim) -> Result<Taken, StoreError> {
        let name = format!("accounts of connection {}", scope.connection_id);
        self.take_lease(scope, name, claim).await
    }

    /// Shows others that this process works on the database, whatever it works on. No page is
    /// refused without it, and it keeps no process from anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_run(&self, claim: &Claim) -> Result<Option<Lease>, StoreError> {
        let now = self.dialect().clock();
        let over = format!(
            "SELECT name FROM _headwater_leases \
             WHERE name LIKE '{RUN}%' AND expires_at < {now} - {KEPT}"
        );
        // One by one: a statement over all rows would wait for those that pages hold.
        for row in self.query_all(&over, Vec::new()).await? {
            let name: String = row.get(0).during(&over)?;
            let text = "DELETE FROM _headwater_leases WHERE name = ?";
            self.execute(text, vec![name.into()]).await?;
        }
        let name = format!("{RUN}{:032x}", rand::random::<u128>());
        match self.take_lease_of("", name, claim).await? {
            Taken::Ours(lease) => Ok(Some(lease)),
            // Of a random name there is no other.
            Taken::Held(_) => Ok(None),
        }
    }

    /// Whoever holds a lease that has not expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_holders(&self) -> Result<Vec<Holder>, StoreError> {
        let now = self.dialect().clock();
        let text =
            format!("{HOLDER} WHERE token IS NOT NULL AND expires_at >= {now} ORDER BY taken_at");
        let rows = self.query_all(&text, Vec::new()).await?;
        let holders = rows.iter().map(holder);
        holders.collect::<Result<_, _>>().during(&text)
    }

    async fn take_lease(
        &self,
        scope: &Scope,
        name: String,
        claim: &Claim,
    ) -> Result<Taken, StoreError> {
        self.take_lease_of(&scope.params(), name, claim).await
    }

    /// Pages of the scope with these params check the lease; of none where they are empty.
    pub(super) async fn take_lease_of(
        &self,
        params: &str,
        name: String,
        claim: &Claim,
    ) -> Result<Taken, StoreError> {
        let token = format!("{:032x}", rand::random::<u128>());
        let mut tries = 0;
        loop {
            tries += 1;
            self.make_lease_row(&name).await?;
            if self.claim_lease(&name, &token, claim).await? {
                break;
            }
            if let Some(holder) = self.lease_holder(&name).await? {
                return Ok(Taken::Held(holder));
            }
            // It was released between the two statements, or another process is just taking it.
            if tries > TRIES {
                return Err(StoreError::locked(
                    format!("taking the lease of {name}"),
                    "another process keeps its row locked without saying who it is",
                ));
            }
            tokio::time::sleep(PAUSE).await;
        }
        if !params.is_empty() {
            self.held.add(params, (name.clone(), token.clone()));
        }
        let heartbeat = self.clone().keep_alive(name.clone(), token.clone());
        Ok(Taken::Ours(Lease {
            store: self.clone(),
            params: params.to_owned(),
            name,
            token,
            released: false,
            _heartbeat: AbortOnDropHandle::new(tokio::spawn(heartbeat)),
        }))
    }

    /// A row that no process holds, where there is none.
    async fn make_lease_row(&self, name: &str) -> Result<(), StoreError> {
        let action = "preparing a lease";
        // MySQL and MariaDB would wait for the lock of a row that is there.
        let known = "SELECT name FROM _headwater_leases WHERE name = ?";
        if !self.query_all(known, vec![name.into()]).await?.is_empty() {
            return Ok(());
        }
        let shape = Shape::plain("_headwater_leases", &["name"], &["name"]);
        let text = self.texts.upsert(self.backend(), &shape, 1);
        let text = text.during(action)?;
        let turn = self.database.turn().await;
        let made = turn.execute(&text, vec![name.into()]).await;
        made.during(action).map(|_| ())
    }

    /// Writes the claim into the row of a lease that is free. Of two processes only one gets a row.
    ///
    /// A row that another transaction holds is not free, whatever is written in it: a page renews
    /// the lease, and its process may be frozen in the middle of that page. It is not waited for.
    async fn claim_lease(
        &self,
        name: &str,
        token: &str,
        claim: &Claim,
    ) -> Result<bool, StoreError> {
        let action = "claiming a lease";
        let now = self.dialect().clock();
        let free = format!("name = ? AND (expires_at IS NULL OR expires_at < {now})");
        let mut turn = self.database.turn().await;
        turn.begin().await.during(action)?;
        if self.dialect() != SqlDialect::Sqlite {
            let text =
                format!("SELECT name FROM _headwater_leases WHERE {free} FOR UPDATE SKIP LOCKED");
            let text = self.marked(&text);
            let rows = turn.query(&text, vec![name.into()]).await.during(action)?;
            if rows.is_empty() {
                return Ok(false);
            }
        }
        let text = format!(
            "UPDATE _headwater_leases SET token = ?, host = ?, machine = ?, process = ?, \
             command = ?, taken_at = {now}, expires_at = {now} + {LASTS} WHERE {free}"
        );
        let values: Vec<Value> = vec![
            token.into(),
            claim.host.clone().into(),
            claim.machine.clone().into(),
            claim.process.into(),
            claim.command.clone().into(),
            name.into(),
        ];
        let text = self.marked(&text);
        let claimed = turn.execute(&text, values).await.during(action)?;
        turn.commit().await.during(action)?;
        Ok(claimed == 1)
    }

    /// Who took the lease last, also when it has expired since; none when nobody did.
    async fn lease_holder(&self, name: &str) -> Result<Option<Holder>, StoreError> {
        let text = format!("{HOLDER} WHERE name = ? AND token IS NOT NULL");
        let rows = self.query_all(&text, vec![name.into()]).await?;
        rows.first().map(holder).transpose().during(&text)
    }

    /// Fails when a lease ended long ago and can still not be taken: its holder is frozen in the
    /// middle of a page, and may be so for ever.
    ///
    /// # Errors
    /// With the name of the holder.
    pub async fn require_alive(&self, holder: &Holder) -> Result<(), StoreError> {
        let text = format!("SELECT {}", self.dialect().clock());
        let rows = self.query_all(&text, Vec::new()).await?;
        let now: i64 = match rows.first() {
            Some(row) => row.get(0).during(&text)?,
            None => return Ok(()),
        };
        if now <= holder.expires_at + GRACE {
            return Ok(());
        }
        Err(StoreError::locked(
            format!("taking the lease of {}", holder.name),
            format!("another process keeps it though it does not renew it ({holder})"),
        ))
    }

    /// Ends another process's lease, which is known to be dead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_lease(&self, dead: &Holder) -> Result<(), StoreError> {
        self.delete_lease(&dead.name, &dead.token).await
    }

    async fn delete_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_leases WHERE name = ? AND token = ?";
        self.execute(text, vec![name.into(), token.into()])
            .await
            .map(|_| ())
    }

    async fn keep_alive(self, name: String, token: String) {
        let text = renewal(self.dialect(), 1);
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let values = vec![name.clone().into(), token.clone().into()];
            // A database that is away for a moment is asked again; a lost lease is reported by the
            // next page.
            if let Ok(0) = self.execute(&text, values).await {
                return;
            }
        }
    }
}

fn holder_text(sql: SqlDialect) -> String {
    let now = sql.clock();
    format!("{HOLDER} WHERE name = ? AND expires_at >= {now}")
}

fn renewal(sql: SqlDialect, leases: usize) -> String {
    let now = sql.clock();
    let any = vec!["(name = ? AND token = ?)"; leases].join(" OR ");
    format!("UPDATE _headwater_leases SET expires_at = {now} + {LASTS} WHERE {any}")
}

impl Transaction<'_> {
    /// Renews the leases behind the page, if there are any.
    ///
    /// # Errors
    /// When one of them is no longer ours: then nothing of the page may be committed.
    pub(crate) async fn renew_leases(&self, scope: &Scope) -> Result<(), StoreError> {
        let leases = self.store.held.of(&self.params);
        if leases.is_empty() {
            return Ok(());
        }
        let expected = leases.len() as u64;
        let text = renewal(self.store.dialect(), leases.len());
        let names: Vec<String> = leases.iter().map(|(name, _)| name.clone()).collect();
        let values = leases
            .into_iter()
            .flat_map(|(name, token)| [name.into(), token.into()]);
        if self.execute(&text, values.collect()).await? == expected {
            return Ok(());
        }
        let mut holders = Vec::new();
        let text = holder_text(self.store.dialect());
        for name in names {
            for row in self.query_all(&text, vec![name.into()]).await? {
                holders.push(holder(&row).during(&text)?.to_string());
            }
        }
        Err(StoreError::lease_lost(
            format!("beginning a page of {}", scope.full_name),
            holders.join("; "),
        ))
    }
}

fn holder(row: &Row) -> Result<Holder, DbErr> {
    let taken_at: Option<i64> = row.get(6)?;
    let text = |place| {
        row.get::<Option<String>>(place)
            .map(Option::unwrap_or_default)
    };
    Ok(Holder {
        name: row.get(0)?,
        token: text(1)?,
        claim: Claim {
            host: text(2)?,
            machine: text(3)?,
            process: row.get::<Option<i64>>(4)?.unwrap_or_default(),
            command: text(5)?,
        },
        since: taken_at.and_then(DateTime::from_timestamp_millis),
        expires_at: row.get::<Option<i64>>(7)?.unwrap_or_default(),
    })
}
