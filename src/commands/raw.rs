//! `raw import` and `raw export`: raw rows in and out of files.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::{RawFormat, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, written};
use crate::raw_files::{self, RawFile, form_of, stream_of};
use crate::report::counted;
use crate::resolve::one_registered;
use crate::sources::Sources;

pub(super) async fn import(
    shared: &Shared,
    table: &str,
    file: &Path,
    format: Option<RawFormat>,
) -> Result<Exit, Failure> {
    let sources = Sources::all();
    let (source, entry) = stream_of(&sources, table)?;
    let file = RawFile::read(file, format)?;
    // The whole file is checked before the first row is written.
    let (scopes, highest) = file.check(entry)?;
    let context = Context::load(shared, NeedsFile::No)?;
    let (store, _lock) = context.open_for_writing("raw import").await?;
    let place = (&store, &context.clock);
    let imported = raw_files::import(place, (source, entry), &file, (&scopes, highest)).await?;
    store.close().await?;
    let raw_table = &entry.collection.raw_table;
    if shared.json {
        let done = json!({
            "table": raw_table, "rows": imported.rows, "changed": imported.items,
        });
        output::json_line(&done.to_string());
    } else if !shared.quiet {
        output::line(format_args!(
            "{}: {} read, {} new or changed; next: headwater transform",
            raw_table,
            counted(imported.rows, "row", "rows"),
            counted(imported.items, "item", "items"),
        ));
    }
    Ok(Exit::Ok)
}

pub(super) async fn export(
    shared: &Shared,
    table: &str,
    file: Option<&Path>,
    scope: Option<String>,
    format: Option<RawFormat>,
) -> Result<Exit, Failure> {
    let sources = Sources::all();
    let (_, entry) = stream_of(&sources, table)?;
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_to_read().await?;
    let format = format.or_else(|| file.map(form_of));
    let out: Box<dyn Write> = match file {
        Some(file) => {
            let created = File::create(file);
            let created = created.map_err(|error| {
                Failure::because(Exit::Failed, format!("writing {}", file.display()), error)
            })?;
            Box::new(io::BufWriter::new(created))
        }
        None => Box::new(io::BufWriter::new(output::data())),
    };
    let format = format.unwrap_or(RawFormat::Csv);
    let wanted = match &scope {
        Some(name) => Some(one_registered(&store, &context.config, name).await?.0),
        None => None,
    };
    let exported = raw_files::export(&store, entry, wanted.as_ref(), (format, out)).await?;
    let rows = match exported {
        Ok(rows) => rows,
        Err(error) => return written(Err(error)),
    };
    if !shared.quiet {
        tell_exported(shared, &entry.collection.raw_table, rows, file);
    }
    Ok(Exit::Ok)
}

/// What was written: beside the rows, where these are on standard output.
fn tell_exported(shared: &Shared, table: &str, rows: u64, file: Option<&Path>) {
    let counted = counted(rows, "row", "rows");
    let Some(file) = file else {
        return output::note(format_args!(
            "{table}: {counted} written to standard output"
        ));
    };
    if shared.json {
        let done = json!({ "table": table, "rows": rows, "file": file.display().to_string() });
        output::json_line(&done.to_string());
    } else {
        output::line(format_args!(
            "{table}: {counted} written to {}",
            file.display()
        ));
    }
}
