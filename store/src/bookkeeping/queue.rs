//! Runs that wait for their turn, and the schedules that queue them.
//!
//! A queued run is a row of `_headwater_runs`. Whoever works on it holds the lease of its name; a
//! run that is under way and whose lease expired is of a dead process, and anybody may go on with
//! it. Pages of a run are fenced by the leases of their scopes, the end of a run by its own.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, Value};

use headwater_redaction::known::shown;

use super::leases::{Claim, Lease, Taken};
use super::runs::{STEP_COLUMNS, StepRecord, step_record};
use crate::Store;
use crate::database::{Row, Turn};
use crate::error::{During, StoreError};
use crate::rows::shape::Shape;

/// How the names of leases begin that stand for queued runs.
const NAME: &str = "queued run ";

/// What is read of a run.
const RUN: &str = "SELECT id, command, project, reason, state, due_at, started_at, finished_at, \
                   cancel_asked_at, message FROM _headwater_runs";

/// States of a run that has not ended.
const OPEN: &str = "'queued', 'running'";

/// True while a lease is still ours.
const HELD: &str = "EXISTS (SELECT 1 FROM _headwater_leases WHERE name = ? AND token = ?)";

/// A run that is to be queued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRun {
    /// The command that it stands for, such as `sync`.
    pub command: String,
    /// Name of the project.
    pub project: String,
    /// Why: `schedule`, `catch-up`, `manual` or `retry`.
    pub reason: &'static str,
    /// When it should begin (UTC).
    pub due_at: Option<DateTime<Utc>>,
}

/// A run, whether a schedule, a person or the command line began it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRecord {
    /// Its number.
    pub id: i64,
    /// The command.
    pub command: String,
    /// Name of the project; empty for a run of the command line.
    pub project: String,
    /// Why it was queued; empty for a run of the command line.
    pub reason: String,
    /// `queued`, `running`, `success`, `partial`, `failed`, `cancelled` or `skipped`.
    pub state: String,
    /// When it should have begun (UTC).
    pub due_at: Option<DateTime<Utc>>,
    /// When it began (UTC).
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    pub finished_at: Option<DateTime<Utc>>,
    /// When somebody asked for its end (UTC).
    pub cancel_asked_at: Option<DateTime<Utc>>,
    /// Why it is not a success; empty when it is.
    pub message: String,
}

/// When a project is synced next, and when it was last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleRecord {
    /// Name of the project.
    pub project: String,
    /// The cron expression that the times follow.
    pub expression: String,
    /// The IANA time zone of the expression.
    pub timezone: String,
    /// How often it was due: whoever fires it counts on from here.
    pub fired: i64,
    /// Nothing is queued while it is.
    pub paused: bool,
    /// When it is due next (UTC).
    pub next_due_at: Option<DateTime<Utc>>,
    /// When it was due last (UTC).
    pub last_due_at: Option<DateTime<Utc>>,
}

/// How a queued run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd<'a> {
    /// `success`, `partial`, `failed`, `cancelled` or `skipped`.
    pub state: &'a str,
    /// Why it is not a success; empty when it is.
    pub message: &'a str,
    /// When (UTC).
    pub at: DateTime<Utc>,
}

impl Store {
    /// The schedules that are kept, by the names of their projects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedules(&self) -> Result<Vec<ScheduleRecord>, StoreError> {
        let text = "SELECT project, expression, timezone, fired, paused, next_due_at, last_due_at \
                    FROM _headwater_schedules ORDER BY project";
        let rows = self.query_all(text, Vec::new()).await?;
        rows.iter()
            .map(schedule)
            .collect::<Result<_, _>>()
            .during(text)
    }

    /// Adds a schedule where the project has none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_schedule(&self, new: &ScheduleRecord) -> Result<(), StoreError> {
        let columns = [
            "project",
            "expression",
            "timezone",
            "fired",
            "paused",
            "next_due_at",
        ];
        let shape = Shape {
            // Another process may add it at the same moment.
            keep_existing: true,
            ..Shape::plain("_headwater_schedules", &columns, &["project"])
        };
        let action = "adding a schedule";
        let text = self
            .texts
            .upsert(self.backend(), &shape, 1)
            .during(action)?;
        let values: Vec<Value> = vec![
            new.project.clone().into(),
            new.expression.clone().into(),
            new.timezone.clone().into(),
            0i64.into(),
            new.paused.into(),
            new.next_due_at.into(),
        ];
        let turn = self.database.turn().await;
        turn.execute(&text, values).await.during(action).map(|_| ())
    }

    /// Writes another expression and time zone into a schedule, with the time that follows from
    /// them. Nothing happens when it has fired since it was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_schedule(&self, changed: &ScheduleRecord) -> Result<(), StoreError> {
        let text = "UPDATE _headwater_schedules SET expression = ?, timezone = ?, next_due_at = ? \
                    WHERE project = ? AND fired = ?";
        let values: Vec<Value> = vec![
            changed.expression.clone().into(),
            changed.timezone.clone().into(),
            changed.next_due_at.into(),
            changed.project.clone().into(),
            changed.fired.into(),
        ];
        self.execute(text, values).await.map(|_| ())
    }

    /// Forgets the schedule of a project that has none any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_schedule(&self, project: &str) -> Result<(), StoreError> {
        let text = "DELETE FROM _headwater_schedules WHERE project = ?";
        self.execute(text, vec![project.into()]).await.map(|_| ())
    }

    /// Pauses a schedule, or lets it go on with the next time. False when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause_schedule(
        &self,
        project: &str,
        paused: bool,
        next_due_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let text = "UPDATE _headwater_schedules SET paused = ?, next_due_at = ?, fired = fired + 1 \
                    WHERE project = ?";
        let values: Vec<Value> = vec![paused.into(), next_due_at.into(), project.into()];
        Ok(self.execute(text, values).await? == 1)
    }

    /// Queues the run that a schedule is due for, and writes down when it is due next: both or
    /// neither. `None` when another process did so, or the schedule changed since it was read.
    ///
    /// While an earlier run of the project has not ended, the new one is noted as skipped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fire_schedule(
        &self,
        due: &ScheduleRecord,
        next_due_at: Option<DateTime<Utc>>,
        (run, now): (&NewRun, DateTime<Utc>),
    ) -> Result<Option<i64>, StoreError> {
        let action = "firing a schedule";
        let mut turn = self.database.turn().await;
        turn.begin().await.during(action)?;
        let text = self.marked(
            "UPDATE _headwater_schedules SET fired = fired + 1, last_due_at = ?, \
             next_due_at = ? WHERE project = ? AND fired = ? AND paused = ?",
        );
        let values: Vec<Value> = vec![
            run.due_at.into(),
            next_due_at.into(),
            due.project.clone().into(),
            due.fired.into(),
            false.into(),
        ];
        if turn.execute(&text, values).await.during(action)? == 0 {
            return Ok(None);
        }
        let id = queue(self, &turn, run, now).await.during(action)?;
        turn.commit().await.during(action)?;
        Ok(Some(id))
    }

    /// Queues a run that a person asks for. While an earlier run of the project has not ended, it
    /// is noted as skipped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_run(&self, run: &NewRun, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let action = "queueing a run";
        let mut turn = self.database.turn().await;
        turn.begin().await.during(action)?;
        let id = queue(self, &turn, run, now).await.during(action)?;
        turn.commit().await.during(action)?;
        Ok(id)
    }

    /// Queued runs that have not ended, in the order in which they were queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        let text = format!("{RUN} WHERE project <> '' AND state IN ({OPEN}) ORDER BY id");
        self.runs_of(&text, Vec::new()).await
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_runs(
        &self,
        project: Option<&str>,
        most: u32,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let (of_project, values) = match project {
            Some(project) => ("WHERE project = ?", vec![project.into()]),
            None => ("", Vec::new()),
        };
        let text = format!("{RUN} {of_project} ORDER BY id DESC LIMIT {most}");
        self.runs_of(&text, values).await
    }

    /// One run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_record(&self, run: i64) -> Result<Option<RunRecord>, StoreError> {
        let text = format!("{RUN} WHERE id = ?");
        Ok(self.runs_of(&text, vec![run.into()]).await?.pop())
    }

    async fn runs_of(&self, text: &str, values: Vec<Value>) -> Result<Vec<RunRecord>, StoreError> {
        let rows = self.query_all(text, values).await?;
        rows.iter()
            .map(run_record)
            .collect::<Result<_, _>>()
            .during(text)
    }

    /// Takes the right to work on a queued run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_queued(&self, run: i64, claim: &Claim) -> Result<Taken, StoreError> {
        self.take_lease_of("", format!("{NAME}{run}"), claim).await
    }

    /// Notes that a queued run begins, or goes on after the process that worked on it died. False
    /// when it has ended, or the lease is another process's by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_queued(
        &self,
        (lease, run): (&Lease, i64),
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let text = format!(
            "UPDATE _headwater_runs SET state = 'running', started_at = COALESCE(started_at, ?) \
             WHERE id = ? AND state IN ({OPEN}) AND {HELD}"
        );
        let mut values: Vec<Value> = vec![now.into(), run.into()];
        values.extend(lease.pair());
        self.execute(&text, values).await?;
        // Servers may count a row that keeps its values as untouched.
        let record = self.run_record(run).await?;
        Ok(record.is_some_and(|run| run.state == "running") && !lease.is_lost().await)
    }

    /// Notes how a queued run ended, and lets go of it. False when the lease is another process's
    /// by now: then nothing is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_queued(
        &self,
        (lease, run): (Lease, i64),
        end: &RunEnd<'_>,
    ) -> Result<bool, StoreError> {
        let text = format!(
            "UPDATE _headwater_runs SET state = ?, message = ?, finished_at = ? \
             WHERE id = ? AND state IN ({OPEN}) AND {HELD}"
        );
        let mut values: Vec<Value> = vec![
            end.state.into(),
            shown(end.message).into(),
            end.at.into(),
            run.into(),
        ];
        values.extend(lease.pair());
        let ended = self.execute(&text, values).await? == 1;
        lease.release().await?;
        Ok(ended)
    }

    /// Asks whoever works on a run to end it; one that waits ends at once. False when the run has
    /// ended, or there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_run(&self, run: i64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let waiting = "UPDATE _headwater_runs SET state = 'cancelled', finished_at = ?, \
                       cancel_asked_at = ? WHERE id = ? AND state = 'queued'";
        let values = vec![now.into(), now.into(), run.into()];
        if self.execute(waiting, values).await? == 1 {
            return Ok(true);
        }
        let under_way = "UPDATE _headwater_runs SET cancel_asked_at = ? \
                         WHERE id = ? AND state = 'running' AND project <> ''";
        Ok(self
            .execute(under_way, vec![now.into(), run.into()])
            .await?
            == 1)
    }

    /// The steps of a run, in the order in which they ended, each with the params of its scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn steps_of_run(&self, run: i64) -> Result<Vec<(String, StepRecord)>, StoreError> {
        let text = format!(
            "SELECT {STEP_COLUMNS}, params FROM _headwater_steps \
                            WHERE run_id = ? ORDER BY id"
        );
        let rows = self.query_all(&text, vec![run.into()]).await?;
        let read = rows.iter().map(|row| Ok((row.get(10)?, step_record(row)?)));
        read.collect::<Result<_, DbErr>>().during(&text)
    }
}

/// Adds the row of a run that waits; one that is skipped where an earlier one has not ended.
async fn queue(store: &Store, turn: &Turn, run: &NewRun, now: DateTime<Utc>) -> Result<i64, DbErr> {
    let open =
        format!("SELECT MAX(id) FROM _headwater_runs WHERE project = ? AND state IN ({OPEN})");
    let open = turn
        .query(&store.marked(&open), vec![run.project.clone().into()])
        .await?;
    let earlier: Option<i64> = match open.first() {
        Some(row) => row.get(0)?,
        None => None,
    };
    let message = earlier.map(|id| format!("run {id} of this project has not ended"));
    let (state, ended) = match message {
        Some(_) => ("skipped", Some(now)),
        None => ("queued", None),
    };
    let text = "INSERT INTO _headwater_runs (command, project, reason, state, due_at, \
                finished_at, message) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let values: Vec<Value> = vec![
        run.command.clone().into(),
        run.project.clone().into(),
        run.reason.into(),
        state.into(),
        run.due_at.into(),
        ended.into(),
        message.unwrap_or_default().into(),
    ];
    turn.insert(&store.marked(text), values).await
}

fn schedule(row: &Row) -> Result<ScheduleRecord, DbErr> {
    Ok(ScheduleRecord {
        project: row.get(0)?,
        expression: row.get(1)?,
        timezone: row.get(2)?,
        fired: row.get(3)?,
        paused: row.get(4)?,
        next_due_at: row.get(5)?,
        last_due_at: row.get(6)?,
    })
}

fn run_record(row: &Row) -> Result<RunRecord, DbErr> {
    let text = |place| {
        row.get::<Option<String>>(place)
            .map(Option::unwrap_or_default)
    };
    Ok(RunRecord {
        id: row.get(0)?,
        command: text(1)?,
        project: text(2)?,
        reason: text(3)?,
        state: text(4)?,
        due_at: row.get(5)?,
        started_at: row.get(6)?,
        finished_at: row.get(7)?,
        cancel_asked_at: row.get(8)?,
        message: text(9)?,
    })
}
