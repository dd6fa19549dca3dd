//! Figures for what watches over a server. Their cost follows what is there, not what was done:
//! no table of history is read but by an index.

use chrono::{DateTime, Utc};
use sea_orm::Value;

use super::ledger::Window;
use crate::Store;
use crate::error::{During, StoreError};

/// Figures of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Number of runs that are stored, by state.
    pub runs: Vec<(String, i64)>,
    /// Seconds since the oldest of the lists that a repository's rows rest on was read, by
    /// `connection:repository`.
    pub ages_sec: Vec<(String, i64)>,
    /// Seconds since a project was due, by its name; 0 when it is not.
    pub late_sec: Vec<(String, i64)>,
    /// Items that could not be processed.
    pub dead_letters: i64,
    /// Requests sent within the last hour, of all credentials.
    pub requests_last_hour: i64,
}

impl Store {
    /// The figures at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn figures(&self, now: DateTime<Utc>) -> Result<Figures, StoreError> {
        let runs = "SELECT state, COUNT(*) FROM _headwater_runs GROUP BY state ORDER BY state";
        let runs = self.query_all(runs, Vec::new()).await?;
        let runs = runs.iter().map(|row| {
            let state: Option<String> = row.get(0)?;
            Ok((state.unwrap_or_default(), row.get(1)?))
        });
        let ages = "SELECT scopes.connection_id, scopes.full_name, MIN(walks.since) \
                    FROM _headwater_scopes AS scopes \
                    JOIN _headwater_walks AS walks ON walks.params = scopes.params \
                    WHERE walks.since IS NOT NULL AND scopes.source_gone_at IS NULL \
                    GROUP BY scopes.connection_id, scopes.full_name \
                    ORDER BY scopes.connection_id, scopes.full_name";
        let ages = self.query_all(ages, Vec::new()).await?;
        let ages = ages.iter().map(|row| {
            let (connection, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let since: DateTime<Utc> = row.get(2)?;
            Ok((format!("{connection}:{name}"), seconds(since, now)))
        });
        let late = self.schedules().await?.into_iter().map(|schedule| {
            let due = schedule.next_due_at.filter(|_| !schedule.paused);
            (schedule.project, due.map_or(0, |due| seconds(due, now)))
        });
        let during = "reading the figures";
        Ok(Figures {
            runs: runs.collect::<Result<_, sea_orm::DbErr>>().during(during)?,
            ages_sec: ages.collect::<Result<_, sea_orm::DbErr>>().during(during)?,
            late_sec: late.collect(),
            dead_letters: i64::try_from(
                self.count(
                    "SELECT COUNT(*) FROM _headwater_dead_letters",
                    Vec::<Value>::new(),
                )
                .await?,
            )
            .unwrap_or(i64::MAX),
            requests_last_hour: self.requests_last_hour(now).await?,
        })
    }

    async fn requests_last_hour(&self, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let text = "SELECT credential FROM _headwater_credentials";
        let ledger = self.ledger(Window::HOUR).await?.in_steady_time();
        let mut sum = 0;
        for row in self.query_all(text, Vec::new()).await? {
            let credential: String = row.get(0).during(text)?;
            sum += ledger.used(&credential, now).await?;
        }
        Ok(i64::try_from(sum).unwrap_or(i64::MAX))
    }
}

fn seconds(since: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (now - since).num_seconds().max(0)
}
