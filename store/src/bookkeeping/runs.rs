//! What ran when: one row per run, one per step of it.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use crate::database::Row;

use headwater_domain::Scope;
use headwater_redaction::known::shown;

use crate::Store;
use crate::error::{During, StoreError};

/// One step of a run: a stream at a stage for a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRecord {
    /// The stage: `collect`, `extract` or `convert`.
    pub stage: String,
    /// The stream, or the conversion.
    pub stream: String,
    /// `success`, `partial`, `failed` or `cancelled`.
    pub state: String,
    /// Items or rows read.
    pub items: i64,
    /// Rows inserted or updated.
    pub written: i64,
    /// Rows removed.
    pub removed: i64,
    /// Requests sent.
    pub requests: i64,
    /// When it began (UTC).
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it is not a success; empty when it is.
    pub message: String,
}

/// What is read of a step.
pub(super) const STEP_COLUMNS: &str = "stage, stream, state, items, written, removed, requests, \
                                       started_at, finished_at, message";

/// The latest run of every step of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeStatus {
    /// The step as it last ran.
    pub step: StepRecord,
    /// Everything that changed at the source before this time is stored (UTC).
    pub fresh_until: Option<DateTime<Utc>>,
}

impl Store {
    /// Notes the begin of a run and returns its id.
    pub async fn begin_run(&self, command: &str, at: DateTime<Utc>) -> Result<i64, StoreError> {
        let text = "INSERT INTO _headwater_runs (command, started_at, state) VALUES (?, ?, ?)";
        let values: Vec<Value> = vec![command.into(), at.into(), "running".into()];
        let turn = self.database.turn().await;
        let marked = self.marked(text);
        turn.insert(&marked, values).await.during(text)
    }

    /// Notes the end of a run.
    pub async fn finish_run(
        &self,
        run: i64,
        state: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_runs SET finished_at = ?, state = ? WHERE id = ?";
        self.execute(text, vec![at.into(), state.into(), run.into()])
            .await
            .map(|_| ())
    }

    /// Notes a finished step.
    pub async fn record_step(
        &self,
        run: i64,
        scope: &Scope,
        step: &StepRecord,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO _headwater_steps (run_id, params, stage, stream, state, items, \
                    written, removed, requests, started_at, finished_at, message) \
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let values: Vec<Value> = vec![
            run.into(),
            scope.params().into(),
            step.stage.clone().into(),
            step.stream.clone().into(),
            step.state.clone().into(),
            step.items.into(),
            step.written.into(),
            step.removed.into(),
            step.requests.into(),
            step.started_at.into(),
            step.finished_at.into(),
            shown(&step.message).into(),
        ];
        self.execute(text, values).await.map(|_| ())
    }

    /// Whether this step of a scope ended with the same state and message when it last ran; false
    /// for a step without a message.
    pub async fn was_said(&self, scope: &Scope, step: &StepRecord) -> Result<bool, StoreError> {
        if step.message.is_empty() {
            return Ok(false);
        }
        let text = "SELECT state, message FROM _headwater_steps \
                    WHERE params = ? AND stage = ? AND stream = ? \
                    ORDER BY run_id DESC, id DESC LIMIT 1";
        let values: Vec<Value> = vec![
            scope.params().into(),
            step.stage.clone().into(),
            step.stream.clone().into(),
        ];
        let rows = self.query_all(text, values).await?;
        let last = rows.first().map(|row| Ok((row.get(0)?, row.get(1)?)));
        let last: Option<(String, String)> = last.transpose().during(text)?;
        Ok(last == Some((step.state.clone(), shown(&step.message))))
    }

    /// Every step of a scope as it last ran, with how fresh its data is.
    pub async fn scope_status(&self, scope: &Scope) -> Result<Vec<ScopeStatus>, StoreError> {
        let text = "SELECT steps.stage, steps.stream, steps.state, steps.items, steps.written, \
                    steps.removed, steps.requests, steps.started_at, steps.finished_at, \
                    steps.message, walks.since FROM _headwater_steps AS steps \
                    JOIN (SELECT stage, stream, MAX(run_id) AS run_id FROM _headwater_steps \
                    WHERE params = ? GROUP BY stage, stream) AS latest \
                    ON latest.stage = steps.stage AND latest.stream = steps.stream \
                    AND latest.run_id = steps.run_id \
                    LEFT JOIN _headwater_walks AS walks ON walks.params = steps.params \
                    AND walks.stream = steps.stream AND steps.stage = 'collect' \
                    WHERE steps.params = ? ORDER BY steps.run_id, steps.started_at, \
                    steps.stage, steps.stream";
        let params = scope.params();
        let rows = self
            .query_all(text, vec![params.clone().into(), params.into()])
            .await?;
        rows.iter()
            .map(scope_status)
            .collect::<Result<_, _>>()
            .during("reading the status")
    }

    /// Number of deployments that the source tells of a scope and whose environment no rule knows.
    pub async fn deployments_without_environment(&self, scope: &Scope) -> Result<u64, StoreError> {
        let text = "SELECT COUNT(*) FROM cicd_deployments \
                    WHERE _raw_data_params = ? AND subtask_name = '' AND environment = ''";
        self.count(text, vec![scope.params().into()]).await
    }

    /// Number of rows of a table that belong to a scope.
    pub async fn scope_rows(&self, scope: &Scope, table: &str) -> Result<u64, StoreError> {
        let column = match headwater_domain::table::Layer::of(table) {
            headwater_domain::table::Layer::Raw => "params",
            _ => "_raw_data_params",
        };
        let text = format!("SELECT COUNT(*) FROM {table} WHERE {column} = ?");
        self.count(&text, vec![scope.params().into()]).await
    }
}

fn scope_status(row: &Row) -> Result<ScopeStatus, DbErr> {
    Ok(ScopeStatus {
        step: step_record(row)?,
        fresh_until: row.get(10)?,
    })
}

/// Reads [`STEP_COLUMNS`], which come first in the row.
pub(super) fn step_record(row: &Row) -> Result<StepRecord, DbErr> {
    Ok(StepRecord {
        stage: row.get(0)?,
        stream: row.get(1)?,
        state: row.get(2)?,
        items: row.get(3)?,
        written: row.get(4)?,
        removed: row.get(5)?,
        requests: row.get(6)?,
        started_at: row.get(7)?,
        finished_at: row.get(8)?,
        message: row.get(9)?,
    })
}
