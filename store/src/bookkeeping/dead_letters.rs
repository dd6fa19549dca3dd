//! Items that could not be processed: kept with the reason, tried again by the next run.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use crate::database::Row;

use headwater_domain::Scope;
use headwater_redaction::known::shown;

use crate::Store;
use crate::database::sql::key_list;
use crate::database::transaction::Transaction;
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

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
    /// Place in the JSON, such as `author.links.html`, or the status and address of a request.
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
    /// When it first failed (UTC).
    pub first_at: Option<DateTime<Utc>>,
    /// When it was last tried (UTC).
    pub last_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The dead letters of a scope, in stage, stream and item order.
    pub async fn dead_letters(&self, scope: &Scope) -> Result<Vec<StoredLetter>, StoreError> {
        let text = "SELECT stage, stream, item, raw_id, path, message, attempts, first_at, last_at \
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

    /// Items of a stream whose collection failed, as [`named`].
    pub async fn dead_items(&self, scope: &Scope, stream: &str) -> Result<Vec<String>, StoreError> {
        let text = "SELECT item FROM _headwater_dead_letters \
                    WHERE params = ? AND stage = 'collect' AND stream = ? ORDER BY item";
        let values = vec![scope.params().into(), stream.into()];
        let rows = self.query_all(text, values).await?;
        let items = rows.iter().map(|row| row.get(0));
        items.collect::<Result<_, _>>().during(text)
    }

    /// Number of dead letters of a scope.
    pub async fn dead_letter_count(&self, scope: &Scope) -> Result<u64, StoreError> {
        let text = "SELECT COUNT(*) FROM _headwater_dead_letters WHERE params = ?";
        self.count(text, vec![scope.params().into()]).await
    }
}

impl Transaction<'_> {
    /// Stores dead letters; one that is there already counts another attempt.
    pub async fn record_letters(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        for letter in letters {
            let letter = &DeadLetter {
                path: shown(&letter.path),
                message: shown(&letter.message),
                ..letter.clone()
            };
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
                named(&letter.item).into(),
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
            named(&letter.item).into(),
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
    pub async fn requeue_letters(
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

    /// Clears the dead letters of a stream's collection that were tried again and went through.
    pub async fn resolve_letters(&self, stream: &str, items: &[String]) -> Result<(), StoreError> {
        for group in items.chunks(256) {
            let (list, items) = key_list(group.iter().map(|item| named(item).into()).collect());
            let text = format!(
                "DELETE FROM _headwater_dead_letters \
                 WHERE params = ? AND stage = 'collect' AND stream = ? AND item IN {list}"
            );
            let mut values = vec![self.params.clone().into(), stream.into()];
            values.extend(items);
            self.execute(&text, values).await?;
        }
        Ok(())
    }
}

/// Longest name of an item that the table's key takes, in characters.
const NAME_LENGTH: usize = 255;

/// The name of an item as the table's key takes it: the end of a longer one becomes a hash.
#[must_use]
pub fn named(item: &str) -> String {
    if item.chars().count() <= NAME_LENGTH {
        return item.to_owned();
    }
    // FNV-1a: the same in every version, which `std` does not promise of its hashes.
    let hash = item.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = item.chars().take(NAME_LENGTH - 17).collect();
    format!("{kept}~{hash:016x}")
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
        first_at: row.get(7)?,
        last_at: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_to_what_the_key_takes_and_stay_apart() {
        assert_eq!(named("12/301"), "12/301");
        let [one, other] = ["a", "b"].map(|end| named(&format!("{}{end}", "ä".repeat(400))));
        assert_ne!(one, other);
        assert_eq!(one.chars().count(), NAME_LENGTH);
        assert_eq!(named(&one), one);
    }
}
