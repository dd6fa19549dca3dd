//! `metrics`: what is computed of projects, anew and as answers.

mod charts;
mod shown;

pub(super) use shown::duration;

use std::collections::BTreeSet;
use std::io::Write as _;

use chrono::{Months, NaiveDate};
use headwater_domain::Scope;
use headwater_metrics::{By, Edition, Facts, Range, Rules, measure, report, stored};
use headwater_store::{Changes, StepContext, Store};
use serde_json::{Value, json};

use crate::cli::{DoraArgs, GroupBy, Report, ReportFormat, Shared};
use crate::config::{closest, listed};
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::exit::{Exit, Failure};
use crate::output::{self, written};
use crate::projects;
use crate::run::lease_all;

/// Refuses a project that is in no table.
pub(crate) async fn require_project(store: &Store, project: &str) -> Result<(), Failure> {
    let known = store.project_names().await?;
    if known.iter().any(|name| name == project) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let shown = output::shown(project);
    let next = match closest(project, &names) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None if names.is_empty() => {
            "there are no projects yet: write a [[project]] into headwater.toml and run \
             `headwater sync`"
                .to_owned()
        }
        None => format!(
            "it is {}; a new [[project]] is there after `headwater sync`",
            listed(&names)
        ),
    };
    Err(Failure::usage(format!(
        "there is no project \"{shown}\": {next}"
    )))
}

pub(super) async fn refresh(
    shared: &Shared,
    project: Option<&str>,
    step: Option<stored::Step>,
) -> Result<Exit, Failure> {
    let cancel = cancelled_by_signals();
    let context = Context::load(shared, NeedsFile::No)?;
    context.require_database()?;
    let opened = context.open_unless_cancelled("metrics refresh", &cancel);
    let (store, _lock) = opened.await?;
    let place = (&*context.config, &context.sources);
    projects::keep(&store, place, context.clock.now()).await?;
    projects::renew_calendar(&store, context.clock.now()).await?;
    let projects = if let Some(project) = project {
        require_project(&store, project).await?;
        vec![project.to_owned()]
    } else {
        store.projects_to_measure().await?
    };
    let everywhere = [Scope::everywhere()];
    let leases = lease_all(&store, everywhere.iter(), "metrics refresh").await?;
    let steps: BTreeSet<stored::Step> = match step {
        Some(step) => BTreeSet::from([step]),
        None => stored::Step::ALL.into_iter().collect(),
    };
    let step_context = StepContext {
        now: context.clock.now(),
        cancel: &cancel,
        progress: &|_| (),
    };
    let rules = context.config.measured_projects();
    for project in &projects {
        if cancel.is_cancelled() {
            return Err(Failure::new(Exit::Cancelled, "cancelled"));
        }
        let changes = stored::refresh(&store, project, &rules, &steps, &step_context).await?;
        tell(shared, project, changes);
    }
    for lease in leases {
        lease.release().await?;
    }
    store.close().await?;
    Ok(Exit::Ok)
}

fn tell(shared: &Shared, project: &str, changes: Changes) {
    let Changes {
        written,
        removed,
        unchanged,
    } = changes;
    if shared.json {
        let event = json!({
            "event": "project_measured", "project": project,
            "written": written, "removed": removed, "unchanged": unchanged,
        });
        output::json_line(&event.to_string());
    } else if !shared.quiet {
        output::line(format_args!(
            "{project}: {written} rows written, {removed} removed, {unchanged} unchanged"
        ));
    }
}

pub(super) async fn dora(shared: &Shared, arguments: DoraArgs) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let rules = context.config.measured_projects();
    let rules = rules.rules_of(&arguments.project);
    let now = context.clock.now().timestamp_millis();
    let range = range_of((arguments.from, arguments.to), &rules, now)?;
    let store = context.open_to_read().await?;
    require_project(&store, &arguments.project).await?;
    let edition = match arguments.report {
        Report::Of2021 => Edition::Report2021,
        Report::Of2023 => Edition::Report2023,
    };
    let by = by_of(arguments.by);
    let facts = stored::load(&store, &arguments.project, &rules).await?;
    store.close().await?;
    let answer = answer(&facts, &arguments.project, &rules, (&range, by, edition));
    written(match arguments.format {
        ReportFormat::Table => shown::table(&answer, output::width()),
        ReportFormat::Csv => shown::csv(&answer),
        ReportFormat::Json => writeln!(output::data(), "{answer:#}"),
        ReportFormat::Markdown => write!(output::data(), "{}", shown::markdown(&answer)),
    })
}

/// The metrics of a project as JSON.
fn answer(
    facts: &Facts,
    project: &str,
    rules: &Rules,
    (range, by, edition): (&Range, By, Edition),
) -> Value {
    let measured = measure(facts, rules);
    let mut answer = report(facts, rules, &measured, range, by, edition);
    answer["project"] = Value::from(project);
    answer
}

/// The metrics of a project in a range of days, by week, as JSON.
pub(super) fn by_week(facts: &Facts, project: &str, rules: &Rules, range: &Range) -> Value {
    let asked = (range, By::Week, Edition::Report2023);
    answer(facts, project, rules, asked)
}

/// Prints the metrics of a project in a range of days, by week, in lines of at most that width.
pub(super) fn show(
    facts: &Facts,
    project: &str,
    rules: &Rules,
    range: &Range,
    width: usize,
) -> Result<(), Failure> {
    let answer = by_week(facts, project, rules, range);
    written(shown::table(&answer, Some(width))).map(|_| ())
}

fn by_of(by: GroupBy) -> By {
    match by {
        GroupBy::Day => By::Day,
        GroupBy::Week => By::Week,
        GroupBy::Month => By::Month,
        GroupBy::Quarter => By::Quarter,
        GroupBy::Repository => By::Repository,
        GroupBy::Environment => By::Environment,
    }
}

/// The days that are asked for; what is not given is tomorrow, and six months before the end.
pub(crate) fn range_of(
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
    rules: &Rules,
    now: i64,
) -> Result<Range, Failure> {
    let default = Range::until_today(now, rules.timezone);
    if from.is_none() && to.is_none() {
        return Ok(default);
    }
    let to = to.unwrap_or_else(|| default.to());
    let six_months = || to.checked_sub_months(Months::new(6)).unwrap_or(to);
    let from = from.unwrap_or_else(six_months);
    Range::new(from, to, rules.timezone).map_err(|error| {
        Failure::usage(format!(
            "{error}: give a --from that is before --to, as in --from 2026-01-01 --to 2026-04-01"
        ))
    })
}
