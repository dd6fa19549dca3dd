//! Raw rows in and out of files: CSV with `DevLake`'s raw header, or JSON lines.

mod reader;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use headwater_collectors::{Collection, content_hash};
use headwater_domain::Scope;
use headwater_store::Store;
use headwater_store::raw::{ExportedRow, NewItem};

use crate::cli::{RawFormat, Shared};
use crate::commands::written;
use crate::context::{Context, NeedsFile};
use crate::exit::{Exit, Failure};
use crate::report::counted;
use crate::run::{lease_all, now};
use crate::source::StreamEntry;
use crate::sources::bitbucket::bitbucket;

use reader::{FileRow, rows_of};

/// Rows read at once when exporting.
const PAGE: usize = 500;

pub(crate) async fn import(
    shared: &Shared,
    table: &str,
    file: &Path,
    format: Option<RawFormat>,
) -> Result<Exit, Failure> {
    let source = bitbucket();
    let entry = source
        .by_raw_table(table)
        .ok_or_else(|| unknown_table(table))?;
    let bytes = read_file(file)?;
    let name = file.display().to_string();
    let format = format.unwrap_or_else(|| form_of(file, RawFormat::Csv));
    // The whole file is checked before the first row is written.
    let mut scopes = BTreeSet::new();
    let mut highest = 0;
    for row in rows_of(&bytes, &name, format) {
        let row = row?;
        require_scope_of(entry, &row)?;
        scopes.insert(row.scope.clone());
        highest = highest.max(row.id.unwrap_or_default());
    }
    let context = Context::load(shared, NeedsFile::No)?;
    let (store, _lock) = context.open_for_writing("raw import").await?;
    for scope in &scopes {
        store.register(scope, now()).await?;
    }
    let leases = lease_all(&store, scopes.iter(), "raw import").await?;
    let next_id = highest.max(store.highest_id(&entry.collection.raw_table).await?) + 1;
    let rows = rows_of(&bytes, &name, format);
    let (read, imported) = write_rows(&store, entry, rows, next_id).await?;
    for lease in leases {
        lease.release().await?;
    }
    store.close().await?;
    if !shared.quiet {
        println!(
            "{}: {} read, {} new or changed; next: headwater transform",
            entry.collection.raw_table,
            counted(read, "row", "rows"),
            counted(imported, "item", "items"),
        );
    }
    Ok(Exit::Ok)
}

/// Refuses a row whose `params` cannot name what the stream's items belong to: it would be stored
/// and never extracted.
fn require_scope_of(entry: &StreamEntry, row: &FileRow) -> Result<(), Failure> {
    let of_workspace = entry.collection.of_workspace;
    if row.scope.is_workspace() == of_workspace {
        return Ok(());
    }
    let (expected, example) = if of_workspace {
        ("a workspace", "acme")
    } else {
        ("a repository", "acme/rocket")
    };
    Err(Failure::usage(format!(
        "{}: params: FullName {:?} is no name of {expected}, to which items of {} belong; \
         write it like {example:?}",
        row.place, row.scope.full_name, entry.collection.raw_table
    )))
}

/// Writes all rows in one transaction, so that a row that cannot be written leaves nothing behind.
async fn write_rows(
    store: &Store,
    entry: &StreamEntry,
    rows: impl Iterator<Item = Result<FileRow, Failure>>,
    mut next_id: i64,
) -> Result<(u64, u64), Failure> {
    let children = bitbucket().children_of(entry.collection.stream);
    let (mut read, mut imported) = (0, 0);
    let mut page = None;
    let mut entered: Option<Scope> = None;
    let begun_at = now();
    for row in rows {
        let row = row?;
        let page = match &mut page {
            None => page.insert(store.begin(&row.scope, begun_at).await?),
            Some(page) => {
                if entered.as_ref() != Some(&row.scope) {
                    page.enter(&row.scope).await?;
                }
                page
            }
        };
        entered = Some(row.scope.clone());
        let id = row.id.unwrap_or_else(|| {
            next_id += 1;
            next_id - 1
        });
        let created_at = row.created_at.unwrap_or(begun_at);
        let place = row.place.clone();
        let table = &entry.collection.raw_table;
        let done = page
            .import_item(table, id, item((entry, &children), row), created_at)
            .await;
        let done = done.map_err(|error| {
            Failure::because(
                Exit::Failed,
                format!("{place}: nothing was imported"),
                error,
            )
        })?;
        read += 1;
        imported += u64::from(done);
    }
    if let Some(page) = page {
        page.commit().await?;
    }
    Ok((read, imported))
}

fn item((entry, children): (&StreamEntry, &[Collection]), row: FileRow) -> NewItem {
    let content_hash = content_hash(&row.data);
    // An item without a key is kept all the same; extraction says what is wrong with it.
    let key = entry.collection.endpoint.key.of(&row.data);
    let child_counts = entry.collection.child_counts(children, &row.data);
    let parent = match entry.collection.parent {
        Some(_) => row.parent,
        None => String::new(),
    };
    NewItem {
        parent,
        key: key.unwrap_or_else(|| format!("hash:{content_hash}")),
        data: row.data,
        content_hash,
        url: row.url,
        input: row.input,
        child_counts,
    }
}

fn unknown_table(table: &str) -> Failure {
    let source = bitbucket();
    let known: Vec<String> = source
        .streams
        .iter()
        .map(|entry| entry.collection.raw_table.clone())
        .collect();
    Failure::usage(format!(
        "{table} is no raw table of this version; the raw tables are: {}",
        known.join(", ")
    ))
}

fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

fn form_of(file: &Path, otherwise: RawFormat) -> RawFormat {
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" | "json" => RawFormat::Jsonl,
        "csv" => RawFormat::Csv,
        _ => otherwise,
    }
}

pub(crate) async fn export(
    shared: &Shared,
    table: &str,
    file: Option<&Path>,
    scope: Option<String>,
    format: Option<RawFormat>,
) -> Result<Exit, Failure> {
    let source = bitbucket();
    let entry = source
        .by_raw_table(table)
        .ok_or_else(|| unknown_table(table))?;
    let context = Context::load(shared, NeedsFile::No)?;
    let store = context.open_for_reading().await?;
    let wanted = match scope {
        Some(name) => Some(params_of(&store, &name).await?),
        None => None,
    };
    let form = file.map(|file| form_of(file, RawFormat::Csv));
    let format = format.or(form).unwrap_or(RawFormat::Csv);
    let out: Box<dyn Write> = match file {
        Some(file) => {
            let created = File::create(file);
            let created = created.map_err(|error| {
                Failure::because(Exit::Failed, format!("writing {}", file.display()), error)
            })?;
            Box::new(io::BufWriter::new(created))
        }
        None => Box::new(io::BufWriter::new(io::stdout())),
    };
    let mut writer = match Writer::begin(format, out) {
        Ok(writer) => writer,
        Err(error) => return written(Err(error)),
    };
    let mut after = 0;
    loop {
        let raw_table = &entry.collection.raw_table;
        let rows = store
            .rows_to_export(raw_table, wanted.as_deref(), after, PAGE)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            match writer.row(row) {
                Ok(()) => {}
                error => return written(error),
            }
        }
    }
    written(writer.finish())
}

async fn params_of(store: &Store, full_name: &str) -> Result<String, Failure> {
    let known = store.scopes().await?;
    let found = known
        .into_iter()
        .find(|known| known.scope.full_name == full_name);
    found.map(|known| known.scope.params()).ok_or_else(|| {
        Failure::usage(format!(
            "no such repository here: {full_name}; see `headwater status`"
        ))
    })
}

enum Writer {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Jsonl(Box<dyn Write>),
}

impl Writer {
    fn begin(format: RawFormat, out: Box<dyn Write>) -> io::Result<Self> {
        match format {
            RawFormat::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer
                    .write_record(reader::HEADER)
                    .map_err(io::Error::other)?;
                Ok(Self::Csv(Box::new(writer)))
            }
            RawFormat::Jsonl => Ok(Self::Jsonl(out)),
        }
    }

    fn row(&mut self, row: &ExportedRow) -> io::Result<()> {
        match self {
            Self::Csv(writer) => {
                let id = row.id.to_string();
                let created_at = written_time(row.created_at);
                let fields: [&[u8]; 6] = [
                    id.as_bytes(),
                    row.params.as_bytes(),
                    &row.data,
                    row.url.as_bytes(),
                    row.input.as_bytes(),
                    created_at.as_bytes(),
                ];
                writer.write_record(fields).map_err(io::Error::other)
            }
            Self::Jsonl(out) => {
                let data = String::from_utf8_lossy(&row.data);
                let object = serde_json::json!({
                    "id": row.id,
                    "params": row.params,
                    "data": data,
                    "url": row.url,
                    "input": row.input,
                    "created_at": written_time(row.created_at),
                });
                writeln!(out, "{object}")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Jsonl(mut out) => out.flush(),
        }
    }
}

fn written_time(time: Option<DateTime<Utc>>) -> String {
    let time = time.map(|time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string());
    time.unwrap_or_default()
}
