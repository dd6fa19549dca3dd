//! `runs`: what ran, what runs and what waits.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_store::Store;
use headwater_store::query::Cell;
use headwater_store::queue::{NewRun, RunRecord};
use headwater_store::runs::StepRecord;

use super::plan::find;
use crate::cli::{Format, RunsArgs, RunsCommand, Shared};
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::exit::{Exit, Failure};
use crate::output::{self, moment, print, written};
use crate::resolve::connection_name;

const COLUMNS: [&str; 8] = [
    "run", "command", "project", "reason", "state", "started", "finished", "message",
];

const STEP_COLUMNS: [&str; 10] = [
    "scope", "stage", "stream", "state", "items", "written", "removed", "requests", "seconds",
    "message",
];

/// Time between two looks at a run that is followed.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn runs(shared: &Shared, arguments: RunsArgs) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_for_reading().await?;
    let done = match arguments.command {
        None => list(&store, &arguments).await,
        Some(RunsCommand::Show {
            run,
            follow,
            format,
        }) => show(&context, &store, run, (follow, format)).await,
        Some(RunsCommand::Start { project }) => start(&context, &store, &project, "manual").await,
        Some(RunsCommand::Cancel { run }) => cancel(&context, &store, run).await,
        Some(RunsCommand::Retry { run }) => retry(&context, &store, run).await,
    };
    let exit = done.map_err(|failure| failure.naming(&context.database))?;
    store.close().await?;
    Ok(exit)
}

async fn list(store: &Store, arguments: &RunsArgs) -> Result<Exit, Failure> {
    let project = arguments.project.as_deref();
    let runs = store.latest_runs(project, arguments.limit).await?;
    let rows = runs.iter().map(row).collect();
    written(print(arguments.format, &COLUMNS, rows))
}

fn row(run: &RunRecord) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let state = match (run.state.as_str(), run.cancel_asked_at) {
        ("running", Some(_)) => "running, to be cancelled",
        (state, _) => state,
    };
    vec![
        Cell::Integer(run.id),
        text(&run.command),
        text(&run.project),
        text(&run.reason),
        text(state),
        moment(run.started_at),
        moment(run.finished_at),
        text(&run.message),
    ]
}

async fn known(store: &Store, run: i64) -> Result<RunRecord, Failure> {
    let found = store.run_record(run).await?;
    found.ok_or_else(|| {
        Failure::usage(format!(
            "there is no run {run}: `headwater runs` lists them"
        ))
    })
}

async fn show(
    context: &Context,
    store: &Store,
    run: i64,
    (follow, format): (bool, Format),
) -> Result<Exit, Failure> {
    let mut record = known(store, run).await?;
    if follow {
        record = followed(store, record).await?;
    }
    let names = scope_names(context, store).await?;
    let steps = store.steps_of_run(run).await?;
    if format == Format::Table {
        output::line(said(&record));
    }
    let rows = steps.iter().map(|(params, step)| {
        let name = names.get(params).map_or("all scopes", String::as_str);
        step_row(name, step)
    });
    let printed = written(print(format, &STEP_COLUMNS, rows.collect()))?;
    Ok(if follow {
        Exit::of_state(&record.state)
    } else {
        printed
    })
}

/// Waits until a run has ended.
async fn followed(store: &Store, mut record: RunRecord) -> Result<RunRecord, Failure> {
    let cancel = cancelled_by_signals();
    while record.finished_at.is_none() {
        tokio::select! {
            () = cancel.cancelled() => {
                return Err(Failure::new(Exit::Cancelled, "the run goes on; `headwater runs cancel` ends it"));
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        record = known(store, record.id).await?;
    }
    Ok(record)
}

/// One sentence about a run.
fn said(run: &RunRecord) -> String {
    let RunRecord {
        id,
        command,
        project,
        reason,
        state,
        message,
        ..
    } = run;
    let of = if project.is_empty() { "" } else { " of " };
    let (opening, closing) = if reason.is_empty() {
        ("", "")
    } else {
        (" (", ")")
    };
    let why = if message.is_empty() { "" } else { ": " };
    format!("run {id}: {command}{of}{project}{opening}{reason}{closing}: {state}{why}{message}")
}

/// Names of scopes, as people know them, by their params.
async fn scope_names(
    context: &Context,
    store: &Store,
) -> Result<BTreeMap<String, String>, Failure> {
    let known = store.scopes().await?;
    let named = known.into_iter().map(|known| {
        let connection = connection_name(&context.config, known.scope.connection_id);
        let name = format!("{connection}:{}", known.scope.full_name);
        (known.scope.params(), name)
    });
    Ok(named.collect())
}

fn step_row(scope: &str, step: &StepRecord) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let took = step.started_at.zip(step.finished_at);
    let took = took.map(|(start, end)| (end - start).num_milliseconds());
    let seconds = took.map(|ms| Cell::Text(format!("{}.{:03}", ms / 1000, ms % 1000)));
    vec![
        text(scope),
        text(&step.stage),
        text(&step.stream),
        text(&step.state),
        Cell::Integer(step.items),
        Cell::Integer(step.written),
        Cell::Integer(step.removed),
        Cell::Integer(step.requests),
        seconds.unwrap_or(Cell::Null),
        text(&step.message),
    ]
}

async fn start(
    context: &Context,
    store: &Store,
    project: &str,
    reason: &'static str,
) -> Result<Exit, Failure> {
    find(context, project)?;
    let now = context.clock.now();
    let run = NewRun {
        command: "sync".to_owned(),
        project: project.to_owned(),
        reason,
        due_at: Some(now),
    };
    let run = store.queue_run(&run, now).await?;
    let queued = known(store, run).await?;
    output::line(said(&queued));
    if queued.state == "skipped" {
        return Ok(Exit::Leased);
    }
    output::line(format_args!(
        "`headwater serve` works on it; `headwater runs show {run} --follow` waits for its end"
    ));
    Ok(Exit::Ok)
}

async fn cancel(context: &Context, store: &Store, run: i64) -> Result<Exit, Failure> {
    let record = known(store, run).await?;
    if record.project.is_empty() {
        return Err(Failure::usage(format!(
            "run {run} is of the command line: Ctrl-C ends it where it was started"
        )));
    }
    if !store.cancel_run(run, context.clock.now()).await? {
        return Err(Failure::usage(format!(
            "run {run} has ended: {}",
            record.state
        )));
    }
    output::line(said(&known(store, run).await?));
    Ok(Exit::Ok)
}

async fn retry(context: &Context, store: &Store, run: i64) -> Result<Exit, Failure> {
    let record = known(store, run).await?;
    let next = match record.state.as_str() {
        "failed" | "partial" | "cancelled" if !record.project.is_empty() => {
            return start(context, store, &record.project, "retry").await;
        }
        "failed" | "partial" | "cancelled" => "it is of the command line: run that again",
        "queued" | "running" => "it has not ended",
        _ => "it did not fail; `headwater runs start` queues another one",
    };
    Err(Failure::usage(format!(
        "run {run} is not tried again: {next}"
    )))
}
