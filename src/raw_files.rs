//! Raw rows in and out of files: CSV with `DevLake`'s raw header, or JSON lines.

mod reader;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use headwater_collectors::{Collection, address_without_secrets, content_hash, trimmed};
use headwater_domain::Scope;
use headwater_redaction::payload::without_secrets;
use headwater_store::Store;
use headwater_store::raw::{ExportedRow, NewItem};

use crate::cli::RawFormat;
use crate::clock::Clock;
use crate::exit::{Exit, Failure};
use crate::run::lease_all;
use crate::source::{Source, StreamEntry};
use crate::sources::Sources;

use reader::{FileRow, rows_of};

/// Rows read at once when exporting.
const PAGE: usize = 500;

/// A file of raw rows, read into memory.
pub(crate) struct RawFile {
    name: String,
    bytes: Vec<u8>,
    format: RawFormat,
}

impl RawFile {
    /// Reads a file, or standard input for `-`. Its form is the given one, else what its ending
    /// says, else CSV.
    ///
    /// # Errors
    /// Exit 2 when it cannot be read.
    pub(crate) fn read(file: &Path, format: Option<RawFormat>) -> Result<Self, Failure> {
        Ok(Self {
            name: file.display().to_string(),
            bytes: read_file(file)?,
            format: format.unwrap_or_else(|| form_of(file)),
        })
    }

    /// The scopes of its rows, and the highest id. Reads every row, so that a row that is
    /// wrong is found before the first one is written.
    ///
    /// # Errors
    /// Exit 2 with the place of the first row that is wrong.
    pub(crate) fn check(&self, entry: &StreamEntry) -> Result<(BTreeSet<Scope>, i64), Failure> {
        let mut scopes = BTreeSet::new();
        let mut highest = 0;
        for row in self.rows() {
            let row = row?;
            require_scope_of(entry, &row)?;
            scopes.insert(row.scope.clone());
            highest = highest.max(row.id.unwrap_or_default());
        }
        Ok((scopes, highest))
    }

    fn rows(&self) -> impl Iterator<Item = Result<FileRow, Failure>> {
        rows_of(&self.bytes, &self.name, self.format)
    }
}

/// Rows that were read, and items that are new or changed.
pub(crate) struct Imported {
    pub(crate) rows: u64,
    pub(crate) items: u64,
}

/// Imports a file that was checked: registers its repositories and writes its rows.
///
/// # Errors
/// Exit 7 when another process works on one of the repositories; when the database fails.
pub(crate) async fn import(
    (store, clock): (&Store, &Clock),
    (source, entry): (&Source, &StreamEntry),
    file: &RawFile,
    (scopes, highest): (&BTreeSet<Scope>, i64),
) -> Result<Imported, Failure> {
    for scope in scopes {
        store.register(scope, clock.now()).await?;
    }
    let leases = lease_all(store, scopes.iter(), "raw import").await?;
    let next_id = highest.max(store.highest_id(&entry.collection.raw_table).await?) + 1;
    let children = source.children_of(entry.collection.stream);
    let stream = (entry, children.as_slice());
    let imported = write_rows(store, stream, file.rows(), (next_id, clock.now())).await?;
    for lease in leases {
        lease.release().await?;
    }
    Ok(imported)
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
    (entry, children): (&StreamEntry, &[Collection]),
    rows: impl Iterator<Item = Result<FileRow, Failure>>,
    (mut next_id, begun_at): (i64, DateTime<Utc>),
) -> Result<Imported, Failure> {
    let mut imported = Imported { rows: 0, items: 0 };
    let mut page = None;
    let mut entered: Option<Scope> = None;
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
            .import_item(table, id, item((entry, children), row), created_at)
            .await;
        let done = done.map_err(|error| {
            Failure::because(
                Exit::Failed,
                format!("{place}: nothing was imported"),
                error,
            )
        })?;
        imported.rows += 1;
        imported.items += u64::from(done);
    }
    if let Some(page) = page {
        page.commit().await?;
    }
    Ok(imported)
}

fn item((entry, children): (&StreamEntry, &[Collection]), row: FileRow) -> NewItem {
    let left_out = entry.collection.endpoint.left_out;
    let data = trimmed(without_secrets(row.data), left_out);
    let content_hash = content_hash(&data);
    // An item without a key is kept all the same; extraction says what is wrong with it.
    let key = entry.collection.endpoint.key_of(&data);
    let child_counts = entry.collection.child_counts(children, &data);
    let parent = match entry.collection.parent {
        Some(_) => row.parent,
        None => String::new(),
    };
    NewItem {
        parent,
        key: key.unwrap_or_else(|| format!("hash:{content_hash}")),
        data,
        content_hash,
        url: address_without_secrets(&row.url),
        input: text_without_secrets(row.input),
        child_counts,
    }
}

fn text_without_secrets(json: String) -> String {
    let hidden = without_secrets(json.into_bytes());
    String::from_utf8_lossy(&hidden).into_owned()
}

/// The stream that fills this raw table.
///
/// # Errors
/// Exit 2 with the names of all raw tables.
pub(crate) fn stream_of<'a>(
    sources: &'a Sources,
    table: &str,
) -> Result<(&'a Source, &'a StreamEntry), Failure> {
    let mut streams = sources.streams();
    let found = streams.find(|(_, entry)| entry.fills(table));
    found.ok_or_else(|| unknown_table(sources, table))
}

fn unknown_table(sources: &Sources, table: &str) -> Failure {
    let known: Vec<String> = sources
        .streams()
        .map(|(_, entry)| entry.collection.raw_table.clone())
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

/// The form that a file's ending says.
pub(crate) fn form_of(file: &Path) -> RawFormat {
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" | "json" => RawFormat::Jsonl,
        _ => RawFormat::Csv,
    }
}

/// Writes the rows of a stream, of one repository or of all. The inner result is the output's.
///
/// # Errors
/// Exit 2 when there is no such repository; when the database fails.
pub(crate) async fn export(
    store: &Store,
    entry: &StreamEntry,
    scope: Option<&Scope>,
    (format, out): (RawFormat, Box<dyn Write>),
) -> Result<io::Result<u64>, Failure> {
    let wanted = scope.map(Scope::params);
    let mut written = 0;
    let mut writer = match Writer::begin(format, out) {
        Ok(writer) => writer,
        Err(error) => return Ok(Err(error)),
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
            if let Err(error) = writer.row(row) {
                return Ok(Err(error));
            }
            written += 1;
        }
    }
    Ok(writer.finish().map(|()| written))
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
                writer.write_record(reader::HEADER)?;
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
                Ok(writer.write_record(fields)?)
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
