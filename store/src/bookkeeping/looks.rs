//! When a list that is not read in each run was last asked for, and whether it was there.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Store;
use crate::bookkeeping::progress::WalkKey;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

const COLUMNS: [&str; 5] = ["params", "stream", "looked_at", "seq", "absent_since"];

/// What is remembered of the last time that a list was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// When that was, by our clock (UTC).
    pub at: DateTime<Utc>,
    /// The scope's latest change at that time.
    pub seq: i64,
    /// Since when the list is not there (UTC); none for a list that is.
    pub absent_since: Option<DateTime<Utc>>,
}

impl Look {
    /// Whether it was so many hours ago, or is later than now, as when the clock was corrected.
    #[must_use]
    pub fn is_over(&self, hours: i64, now: DateTime<Utc>) -> bool {
        let age = now - self.at;
        age < TimeDelta::zero() || age >= TimeDelta::hours(hours)
    }
}

impl Store {
    /// The last time that a list was asked for; none where it never was.
    pub async fn look(&self, key: WalkKey<'_>) -> Result<Option<Look>, StoreError> {
        let text = "SELECT looked_at, seq, absent_since FROM _headwater_looks \
                    WHERE params = ? AND stream = ?";
        let values = vec![key.scope.params().into(), key.stream.into()];
        let rows = self.query_all(text, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (at, seq, absent): (i64, i64, Option<i64>) = read().during("reading a look")?;
        // A time that no calendar has is as if the list had never been asked for.
        Ok(DateTime::from_timestamp_millis(at).map(|at| Look {
            at,
            seq,
            absent_since: absent.and_then(DateTime::from_timestamp_millis),
        }))
    }

    /// Forgets when lists were asked for, of all scopes: each is due.
    pub async fn forget_looks(&self) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_looks";
        self.execute(text, Vec::new()).await.map(|_| ())
    }
}

impl Transaction<'_> {
    /// Notes that a list was asked for.
    pub async fn note_look(&self, stream: &str, look: Look) -> Result<(), StoreError> {
        let shape = Shape::plain("_headwater_looks", &COLUMNS, &["params", "stream"]);
        let absent_since = look.absent_since.map(|since| since.timestamp_millis());
        let row = vec![
            self.params.clone().into(),
            stream.into(),
            look.at.timestamp_millis().into(),
            look.seq.into(),
            absent_since.into(),
        ];
        self.upsert(&shape, vec![row]).await
    }
}
