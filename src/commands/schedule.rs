//! `schedule`: when projects are synced next.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use headwater_store::query::Cell;
use headwater_store::queue::ScheduleRecord;

use super::plan::find;
use crate::cli::{ScheduleArgs, ScheduleCommand, Shared};
use crate::config::Project;
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, moment, print, written};
use crate::serve::{Schedules, upcoming};

const COLUMNS: [&str; 6] = ["project", "schedule", "timezone", "next", "local", "state"];

pub(super) async fn schedule(shared: &Shared, arguments: ScheduleArgs) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::Yes)?;
    match arguments.command {
        Some(ScheduleCommand::Pause { project }) => return pause(&context, &project, true).await,
        Some(ScheduleCommand::Resume { project }) => return pause(&context, &project, false).await,
        None => {}
    }
    let only = arguments.project.as_deref();
    let only = only.map(|name| find(&context, name)).transpose()?;
    let kept = match context.open_if_there().await {
        Some(store) => {
            let kept = store.schedules().await?;
            store.close().await?;
            kept
        }
        None => Vec::new(),
    };
    let kept: BTreeMap<&str, &ScheduleRecord> =
        kept.iter().map(|it| (it.project.as_str(), it)).collect();
    let now = context.clock.now();
    let projects = context.config.projects.iter();
    let chosen = projects.filter(|it| only.is_none_or(|only| only.name == it.name));
    let most = usize::from(arguments.next);
    let rows = chosen.flat_map(|it| times(it, kept.get(it.name.as_str()).copied(), now, most));
    written(print(arguments.format, &COLUMNS, rows.collect()))
}

/// The next times of a project; one row that says why where there is none.
fn times(
    project: &Project,
    kept: Option<&ScheduleRecord>,
    now: DateTime<Utc>,
    most: usize,
) -> Vec<Vec<Cell>> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let timezone = project.timezone;
    let none = |state: &str| {
        let expression = project.schedule.as_ref();
        let expression = expression.map_or(Cell::Null, |it| text(it.as_str()));
        vec![
            text(&project.name),
            expression,
            text(timezone.name()),
            Cell::Null,
            Cell::Null,
            text(state),
        ]
    };
    let Some(schedule) = &project.schedule else {
        return vec![none("on request only")];
    };
    if kept.is_some_and(|kept| kept.paused) {
        return vec![none("paused")];
    }
    let overdue = kept
        .and_then(|kept| kept.next_due_at)
        .filter(|due| *due <= now);
    let due = overdue.map(|due| (due, "due: waits for `headwater serve`"));
    let coming = upcoming(schedule, timezone, now, most);
    let coming = coming.into_iter().map(|time| (time, ""));
    due.into_iter()
        .chain(coming)
        .take(most)
        .map(|(time, state)| {
            let local = time.with_timezone(&timezone);
            vec![
                text(&project.name),
                text(schedule.as_str()),
                text(timezone.name()),
                moment(Some(time)),
                Cell::Text(local.format("%a %Y-%m-%d %H:%M:%S").to_string()),
                text(state),
            ]
        })
        .collect()
}

async fn pause(context: &Context, name: &str, paused: bool) -> Result<Exit, Failure> {
    let project = find(context, name)?;
    let Some(schedule) = &project.schedule else {
        let message = format!("{name} has no `schedule` in the configuration");
        return Err(Failure::usage(message));
    };
    let store = context.open_for_reading().await?;
    let now = context.clock.now();
    let schedules = Schedules {
        store: &store,
        projects: &context.config.projects,
    };
    schedules.keep(now).await?;
    let next = schedule.next_after(now, project.timezone);
    store.pause_schedule(name, paused, next).await?;
    store.close().await?;
    output::line(if paused {
        format!("{name} is paused until `headwater schedule resume`")
    } else {
        let next = next.map(|next| next.to_rfc3339_opts(SecondsFormat::Secs, true));
        format!("{name} is due next at {}", next.unwrap_or_default())
    });
    Ok(Exit::Ok)
}
