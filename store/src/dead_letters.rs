//! Items that could not be processed: kept with the reason, tried again by the next run.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use crate::database::Row;

use headwater_domain::Scope;

use crate::Store;
use crate::error::{During, StoreError};
use crate::page::Page;
use crate::shape::Shape;
use crate::sql::key_list;

/// One item that could not be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Stage that failed: `collect` or `extract`.
    pub stage: String,
    /// Stream the item belongs to.
    pub stream: String,
    /// Natural key of the item, after its parent's.
    pub item: String,
    /// Id of the raw row; none when it never became one.
    pub raw_id: Option<i64>,
    /// Place in the JSON, such as `author.links.html`.
    pub path: String,
    /// What was wrong there.
    pub message: String,
}

/// A stored dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLetter {
    /// The item and the reason.
    pub letter: DeadLetter,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was last tried (UTC).
    pub last_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The dead letters of a scope, in stage, stream and item order.
    pub async fn dead_letters(&self, scope: &Scope) -> Result<Vec<StoredLetter>, StoreError> {
        let text = "SELECT stage, stream, item, raw_id, path, message, attempts, last_at \
                    FROM _headwater_dead_letters WHERE params = ? ORDER BY stage, stream, item";
        let rows = self.query_all(text, vec![scope.params().into()]).await?;
        rows.iter()
            .map(stored_letter)
            .collect::<Result<_, _>>()
            .during(text)
    }

    /// Raw ids of a stream's items that extraction could not process.
    pub async fn dead_raw_ids(&self, scope: &Scope, stream: &str) -> Result<Vec<i64>, StoreError> {
        let text = "SELECT raw_id FROM _headwater_dead_letters \
                    WHERE params = ? AND stage = 'extract' AND stream = ? \
                    AND raw_id IS NOT NULL ORDER BY raw_id";
        let rows = self
            .query_all(text, vec![scope.params().into(), stream.into()])
            .await?;
        let ids = rows.iter().map(|row| row.get(0));
        ids.collect::<Result<_, _>>().during(text)
    }

    /// Number of dead letters of a scope's stream, or of one stage of it.
    pub async fn dead_letter_count(&self, scope: &Scope) -> Result<u64, StoreError> {
        let text = "SELECT COUNT(*) FROM _headwater_dead_letters WHERE params = ?";
        self.count(text, vec![scope.params().into()]).await
    }
}

impl Page<'_> {
    /// Stores dead letters; one that is there already counts another attempt.
    pub async fn bury(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        for letter in letters {
            let text = "UPDATE _headwater_dead_letters \
                        SET raw_id = ?, path = ?, message = ?, attempts = attempts + 1, last_at = ? \
                        WHERE params = ? AND stage = ? AND stream = ? AND item = ?";
            let values: Vec<Value> = vec![
                letter.raw_id.into(),
                letter.path.clone().into(),
                letter.message.clone().into(),
                self.now.into(),
                self.params.clone().into(),
                letter.stage.clone().into(),
                letter.stream.clone().into(),
                letter.item.clone().into(),
            ];
            if self.execute(text, values).await? == 0 {
                self.bury_first(letter).await?;
            }
        }
        Ok(())
    }

    async fn bury_first(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        let shape = Shape::plain(
            "_headwater_dead_letters",
            &[
                "params", "stage", "stream", "item", "raw_id", "path", "message", "attempts",
                "first_at", "last_at",
            ],
            &["params", "stage", "stream", "item"],
        );
        let row = vec![
            self.params.clone().into(),
            letter.stage.clone().into(),
            letter.stream.clone().into(),
            letter.item.clone().into(),
            letter.raw_id.into(),
            letter.path.clone().into(),
            letter.message.clone().into(),
            1i64.into(),
            self.now.into(),
            self.now.into(),
        ];
        self.upsert(&shape, vec![row]).await
    }

    /// Clears the dead letters of items that were processed, or are gone.
    pub async fn revive(
        &self,
        (stage, stream): (&str, &str),
        raw_ids: &[i64],
    ) -> Result<(), StoreError> {
        for group in raw_ids.chunks(256) {
            let (list, ids) = key_list(group.iter().map(|&id| id.into()).collect());
            let text = format!(
                "DELETE FROM _headwater_dead_letters \
                 WHERE params = ? AND stage = ? AND stream = ? AND raw_id IN {list}"
            );
            let mut values = vec![self.params.clone().into(), stage.into(), stream.into()];
            values.extend(ids);
            self.execute(&text, values).await?;
        }
        Ok(())
    }

    /// Clears the dead letters of a stream's collection, which is about to try again.
    pub async fn revive_collection(&self, stream: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_dead_letters \
                    WHERE params = ? AND stage = 'collect' AND stream = ?";
        let values = vec![self.params.clone().into(), stream.into()];
        self.execute(text, values).await.map(|_| ())
    }
}

fn stored_letter(row: &Row) -> Result<StoredLetter, DbErr> {
    Ok(StoredLetter {
        letter: DeadLetter {
            stage: row.get(0)?,
            stream: row.get(1)?,
            item: row.get(2)?,
            raw_id: row.get(3)?,
            path: row.get(4)?,
            message: row.get(5)?,
        },
        attempts: row.get(6)?,
        last_at: row.get(7)?,
    })
}
