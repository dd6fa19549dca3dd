//! `table import` and `table compare`: rows of CSV files into domain tables, and against them.

use std::path::Path;

use headwater_store::compare::Difference;
use headwater_store::query::Cell;
use serde_json::json;

use crate::cli::{Format, Shared, TableCommand};
use crate::config::DatabaseAddress;
use crate::context::{Context, NeedsFile};
use crate::database;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::output::{self, print, written};
use crate::report::counted;
use crate::table_files::{Differing, TableFile, domain_table, sourced_table, summary};

pub(super) async fn table(shared: &Shared, command: TableCommand) -> Result<Exit, Failure> {
    match command {
        TableCommand::Import { table, file, null } => import(shared, &table, &file, &null).await,
        TableCommand::Compare {
            table,
            file,
            null,
            format,
        } => compare(shared, &table, (&file, &null), format).await,
    }
}

const COLUMNS: [&str; 7] = [
    "table", "column", "rows", "decision", "key", "here", "there",
];

async fn compare(
    shared: &Shared,
    table: &str,
    (file, null): (&Path, &str),
    format: Format,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let table = sourced_table(&context.sources, table)?;
    let input = Input::open(file)?;
    let file = TableFile::of(&input, table, null).with_foreign_columns();
    file.check()?;
    let here = context.open_to_read().await?;
    let folder =
        tempfile::tempdir().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let empty = database::open(&DatabaseAddress::of_file(
        &folder.path().join("compared.db"),
    ))
    .await?;
    let compared = file.compare(&here, &empty, context.clock.now()).await?;
    empty.close().await?;
    if !compared.foreign.is_empty() {
        let names = compared.foreign.join(", ");
        output::note(format!(
            "not compared: {} has no column {names}",
            table.name
        ));
    }
    let exit = if compared.is_explained() {
        Exit::Ok
    } else {
        Exit::Partial
    };
    if compared.differing.is_empty() && format == Format::Table {
        let rows = counted(compared.rows, "row", "rows");
        let columns = counted(compared.columns as u64, "column", "columns");
        output::line(format!(
            "{}: {rows} equal, in the key and {columns}",
            table.name
        ));
        return Ok(exit);
    }
    let rows = compared.differing.into_iter();
    let rows = rows.map(|(column, differing)| row(column, differing));
    written(print(format, &COLUMNS, rows.collect())).map(|_| exit)
}

fn row(column: String, differing: Differing) -> Vec<Cell> {
    let (here, there) = differing.example.sides();
    let Difference { table, key, .. } = differing.example;
    let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
    vec![
        Cell::Text(table),
        Cell::Text(column),
        Cell::Integer(number(differing.count)),
        differing
            .decision
            .map_or(Cell::Null, |it| Cell::Integer(it.into())),
        Cell::Text(key),
        Cell::Text(here),
        Cell::Text(there),
    ]
}

async fn import(shared: &Shared, table: &str, file: &Path, null: &str) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let table = domain_table(&context.sources, table)?;
    let input = Input::open(file)?;
    let file = TableFile::of(&input, table, null);
    // The whole file is checked before the database is opened.
    let rows = file.check()?;
    let (store, _lock) = context.open_for_writing("table import").await?;
    let changes = file.import(&store, context.clock.now()).await?;
    store.close().await?;
    if shared.json {
        let done = json!({
            "table": table.name, "rows": rows, "written": changes.written,
            "removed": changes.removed, "unchanged": changes.unchanged,
        });
        output::json_line(&done.to_string());
    } else if !shared.quiet {
        output::line(summary(table.name, rows, changes));
    }
    Ok(Exit::Ok)
}
