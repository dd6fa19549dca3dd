//! `dead-letters`: the items that could not be processed, and why.

use headwater_store::dead_letters::StoredLetter;
use headwater_store::query::Cell;

use crate::cli::{Format, ScopeArgs, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, moment, print, written};
use crate::resolve::{Selection, registered};

const COLUMNS: [&str; 10] = [
    "scope", "stage", "stream", "item", "raw_id", "place", "message", "attempts", "first_at",
    "last_at",
];

pub(super) async fn dead_letters(
    shared: &Shared,
    scopes: ScopeArgs,
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let selection = Selection::parse(&scopes.scopes)?;
    let mut rows = Vec::new();
    for (scope, connection) in registered(&store, &context.config, &selection).await? {
        let name = format!("{connection}:{}", scope.full_name);
        let letters = store.dead_letters(&scope).await?;
        rows.extend(letters.into_iter().map(|stored| row(&name, stored)));
    }
    if rows.is_empty() && format == Format::Table {
        output::line("no dead letters: every item could be processed");
        return Ok(Exit::Ok);
    }
    written(print(format, &COLUMNS, rows))
}

fn row(scope: &str, stored: StoredLetter) -> Vec<Cell> {
    let letter = stored.letter;
    vec![
        Cell::Text(scope.to_owned()),
        Cell::Text(letter.stage),
        Cell::Text(letter.stream),
        Cell::Text(letter.item),
        letter.raw_id.map_or(Cell::Null, Cell::Integer),
        Cell::Text(letter.path),
        Cell::Text(letter.message),
        Cell::Integer(stored.attempts),
        moment(stored.first_at),
        moment(stored.last_at),
    ]
}
