//! What is collected, in one table: kinds of records, and the domain tables that they fill.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use headwater_domain::table::Layer;

use crate::config::Entity;
use crate::entities::filled_by;
use crate::order::{Circle, Node, order};
use crate::source::{GIT, Source, StreamEntry};

/// The first section of `docs/streams.md`: a row for each entity, for git, and for each step that
/// derives.
///
/// # Errors
/// When steps read what each other writes.
pub(super) fn markdown(source: &Source) -> Result<String, Circle> {
    let mut page = String::from(
        "## What is collected\n\nThe key `entities` of a scope config chooses by the words of the \
         first column.\n\n| entity | records | domain tables |\n| --- | --- | --- |\n",
    );
    let mut of_every_scope = BTreeSet::new();
    for entity in std::iter::once(None).chain(Entity::ALL.map(Some)) {
        let of_entity = |entry: &&StreamEntry| entry.entity == entity;
        let entries: Vec<&StreamEntry> = source.streams.iter().filter(of_entity).collect();
        let streams: BTreeSet<&str> = entries.iter().map(|it| it.collection.stream).collect();
        let name = entity.map_or("in every case", Entity::as_str);
        let records: Vec<String> = entries.into_iter().map(records).collect();
        // Environments are part of the row of a repository, too.
        let tables = &domain(source, &streams) - &of_every_scope;
        row(&mut page, name, &records.join(", "), &tables);
        if entity.is_none() {
            of_every_scope = tables;
        }
    }
    let mirrors = domain(source, &BTreeSet::from([GIT]));
    row(
        &mut page,
        "code, where git is read",
        "commits, branches, tags, changed files",
        &mirrors,
    );
    row(
        &mut page,
        "in every case",
        "accounts, from every item that names one",
        &accounts(source),
    );
    for node in order(source)? {
        if let Node::Derivation(derivation) = node {
            let records = format!("{}, derived from stored rows", spoken(derivation.name()));
            row(&mut page, "in every case", &records, &node.writes());
        }
    }
    page.push('\n');
    Ok(page)
}

/// Adds a row of the table; what fills no domain table says so.
fn row(page: &mut String, entity: &str, records: &str, tables: &BTreeSet<&str>) {
    let tables = tables.iter().filter(|name| is_domain(name));
    let tables: Vec<String> = tables.map(|name| format!("`{name}`")).collect();
    let tables = match tables.as_slice() {
        [] => "tool tables only".to_owned(),
        tables => tables.join(", "),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(page, "| {entity} | {records} | {tables} |");
}

fn is_domain(table: &str) -> bool {
    Layer::of(table) == Layer::Domain
}

/// The name of a stream or a step, as people write it.
fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

fn records(entry: &StreamEntry) -> String {
    let name = spoken(entry.collection.stream);
    if entry.opt_in {
        format!("{name} (where asked for)")
    } else {
        name
    }
}

/// Tables that are filled when only these streams bring rows, those of accounts left out.
fn domain(source: &Source, streams: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let mut tables = filled_by(source, streams);
    for account in accounts(source) {
        tables.remove(account);
    }
    tables
}

/// The tables of the conversion of accounts.
fn accounts(source: &Source) -> BTreeSet<&'static str> {
    let name = source.accounts.map(|(_, conversion)| conversion);
    let conversions = source.conversions.iter();
    let own = conversions.filter(|conversion| Some(conversion.name) == name);
    own.flat_map(|conversion| conversion.tables().into_iter().map(|table| table.name))
        .collect()
}
