//! `verify`: the difference between the database and a fresh first sync.

use std::sync::Arc;

use headwater_store::compare::Difference;
use headwater_store::query::Cell;

use crate::cli::{Format, Shared, WholeArgs};
use crate::context::{Context, NeedsFile, cancelled_by_signals};
use crate::exit::{Exit, Failure};
use crate::output::{self, print, written};
use crate::plan::choose_streams;
use crate::report::Troubles;
use crate::resolve::Selection;
use crate::session::{LeftOut, VerifyRequest};
use crate::source::REPOSITORIES;

const COLUMNS: [&str; 5] = ["table", "key", "column", "here", "there"];

pub(super) async fn verify(
    shared: &Shared,
    (whole, skip): (WholeArgs, Vec<String>),
    limit: usize,
    format: Format,
) -> Result<Exit, Failure> {
    let cancel = cancelled_by_signals();
    let context = Context::load(shared, NeedsFile::Yes)?;
    let connections = context.config.require_connections();
    connections.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
    let kept = choose_streams(&context.sources, &[], &skip)?;
    let mut skip = context.sources.stream_names();
    skip.retain(|stream| !kept.contains(stream));
    if skip.contains(&REPOSITORIES) {
        return Err(Failure::usage(format!(
            "--skip {REPOSITORIES}: the names of all others come from it; name the repositories \
             to be compared instead"
        )));
    }
    let request = VerifyRequest {
        skip,
        selection: Selection::parse(&whole.scopes.scopes)?,
        deep: whole.deep,
        limit,
    };
    let here = context.open_for_reading().await?;
    let connector = context.connector(&here).await?;
    let session = context.session(&here, connector, Arc::new(Troubles), cancel);
    let verified = Box::pin(session.verify(&request)).await?;
    for LeftOut { what, why, .. } in &verified.left_out {
        output::note(format!("not compared: {what}: {why}"));
    }
    if verified.differences.is_empty() && format == Format::Table {
        let named = |left: &LeftOut| left.why == LeftOut::NOT_NAMED;
        let message = match (verified.exit, verified.left_out.iter().all(named)) {
            (Exit::Ok, true) => "equal to a fresh first sync",
            (Exit::Ok, false) => "what was compared is equal to a fresh first sync",
            _ => "no differences in what could be compared; see the messages above",
        };
        output::line(message);
        return Ok(verified.exit);
    }
    let rows = verified.differences.into_iter().map(row);
    written(print(format, &COLUMNS, rows.collect())).map(|_| verified.exit)
}

fn row(difference: Difference) -> Vec<Cell> {
    let (here, there) = difference.sides();
    let Difference {
        table, key, cell, ..
    } = difference;
    vec![
        Cell::Text(table),
        Cell::Text(key),
        cell.map_or(Cell::Null, |(column, ..)| Cell::Text(column)),
        Cell::Text(here),
        Cell::Text(there),
    ]
}
