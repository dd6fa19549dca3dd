//! `raw import` and `raw export`: raw rows in and out of files.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::{RawFormat, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::output::{self, written};
use crate::raw_files::{self, RawFile, form_of, stream_of};
use crate::report::counted;
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
    if !shared.quiet {
        output::line(format_args!(
            "{}: {} read, {} new or changed; next: headwater transform",
            entry.collection.raw_table,
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
    let store = context.open_for_reading().await?;
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
    let exported = raw_files::export(&store, entry, scope.as_deref(), (format, out)).await?;
    written(exported)
}
