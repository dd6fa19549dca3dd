//! `status --steps`: what ran when, how many rows, how fresh, for each step of a repository.

use chrono::{DateTime, Utc};
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::query::Cell;
use headwater_store::runs::ScopeStatus;

use super::LookedAt;
use crate::exit::Failure;
use crate::output::moment;
use crate::source::{GIT, Source};

pub(super) const COLUMNS: [&str; 12] = [
    "scope",
    "stage",
    "stream",
    "state",
    "last_run",
    "fresh_until",
    "rows",
    "read",
    "written",
    "removed",
    "requests",
    "message",
];

/// A row for each step as it last ran, and for what a run left.
pub(super) async fn rows(looked_at: &LookedAt<'_>) -> Result<Vec<Vec<Cell>>, Failure> {
    let LookedAt { store, known, .. } = looked_at;
    let mut rows = Vec::new();
    for (scope, connection) in &looked_at.scopes {
        let name = format!("{connection}:{}", scope.full_name);
        let source = looked_at.source(connection);
        for step in store.scope_status(scope).await? {
            let count = rows_of(store, source, scope, &step).await?;
            rows.push(status_row(&name, count, step));
        }
        let gone = known.iter().find(|known| known.scope == *scope);
        if let Some(gone) = gone.and_then(|known| known.source_gone_at) {
            rows.push(gone_row(&name, gone));
        }
        let dead = store.dead_letter_count(scope).await?;
        if dead > 0 {
            rows.push(dead_row(&name, dead));
        }
        let lost = store.deployments_without_environment(scope).await?;
        if lost > 0 {
            rows.push(nowhere_row(&name, lost));
        }
    }
    Ok(rows)
}

/// Rows of the scope in the table the step is named after.
async fn rows_of(
    store: &Store,
    source: &Source,
    scope: &Scope,
    status: &ScopeStatus,
) -> Result<u64, Failure> {
    let stream = status.step.stream.as_str();
    if stream == GIT {
        let table = match status.step.stage.as_str() {
            "extract" => "repo_commits",
            _ => return Ok(0),
        };
        return Ok(store.scope_rows(scope, table).await?);
    }
    let table = match status.step.stage.as_str() {
        "collect" => source
            .find(stream)
            .map(|entry| entry.collection.raw_table.clone()),
        "extract" => {
            let entry = source.find(stream);
            let first = entry.and_then(|entry| entry.extraction.tables.first().copied());
            let accounts = || source.accounts.map(|(accounts, _)| (accounts.table)());
            first.or_else(accounts).map(|table| table.name.to_owned())
        }
        "convert" if stream == "diffs" => Some("commits_diff_pairs".to_owned()),
        "convert" if stream == "merges" => Some("pull_request_merges".to_owned()),
        _ => {
            let conversion = source.conversions.iter().find(|c| c.name == stream);
            conversion.and_then(|c| c.tables().first().map(|table| table.name.to_owned()))
        }
    };
    match table {
        Some(table) => Ok(store.scope_rows(scope, &table).await?),
        None => Ok(0),
    }
}

fn status_row(scope: &str, rows: u64, status: ScopeStatus) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    let step = status.step;
    vec![
        text(scope),
        text(&step.stage),
        text(&step.stream),
        text(&step.state),
        moment(step.finished_at),
        moment(status.fresh_until),
        Cell::Integer(i64::try_from(rows).unwrap_or(i64::MAX)),
        Cell::Integer(step.items),
        Cell::Integer(step.written),
        Cell::Integer(step.removed),
        Cell::Integer(step.requests),
        text(&step.message),
    ]
}

fn gone_row(scope: &str, at: DateTime<Utc>) -> Vec<Cell> {
    let mut row = vec![Cell::Null; COLUMNS.len()];
    row[0] = Cell::Text(scope.to_owned());
    row[3] = Cell::Text("gone at the source".to_owned());
    row[5] = moment(Some(at));
    row[11] = Cell::Text("its rows stay".to_owned());
    row
}

fn nowhere_row(scope: &str, count: u64) -> Vec<Cell> {
    let mut row = vec![Cell::Null; COLUMNS.len()];
    row[0] = Cell::Text(scope.to_owned());
    row[3] = Cell::Text("without an environment".to_owned());
    row[6] = Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let message = "deployments that count nowhere; `headwater explain deployment ID` says why";
    row[11] = Cell::Text(message.to_owned());
    row
}

fn dead_row(scope: &str, count: u64) -> Vec<Cell> {
    let mut row = vec![Cell::Null; COLUMNS.len()];
    row[0] = Cell::Text(scope.to_owned());
    row[3] = Cell::Text("dead letters".to_owned());
    row[6] = Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    row[11] = Cell::Text("items that could not be processed; the next run tries again".to_owned());
    row
}
