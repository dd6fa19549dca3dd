//! `explain metric`: exactly the rows that a number counts, and what an empty one needs.

use std::io::Write as _;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use headwater_metrics::{Explained, Metric, Part, Range, explain, measure, stored};
use headwater_store::query::Cell;
use serde_json::{Value, json};

use crate::cli::{Format, Shared};
use crate::commands::metrics::{range_of, require_project};
use crate::config::{closest, listed};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};

const COLUMNS: [&str; 6] = ["table", "row", "at", "minutes", "counts", "because"];

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) project: &'a str,
    pub(crate) metric: Option<&'a str>,
    pub(crate) days: (Option<NaiveDate>, Option<NaiveDate>),
}

pub(crate) async fn metric(
    shared: &Shared,
    asked: Asked<'_>,
    format: Format,
) -> Result<Exit, Failure> {
    let metric = named(asked.metric)?;
    let context = Context::load(shared, NeedsFile::No)?;
    let rules = context.config.measured_projects().rules_of(asked.project);
    let now = context.clock.now().timestamp_millis();
    let range = range_of(asked.days, &rules, now)?;
    let store = context.open_to_read().await?;
    require_project(&store, asked.project).await?;
    let facts = stored::load(&store, asked.project, &rules).await?;
    store.close().await?;
    let measured = measure(&facts, &rules);
    let explained = explain(&facts, &rules, &measured, &range, metric);
    show(asked.project, metric, &range, &explained, format)
}

fn named(name: Option<&str>) -> Result<Metric, Failure> {
    let names = Metric::ALL.map(Metric::name);
    let Some(name) = name else {
        return Err(Failure::usage(format!(
            "which metric? Write one of {} behind the project",
            listed(&names)
        )));
    };
    let spelt = name.replace('-', "_");
    let found = Metric::ALL.into_iter().find(|it| it.name() == spelt);
    found.ok_or_else(|| {
        let next = closest(&spelt, &names).map_or_else(
            || format!("it is one of {}", listed(&names)),
            |meant| format!("did you mean {meant}?"),
        );
        let name = output::shown(name);
        Failure::usage(format!("there is no metric {name}: {next}"))
    })
}

pub(crate) fn show(
    project: &str,
    metric: Metric,
    range: &Range,
    explained: &Explained,
    format: Format,
) -> Result<Exit, Failure> {
    let Explained { answer, parts } = explained;
    let reason = answer["reason"].as_str();
    let change = reason.map(change);
    if format == Format::Json {
        let parts: Vec<Value> = parts.iter().map(|part| object(metric, part)).collect();
        let whole = json!({
            "project": project,
            "from": range.from().to_string(),
            "to": range.to().to_string(),
            "metric": metric.name(),
            "value": answer["value"],
            "unit": answer["unit"],
            "samples": answer["samples"],
            "reason": reason,
            "change": change,
            "parts": parts,
        });
        return written(writeln!(output::data(), "{whole:#}"));
    }
    if format == Format::Table {
        let (from, to) = (range.from(), range.to());
        let value = match &answer["value"] {
            Value::Null => "no value".to_owned(),
            value => format!("{value} {}", answer["unit"].as_str().unwrap_or_default()),
        };
        output::line(format_args!(
            "{} of {}, from {from} to before {to}: {value}, {}",
            metric.name(),
            output::shown(project),
            rule(metric)
        ));
        if let (Some(reason), Some(change)) = (reason, change) {
            output::line(format_args!("{reason}: {change}"));
        }
        output::line("");
    }
    let rows = parts.iter().map(|part| cells(metric, part)).collect();
    written(print(format, &COLUMNS, rows))
}

fn time(part: &Part) -> String {
    let at = DateTime::from_timestamp_millis(part.at).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn object(metric: Metric, part: &Part) -> Value {
    json!({
        "table": metric.table(),
        "row": part.row,
        "at": time(part),
        "minutes": part.minutes,
        "counts": part.is_counted,
        "because": part.because,
    })
}

fn cells(metric: Metric, part: &Part) -> Vec<Cell> {
    vec![
        Cell::Text(metric.table().to_owned()),
        Cell::Text(part.row.clone()),
        Cell::Text(time(part)),
        part.minutes.map_or(Cell::Null, Cell::Integer),
        Cell::Text(if part.is_counted { "yes" } else { "no" }.to_owned()),
        Cell::Text(part.because.clone()),
    ]
}

/// How rows become the number.
fn rule(metric: Metric) -> &'static str {
    match metric {
        Metric::DeploymentFrequency => "the number of these rows",
        Metric::LeadTime | Metric::RecoveryTime | Metric::TimeToRestore => {
            "the lower median of these minutes"
        }
        Metric::ChangeFailureRate | Metric::ReworkRate => "the share of these rows that counts",
    }
}

/// What to change where a metric is empty.
fn change(reason: &str) -> &'static str {
    match reason {
        "NO_SCOPES" | "NO_REPOSITORIES" => {
            "name repositories in `scopes` of the [[project]] and run `headwater sync`"
        }
        "NO_DEPLOYMENTS" => {
            "no pipeline or step is a deployment: set deployment_pattern of the scope config; \
             `headwater doctor` lists names of steps"
        }
        "NO_PRODUCTION_DEPLOYMENTS" => {
            "no deployment went to production: set environments.\"NAME\" = \"PRODUCTION\" or \
             production_pattern of the scope config, or mend production_environments of the project"
        }
        "NO_DEPLOYMENTS_IN_RANGE"
        | "NO_PULL_REQUESTS_DEPLOYED_IN_RANGE"
        | "NO_RECOVERIES_IN_RANGE"
        | "NO_INCIDENTS_RESOLVED_IN_RANGE" => "give an earlier --from, or a later --to",
        "NO_MERGED_PULL_REQUESTS" => {
            "no pull request was merged into the project's repositories: check `scopes`, \
             `data_after` and entities of the scope config"
        }
        "ONLY_FIRST_DEPLOYMENT" => {
            "a first deployment is compared with nothing; the next one counts, or an earlier \
             data_after of the connection finds earlier ones"
        }
        "NO_LINKED_PULL_REQUESTS" => {
            "`headwater explain pr` says of a pull request why no deployment shipped it; \
             git.enabled = true of the connection finds squashed and rebased ones"
        }
        "NO_INCIDENTS" => {
            "set issue_type.INCIDENT of the scope config, import incidents, or add to \
             failure_sources of the project"
        }
        "NO_INCIDENTS_LINKED" => {
            "`headwater explain incident` says of an incident why no deployment caused it; set \
             [project.services] or a longer incident_window"
        }
        "NO_FAILURES" => "nothing failed by the failure_sources of the project",
        _ => "`headwater doctor` says what is missing",
    }
}
