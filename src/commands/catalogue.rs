//! `tables` and `streams`: what there is, from the registry, the entities and the views.

mod collected;
mod following;

use std::fmt::Write as _;

use headwater_collectors::Collection;
use headwater_converters::Conversion;
use headwater_domain::Table;
use headwater_domain::table::Layer;
use headwater_store::catalogue::{RAW_COLUMNS, TRACKING_COLUMNS, type_name};
use headwater_store::query::Cell;

use crate::cli::Format;
use crate::config::ConnectionKind;
use crate::entities::FROM_GIT;
use crate::exit::{Exit, Failure};
use crate::order::Circle;
use crate::output::{self, print, written};
use crate::source::{GIT, Source, StreamEntry};
use crate::sources::Sources;
use crate::views::{View, views};

pub(super) fn tables(name: Option<&str>, format: Format) -> Result<Exit, Failure> {
    let sources = Sources::all();
    match name {
        None => written(print(
            format,
            &["table", "layer", "one_row_is"],
            list(&sources),
        )),
        Some(name) => describe(&sources, name, format),
    }
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn list(sources: &Sources) -> Vec<Vec<Cell>> {
    let tables = sources.tables();
    let raw = sources.streams().map(|(_, entry)| {
        let collection = &entry.collection;
        vec![
            text(&collection.raw_table),
            text("raw"),
            text(raw_row(entry)),
        ]
    });
    let rows = tables.rows.iter().map(|table| {
        let layer = match table.layer() {
            Layer::Tool => "tool",
            _ => "domain",
        };
        vec![text(table.name), text(layer), text(&table.describes)]
    });
    let mut list: Vec<Vec<Cell>> = rows.collect();
    // Domain tables first: they answer most questions.
    list.sort_by_key(|row| matches!(&row[1], Cell::Text(layer) if layer != "domain"));
    let views = views().into_iter();
    let views = views.map(|view| vec![text(view.name), text("view"), text(view.describes)]);
    let domain = list.partition_point(|row| matches!(&row[1], Cell::Text(it) if it == "domain"));
    list.splice(domain..domain, views);
    list.extend(raw);
    list
}

fn raw_row(entry: &StreamEntry) -> String {
    let what = entry.collection.describes.trim_end_matches('.');
    format!("{what}, as the API sent it.")
}

fn describe(sources: &Sources, name: &str, format: Format) -> Result<Exit, Failure> {
    let table = sources
        .tables()
        .rows
        .into_iter()
        .find(|table| table.name == name);
    let (one_row, columns) = if let Some(table) = table {
        (table.describes.clone(), columns(table))
    } else if let Some((_, entry)) = sources.streams().find(|(_, entry)| entry.fills(name)) {
        (raw_row(entry), raw_columns())
    } else if let Some(view) = views().into_iter().find(|view| view.name == name) {
        (view.describes.clone(), view_columns(&view))
    } else {
        return Err(Failure::usage(format!(
            "there is no table {name}; `headwater tables` lists them"
        )));
    };
    if format == Format::Table {
        output::line(format_args!("{name}: {one_row}\n"));
    }
    let header = ["column", "type", "key", "holds"];
    written(print(format, &header, columns))
}

fn raw_columns() -> Vec<Vec<Cell>> {
    let columns = RAW_COLUMNS
        .iter()
        .map(|(name, kind, key, holds)| vec![text(*name), text(*kind), text(*key), text(*holds)]);
    columns.collect()
}

fn view_columns(view: &View) -> Vec<Vec<Cell>> {
    let columns = view.columns.iter();
    columns
        .map(|it| vec![text(it.name), text(it.kind), text(""), text(it.holds)])
        .collect()
}

fn columns(table: &Table) -> Vec<Vec<Cell>> {
    let own = table.columns.iter().map(|column| {
        vec![
            text(&column.name),
            text(type_name(&column.column_type)),
            text(if column.key { "key" } else { "" }),
            text(&column.describes),
        ]
    });
    let tracking = TRACKING_COLUMNS
        .iter()
        .filter(|(name, ..)| table.layer() != Layer::Domain || *name != "changed_seq");
    let tracking =
        tracking.map(|(name, kind, holds)| vec![text(*name), text(*kind), text(""), text(*holds)]);
    own.chain(tracking).collect()
}

const STREAM_COLUMNS: [&str; 7] = [
    "stream",
    "one item is",
    "endpoint",
    "for each",
    "raw table",
    "tool tables",
    "domain tables",
];

pub(super) fn streams(markdown: bool, format: Format) -> Result<Exit, Failure> {
    let sources = Sources::all();
    if markdown {
        let page = streams_markdown(&sources)
            .map_err(|circle| Failure::new(Exit::Failed, circle.to_string()))?;
        output::line(page.trim_end());
        return Ok(Exit::Ok);
    }
    let rows = sources.streams().map(|(source, entry)| {
        let cells = stream_cells(source, entry);
        cells.into_iter().map(text).collect()
    });
    written(print(format, &STREAM_COLUMNS, rows.collect()))
}

fn stream_cells(source: &Source, entry: &StreamEntry) -> Vec<String> {
    let collection = &entry.collection;
    let tool = entry
        .extraction
        .tables
        .iter()
        .filter(|t| t.layer() == Layer::Tool);
    let conversion = source
        .conversions
        .iter()
        .find(|c| c.name == entry.converted_by);
    let domain = conversion.map(Conversion::tables).unwrap_or_default();
    let names = |tables: Vec<&str>| tables.join(", ");
    vec![
        collection.stream.to_owned(),
        collection.describes.to_owned(),
        endpoints(collection),
        collection
            .parent
            .as_ref()
            .map(|(p, _)| p.stream.to_owned())
            .unwrap_or_default(),
        collection.raw_table.clone(),
        names(tool.map(|table| table.name).collect()),
        names(domain.iter().map(|table| table.name).collect()),
    ]
}

/// The endpoint of a stream, and the one that a first walk may read instead.
fn endpoints(collection: &Collection) -> String {
    let own = format!("GET {}", collection.endpoint.path);
    match collection.bulk_list {
        Some(bulk_list) => format!("{own}, GET {}", bulk_list.path),
        None => own,
    }
}

/// `docs/streams.md`, made of the registry.
///
/// # Errors
/// When steps read what each other writes.
pub fn streams_markdown(sources: &Sources) -> Result<String, Circle> {
    let mut page = String::from(
        "# Streams\n\nMade by `headwater streams --markdown`; a test compares it with the \
         registry, so change the code and not this page.\n\n",
    );
    for source in sources.iter().filter(|source| source.api.is_some()) {
        page.push_str(&collected::markdown(source)?);
    }
    let header = STREAM_COLUMNS.join(" | ");
    for (source, api) in sources.iter().filter_map(|it| Some((it, it.api?))) {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "## {}\n\n| {header} |", api.product);
        let _ = writeln!(page, "|{}", " --- |".repeat(STREAM_COLUMNS.len()));
        for entry in &source.streams {
            let cells = stream_cells(source, entry).join(" | ");
            let _ = writeln!(page, "| {cells} |");
        }
        if let Some((accounts, _)) = source.accounts {
            let _ = writeln!(
                page,
                "\nAccounts have no endpoint of their own: `{}` and `accounts` are merged from \
                 every item above that names a person.\n",
                (accounts.table)().name
            );
        }
    }
    let git = sources.of_kind(ConnectionKind::Git);
    let tables = git.into_iter().flat_map(|source| &source.of_git);
    let tables: Vec<String> = tables.map(|table| format!("`{}`", table.name)).collect();
    let _ = writeln!(
        page,
        "## Git\n\nWhere git is read (a connection of kind `git`, or `git.enabled`), `{GIT}` takes \
         the place of the streams `{}`. Its mirrors fill {}.",
        FROM_GIT.join("`, `"),
        tables.join(", ")
    );
    for source in sources.iter().filter(|source| source.api.is_some()) {
        page.push_str(&following::markdown(source)?);
    }
    Ok(page)
}
