//! The scopes the database knows, their sequence and their range.

use chrono::{DateTime, Utc};
use sea_orm::Value;

use headwater_domain::Scope;

use crate::Store;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// A registered scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownScope {
    /// Connection and repository.
    pub scope: Scope,
    /// Nothing older is collected (UTC); none means everything.
    pub data_after: Option<DateTime<Utc>>,
    /// When the source stopped knowing the repository (UTC); its rows stay.
    pub source_gone_at: Option<DateTime<Utc>>,
    /// Sequence of its last change: equal when no raw or tool row has changed in between.
    pub seq: i64,
}

impl Store {
    /// Registers a scope where it is not yet known.
    pub async fn register(&self, scope: &Scope, now: DateTime<Utc>) -> Result<(), StoreError> {
        let known = "SELECT 1 FROM _headwater_scopes WHERE params = ?";
        let params = scope.params();
        if !self
            .query_all(known, vec![params.clone().into()])
            .await?
            .is_empty()
        {
            return Ok(());
        }
        let columns = [
            "connection_id",
            "full_name",
            "params",
            "seq",
            "registered_at",
        ];
        let shape = Shape {
            // Another process may register it at the same moment.
            keep_existing: true,
            ..Shape::plain(
                "_headwater_scopes",
                &columns,
                &["connection_id", "full_name"],
            )
        };
        let text = self.texts.upsert(self.backend(), &shape, 1);
        let text = text.during("registering a scope")?;
        let values: Vec<Value> = vec![
            scope.connection_id.into(),
            scope.full_name.clone().into(),
            params.into(),
            0i64.into(),
            now.into(),
        ];
        let turn = self.database.turn().await;
        let done = turn.execute(&text, values).await;
        done.map(|_| ()).during("registering a scope")
    }

    /// All registered scopes in name order.
    pub async fn scopes(&self) -> Result<Vec<KnownScope>, StoreError> {
        let text = "SELECT connection_id, full_name, data_after, source_gone_at, seq \
                    FROM _headwater_scopes ORDER BY connection_id, full_name";
        let rows = self.query_all(text, Vec::new()).await?;
        let read = rows.iter().map(|row| {
            let name: String = row.get(1)?;
            Ok(KnownScope {
                scope: Scope::new(row.get(0)?, name),
                data_after: row.get(2)?,
                source_gone_at: row.get(3)?,
                seq: row.get(4)?,
            })
        });
        read.collect::<Result<_, _>>().during("reading scopes")
    }

    /// Sets the range of a scope; it only ever widens. Returns the range now in force.
    ///
    /// `None` asks for everything.
    pub async fn widen(
        &self,
        scope: &Scope,
        wanted: Option<DateTime<Utc>>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let params = scope.params();
        let text = "SELECT data_after, range_known FROM _headwater_scopes WHERE params = ?";
        let rows = self.query_all(text, vec![params.clone().into()]).await?;
        let stored = match rows.first() {
            Some(row) => {
                let after: Option<DateTime<Utc>> = row.get(0).during(text)?;
                let known: Option<bool> = row.get(1).during(text)?;
                known.unwrap_or_default().then_some(after)
            }
            None => None,
        };
        let range = match stored {
            None => wanted,
            // `None` is the widest range; otherwise the earlier date is.
            Some(before) => before.and_then(|b| wanted.map(|w| w.min(b))),
        };
        if stored != Some(range) {
            let text = "UPDATE _headwater_scopes SET data_after = ?, range_known = ? \
                        WHERE params = ?";
            let values = vec![range.into(), true.into(), params.into()];
            self.execute(text, values).await?;
        }
        Ok(range)
    }

    /// Marks a scope as gone at the source, or as there again.
    pub async fn set_source_gone(
        &self,
        scope: &Scope,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let params = scope.params();
        let text = "SELECT source_gone_at FROM _headwater_scopes WHERE params = ?";
        let rows = self.query_all(text, vec![params.clone().into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let stored: Option<DateTime<Utc>> = row.get(0).during(text)?;
        // A scope that is gone keeps the time at which that was first seen.
        if stored.is_some() == at.is_some() {
            return Ok(());
        }
        // As a page of the scope: one whose lease is lost says nothing of it.
        let page = self.begin(scope, DateTime::UNIX_EPOCH).await?;
        let text = "UPDATE _headwater_scopes SET source_gone_at = ? WHERE params = ?";
        page.execute(text, vec![at.into(), params.into()]).await?;
        page.commit().await
    }
}
