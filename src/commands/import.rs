//! `import`: facts from elsewhere, in forms that are easy to write.

use std::path::Path;

use serde_json::json;

use crate::cli::{ImportCommand, RawFormat, Shared};
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::incident_files::IncidentFile;
use crate::input::Input;
use crate::output;
use crate::raw_files::form_of;
use crate::report::counted;

pub(super) async fn import(shared: &Shared, command: ImportCommand) -> Result<Exit, Failure> {
    let ImportCommand::Incidents {
        file,
        source,
        format,
        null,
    } = command;
    incidents(shared, &file, (&source, &null), format).await
}

async fn incidents(
    shared: &Shared,
    file: &Path,
    (source, null): (&str, &str),
    format: Option<RawFormat>,
) -> Result<Exit, Failure> {
    let context = Context::load(shared, NeedsFile::No)?;
    let input = Input::open(file)?;
    let file = IncidentFile {
        input: &input,
        format: format.unwrap_or_else(|| form_of(file)),
        source,
        null,
    };
    // The whole file is checked before the database is opened.
    let counts = file.check()?;
    let (store, _lock) = context.open_for_writing("import incidents").await?;
    let changes = file.import(&store, context.clock.now()).await?;
    let unmapped = store.unmapped_incident_scopes().await?;
    store.close().await?;
    if shared.json {
        let unmapped = unmapped.iter().map(|(table, id)| format!("{table}:{id}"));
        let done = json!({
            "incidents": counts.incidents, "withdrawn": counts.withdrawn,
            "written": changes.written, "removed": changes.removed,
            "sources_of_no_project": unmapped.collect::<Vec<_>>(),
        });
        output::json_line(&done.to_string());
        return Ok(Exit::Ok);
    }
    if shared.quiet {
        return Ok(Exit::Ok);
    }
    output::line(format_args!(
        "{}, {} withdrawn: {} new or changed, {} removed",
        counted(counts.incidents, "incident", "incidents"),
        counts.withdrawn,
        changes.written,
        changes.removed
    ));
    for (table, id) in unmapped {
        output::line(format_args!(
            "no project counts the incidents of {table}:{id}; write this into its \
             [[project]]: incident_sources = [\"{table}:{id}\"]"
        ));
    }
    Ok(Exit::Ok)
}
