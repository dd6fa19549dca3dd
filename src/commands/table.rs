//! `table import`: rows of domain tables from CSV files.

use std::path::Path;

use serde_json::json;

use crate::cli::{Shared, TableCommand};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::output;
use crate::table_files::{TableFile, domain_table, summary};

pub(super) async fn table(shared: &Shared, command: TableCommand) -> Result<Exit, Failure> {
    let TableCommand::Import { table, file, null } = command;
    import(shared, &table, &file, &null).await
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
