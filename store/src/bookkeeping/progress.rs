//! How far every step has come: checkpoints, work lists, walks and removals.

use chrono::{DateTime, Utc};
use sea_orm::Value;

use headwater_domain::{Scope, Table};
use sea_orm::sea_query::ColumnType;

use crate::Store;
use crate::database::sql::list_of;
use crate::database::transaction::Transaction;
use crate::database::values::{self, KeyValue};
use crate::error::{During, StoreError};
use crate::rows::read::{Way, within};
use crate::rows::shape::Shape;

/// Rules of a checkpoint whose step has to begin anew.
pub(crate) const STALE: &str = "stale";

/// The columns of a work list, all of which are its key.
const WORK_KEY: [&str; 3] = ["params", "step", "row_key"];

/// Up to where a step has read its input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Changes up to this sequence are done.
    pub seq: i64,
    /// Within the next sequence, rows up to this id are done.
    pub row_id: i64,
    /// The rules under which they were done; other rules start over.
    pub rules: String,
}

impl Checkpoint {
    /// The rules of a step: the version of its mapping, and what identifies the configured rules
    /// that it looks at, if it looks at any.
    #[must_use]
    pub fn rules_of(version: &str, fingerprint: &str) -> String {
        if fingerprint.is_empty() {
            version.to_owned()
        } else {
            format!("{version} {fingerprint}")
        }
    }

    /// True when nothing was ever done under any rules.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.seq == 0 && self.row_id == 0 && self.rules.is_empty()
    }
}

/// What is remembered of the walks over one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalkState {
    /// Everything that changed before this server time is stored (UTC).
    pub since: Option<DateTime<Utc>>,
    /// Range that the last finished walk covered (UTC); none means everything.
    pub data_after: Option<DateTime<Utc>>,
    /// True once a walk over the whole range has finished.
    pub complete: bool,
    /// Number of the walk under way or last done.
    pub walk: i64,
    /// Address of the page to fetch next, of a walk that was interrupted.
    pub resume_at: Option<String>,
    /// What the interrupted walk asked for; another question starts a new walk.
    pub resume_query: Option<String>,
    /// Server time at which the interrupted walk began (UTC).
    pub resume_since: Option<DateTime<Utc>>,
}

impl WalkState {
    /// True when a range reaches further back than what was walked.
    #[must_use]
    pub fn is_exceeded_by(&self, wanted: Option<DateTime<Utc>>) -> bool {
        match (wanted, self.data_after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(wanted), Some(known)) => wanted < known,
        }
    }
}

/// Names a list that is walked: a stream of a scope.
#[derive(Clone, Copy, Debug)]
pub struct WalkKey<'a> {
    /// The scope.
    pub scope: &'a Scope,
    /// The stream.
    pub stream: &'a str,
}

/// Names the step that works through everything, whose one key says how far it has come: a list
/// of all keys would cost more than many a conversion.
fn everything(step: &str) -> String {
    format!("all:{step}")
}

const WALK_COLUMNS: [&str; 9] = [
    "params",
    "stream",
    "since",
    "data_after",
    "complete",
    "walk",
    "resume_at",
    "resume_query",
    "resume_since",
];

impl Store {
    /// The checkpoint of a step; the start when there is none.
    pub async fn checkpoint(&self, scope: &Scope, step: &str) -> Result<Checkpoint, StoreError> {
        let text = "SELECT seq, row_id, rules FROM _headwater_checkpoints \
                    WHERE params = ? AND step = ?";
        let values = vec![scope.params().into(), step.into()];
        let rows = self.query_all(text, values).await?;
        let Some(row) = rows.first() else {
            return Ok(Checkpoint::default());
        };
        let read = || {
            Ok(Checkpoint {
                seq: row.get(0)?,
                row_id: row.get(1)?,
                rules: row.get(2)?,
            })
        };
        read().during("reading a checkpoint")
    }

    /// What is remembered of the walks over a list.
    pub async fn walk_state(&self, key: WalkKey<'_>) -> Result<WalkState, StoreError> {
        let columns = WALK_COLUMNS[2..].join(", ");
        let text =
            format!("SELECT {columns} FROM _headwater_walks WHERE params = ? AND stream = ?");
        let values = vec![key.scope.params().into(), key.stream.into()];
        let rows = self.query_all(&text, values).await?;
        let Some(row) = rows.first() else {
            return Ok(WalkState::default());
        };
        let read = || {
            Ok(WalkState {
                since: row.get(0)?,
                data_after: row.get(1)?,
                complete: row.get(2)?,
                walk: row.get(3)?,
                resume_at: row.get(4)?,
                resume_query: row.get(5)?,
                resume_since: row.get(6)?,
            })
        };
        read().during("reading the state of a walk")
    }

    /// Keys after a key that a step still has to work on, in key order.
    pub async fn work(
        &self,
        scope: &Scope,
        step: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let text = "SELECT row_key FROM _headwater_work \
                    WHERE params = ? AND step = ? AND row_key > ? ORDER BY row_key LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![
            scope.params().into(),
            step.into(),
            after.into(),
            limit.into(),
        ];
        let rows = self.query_all(text, values).await?;
        let keys = rows.iter().map(|row| row.get(0));
        keys.collect::<Result<_, _>>().during("reading work")
    }

    /// The key up to which a step has worked through everything there is, empty at the beginning;
    /// none when it is not about to.
    pub async fn reached_of_everything(
        &self,
        scope: &Scope,
        step: &str,
    ) -> Result<Option<KeyValue>, StoreError> {
        let text = "SELECT row_key FROM _headwater_work WHERE params = ? AND step = ?";
        let values = vec![scope.params().into(), everything(step).into()];
        let rows = self.query_all(text, values).await?;
        let reached = rows.first().map(|row| row.get(0)).transpose();
        reached.during("reading work")
    }

    /// Values of a column that leads a tool table's key within a scope, after a value and in
    /// order; all of them after an empty one.
    pub async fn keys_after(
        &self,
        scope: &Scope,
        (table, column): (&Table, &str),
        after: &str,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let (condition, mut values) = within(table, scope);
        let kind = table.position(column);
        let kind = kind.map_or(&ColumnType::Text, |place| &table.columns[place].column_type);
        let mut further = String::new();
        if !after.is_empty() {
            further = format!("AND {column} > ?");
            values.push(values::key_value(after, kind));
        }
        let text = format!(
            "SELECT DISTINCT {column} FROM {} WHERE {condition} {further} ORDER BY {column} LIMIT ?",
            table.name
        );
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let rows = self.query_all(&text, values).await?;
        let keys = rows.iter().map(|row| values::read(row, 0, kind));
        let keys = keys.map(|key| key.map(|key| values::key_text(&key)));
        keys.collect::<Result<_, _>>().during("reading keys")
    }

    pub(crate) async fn count(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let rows = self.query_all(text, values).await?;
        let count: i64 = match rows.first() {
            Some(row) => row.get(0).during(text)?,
            None => 0,
        };
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Keys of rows removed from a table after one sequence, up to another.
    pub async fn removed_between(
        &self,
        scope: &Scope,
        table: &str,
        after: i64,
        up_to: i64,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let text = "SELECT row_key FROM _headwater_deleted_rows \
                    WHERE params = ? AND table_name = ? AND seq > ? AND seq <= ? \
                    ORDER BY seq, row_key";
        let values = vec![
            scope.params().into(),
            table.into(),
            after.into(),
            up_to.into(),
        ];
        let rows = self.query_all(text, values).await?;
        let keys = rows.iter().map(|row| row.get(0));
        keys.collect::<Result<_, _>>().during("reading removals")
    }

    /// Forgets removals that every step of the scope has passed.
    pub async fn prune_removed(&self, scope: &Scope, steps: &[String]) -> Result<(), StoreError> {
        let mut passed = i64::MAX;
        for step in steps {
            passed = passed.min(self.checkpoint(scope, step).await?.seq);
        }
        let text = "DELETE FROM _headwater_deleted_rows WHERE params = ? AND seq <= ?";
        let values = vec![scope.params().into(), passed.into()];
        self.execute(text, values).await.map(|_| ())
    }

    /// The sequence of the scope's latest change; 0 for an unknown scope.
    pub async fn latest_seq(&self, scope: &Scope) -> Result<i64, StoreError> {
        let text = "SELECT seq FROM _headwater_scopes WHERE params = ?";
        let rows = self.query_all(text, vec![scope.params().into()]).await?;
        match rows.first() {
            Some(row) => row.get(0).during("reading a sequence"),
            None => Ok(0),
        }
    }
}

impl Transaction<'_> {
    /// Has a step of a scope begin anew, which it does under rules that are no version's.
    pub(crate) fn step_is_stale(&self, params: &str, step: &str) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_checkpoints SET rules = ? WHERE params = ? AND step = ?";
        self.queue(text, vec![STALE.into(), params.into(), step.into()])
    }

    /// Stores how far a step has come.
    pub async fn set_checkpoint(
        &self,
        step: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), StoreError> {
        self.set_checkpoint_of(&self.params, step, checkpoint).await
    }

    /// Likewise in another scope.
    pub(crate) async fn set_checkpoint_of(
        &self,
        params: &str,
        step: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), StoreError> {
        let shape = Shape::plain(
            "_headwater_checkpoints",
            &["params", "step", "seq", "row_id", "rules"],
            &["params", "step"],
        );
        let row = vec![
            params.into(),
            step.into(),
            checkpoint.seq.into(),
            checkpoint.row_id.into(),
            checkpoint.rules.clone().into(),
        ];
        self.upsert(&shape, vec![row]).await
    }

    /// Stores what is to be remembered of a walk.
    pub async fn set_walk_state(&self, stream: &str, state: &WalkState) -> Result<(), StoreError> {
        let shape = Shape::plain("_headwater_walks", &WALK_COLUMNS, &["params", "stream"]);
        let row = vec![
            self.params.clone().into(),
            stream.into(),
            state.since.into(),
            state.data_after.into(),
            state.complete.into(),
            state.walk.into(),
            state.resume_at.clone().into(),
            state.resume_query.clone().into(),
            state.resume_since.into(),
        ];
        self.upsert(&shape, vec![row]).await
    }

    /// Adds to a step's work the values of a column in rows changed after one sequence, up to
    /// another.
    pub async fn add_changed_work(
        &self,
        step: &str,
        (table, column): (&str, &str),
        (after, up_to): (i64, i64),
    ) -> Result<(), StoreError> {
        let key = self.store.dialect().text(&format!("changed.{column}"));
        let known = self.unless_listed();
        let text = format!(
            "INSERT INTO _headwater_work (params, step, row_key) \
             SELECT DISTINCT changed._raw_data_params, ?, {key} \
             FROM {table} AS changed WHERE changed._raw_data_params = ? \
             AND changed.changed_seq > ? AND changed.changed_seq <= ? {known}"
        );
        self.add_changed_keys(&text, step, (after, up_to)).await
    }

    /// The same for keys of rows that name the changed ones.
    pub async fn add_work_naming(
        &self,
        step: &str,
        (table, column): (&str, &str),
        way: &Way,
        (after, up_to): (i64, i64),
    ) -> Result<(), StoreError> {
        let Way {
            table: naming,
            from,
            to,
        } = way;
        let key = self.store.dialect().text(&format!("naming.{to}"));
        let known = self.unless_listed();
        let text = format!(
            "INSERT INTO _headwater_work (params, step, row_key) \
             SELECT DISTINCT naming._raw_data_params, ?, {key} \
             FROM {table} AS changed JOIN {naming} AS naming \
             ON naming._raw_data_params = changed._raw_data_params \
             AND naming.{from} = changed.{column} WHERE changed._raw_data_params = ? \
             AND changed.changed_seq > ? AND changed.changed_seq <= ? {known}"
        );
        self.add_changed_keys(&text, step, (after, up_to)).await
    }

    /// Runs a statement that adds to a step's work what changed in this scope after one sequence,
    /// up to another.
    async fn add_changed_keys(
        &self,
        text: &str,
        step: &str,
        (after, up_to): (i64, i64),
    ) -> Result<(), StoreError> {
        let values = vec![
            step.into(),
            self.params.clone().into(),
            after.into(),
            up_to.into(),
        ];
        let added = self.execute(text, values).await?;
        self.note_written("_headwater_work", added);
        Ok(())
    }

    /// The end of an insertion into work lists: a key that is listed already stays.
    pub(crate) fn unless_listed(&self) -> String {
        let sql = self.store.dialect();
        sql.unless_stored(&WORK_KEY, "_headwater_work")
    }

    /// The same, and a key that is listed already is locked until the commit.
    pub(crate) fn locking_listed(&self) -> String {
        let sql = self.store.dialect();
        sql.locking_stored(&WORK_KEY, "_headwater_work")
    }

    /// Adds keys to a step's work.
    pub async fn add_work(&self, step: &str, keys: Vec<KeyValue>) -> Result<(), StoreError> {
        let shape = Shape::plain("_headwater_work", &WORK_KEY, &WORK_KEY);
        let row = |key: KeyValue| vec![self.params.clone().into(), step.into(), key.into()];
        self.upsert(&shape, keys.into_iter().map(row).collect())
            .await
    }

    /// Makes everything there is a step's work, from the beginning on.
    pub async fn begin_everything(&self, step: &str) -> Result<(), StoreError> {
        self.end_everything(step)?;
        self.add_work(&everything(step), vec![KeyValue::new()])
            .await
    }

    /// Notes up to which key a step has worked through everything.
    pub fn reach_of_everything(&self, step: &str, key: &KeyValue) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_work SET row_key = ? WHERE params = ? AND step = ?";
        let values = vec![
            key.clone().into(),
            self.params.clone().into(),
            everything(step).into(),
        ];
        self.queue(text, values)
    }

    /// Notes that a step has worked through everything.
    pub fn end_everything(&self, step: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_work WHERE params = ? AND step = ?";
        let values = vec![self.params.clone().into(), everything(step).into()];
        self.queue(text, values)
    }

    /// Takes keys off a step's work.
    pub fn finish_work(&self, step: &str, keys: &[KeyValue]) -> Result<(), StoreError> {
        for group in keys.chunks(256) {
            let (list, keys) = list_of(group);
            let text = format!(
                "DELETE FROM _headwater_work WHERE params = ? AND step = ? AND row_key IN {list}"
            );
            let mut values = vec![self.params.clone().into(), step.into()];
            values.extend(keys);
            self.queue(&text, values)?;
        }
        Ok(())
    }

    /// Notes rows removed from a tracked table, so that later stages follow.
    pub(crate) async fn note_deleted(
        &mut self,
        table: &str,
        keys: Vec<KeyValue>,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let names = ["params", "table_name", "seq", "row_key"];
        let shape = Shape::plain("_headwater_deleted_rows", &names, &names);
        let row = |key: KeyValue| {
            vec![
                self.params.clone().into(),
                table.into(),
                self.seq.into(),
                key.into(),
            ]
        };
        let rows = keys.into_iter().map(row).collect();
        self.upsert(&shape, rows).await?;
        self.mark_changed();
        Ok(())
    }
}
