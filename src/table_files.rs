//! Domain tables from CSV files: all rows of a file or none.
//!
//! A file is read twice at least. The first time every value is checked, so that a file with a
//! fault never gets to the database; the last time its rows are written in one transaction.

mod cells;
mod comparison;
mod repeated;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use headwater_domain::table::Layer;
use headwater_domain::{Scope, Table};
use headwater_store::import::Imported;
use headwater_store::{Changes, Store};
use sea_orm::Value;

use crate::config::closest;
use crate::exit::Failure;
use crate::input::{CsvRow, CsvRows, Input};
use crate::sources::Sources;
pub(crate) use cells::value_of;
pub(crate) use comparison::{Differing, sourced_table};
pub(crate) use repeated::{Part, Suspects, in_parts};

/// Rows that are written together.
const BATCH: usize = 512;

/// Columns of every domain table that Headwater fills itself: a file may have them, and what it
/// says there is not read.
pub(crate) const OWN_COLUMNS: [&str; 6] = [
    "_raw_data_params",
    "_raw_data_table",
    "_raw_data_id",
    "_raw_data_remark",
    "created_at",
    "updated_at",
];

/// A CSV file of rows of a domain table.
pub(crate) struct TableFile<'f> {
    input: &'f Input,
    null: &'f str,
    table: &'static Table,
    /// Whether it may have columns that the table has not.
    foreign: bool,
}

/// What is done with a row and its values.
type TakesRow<'t> = dyn FnMut(CsvRow<'_>, &Columns, &[Value]) -> Result<(), Failure> + 't;

/// Where the columns of a file go.
struct Columns {
    /// Columns of the file that are read, with their places in the table.
    read: Vec<(usize, usize)>,
    /// Places of the key among the columns that are read.
    key: Vec<usize>,
}

/// The domain table of this name.
///
/// # Errors
/// Exit 2 when there is none, or it is no domain table.
pub(crate) fn domain_table(sources: &Sources, name: &str) -> Result<&'static Table, Failure> {
    let tables = sources.tables().rows;
    let domain = tables
        .iter()
        .filter(|table| table.layer() == Layer::Domain)
        .copied();
    if let Some(table) = domain.clone().find(|table| table.name == name) {
        return Ok(table);
    }
    let why = match Layer::of(name) {
        Layer::Raw => {
            "is a raw table, and only domain tables are imported; `headwater raw import` reads raw \
             rows"
        }
        Layer::Tool => {
            "is a tool table: its rows follow from raw rows, which `headwater raw import` reads"
        }
        Layer::Bookkeeping => "is a table of Headwater's own, and only domain tables are imported",
        Layer::Domain => "is no table of this version",
    };
    let names: Vec<&str> = domain.map(|table| table.name).collect();
    let meant = closest(name, &names).filter(|_| Layer::of(name) == Layer::Domain);
    let next = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "`headwater tables` lists them".to_owned(),
    };
    Err(Failure::usage(format!("{name} {why}; {next}")))
}

impl<'f> TableFile<'f> {
    /// A file of rows of a table, in which fields that are `null` are no values.
    pub(crate) fn of(input: &'f Input, table: &'static Table, null: &'f str) -> Self {
        Self {
            input,
            null,
            table,
            foreign: false,
        }
    }

    /// The same, and columns that the table has not are left out.
    pub(crate) fn with_foreign_columns(self) -> Self {
        Self {
            foreign: true,
            ..self
        }
    }

    /// Reads all of it. Returns how many rows it has.
    ///
    /// # Errors
    /// Exit 3 with the first fault, or two rows with one key.
    pub(crate) fn check(&self) -> Result<u64, Failure> {
        let read = |part: &mut Part| {
            let mut rows = 0;
            self.each(&mut |_, columns, values| {
                rows += 1;
                part.add(&columns.key_of(values));
                Ok(())
            })?;
            Ok(rows)
        };
        in_parts(read, |suspects| self.find_repeated(suspects))
    }

    fn find_repeated(&self, mut suspects: Suspects) -> Result<(), Failure> {
        self.each(&mut |row, columns, values| match suspects
            .repeats(&columns.key_of(values), row.place.line)
        {
            None => Ok(()),
            Some(first) => Err(self.repeated(row, columns, first)),
        })
    }

    fn repeated(&self, row: CsvRow<'_>, columns: &Columns, first: u64) -> Failure {
        let key = columns.key.iter().map(|&place| {
            let (field, column) = columns.read[place];
            let text = row.field(field).ok().flatten().unwrap_or_default();
            let name = &self.table.columns[column].name;
            format!("{name} {}", crate::input::quoted(text))
        });
        let key: Vec<String> = key.collect();
        row.place.wrong(format_args!(
            "the key {} is that of line {first} too; of two rows with one key, leave one out",
            key.join(", ")
        ))
    }

    /// Writes its rows, in one transaction.
    ///
    /// # Errors
    /// Exit 3 when the file is another than the one that was checked; exit 6 when the database
    /// fails.
    pub(crate) async fn import(
        &self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Changes, Failure> {
        let mut rows = CsvRows::of(self.input, Some(self.null))?;
        let columns = self.columns(&rows)?;
        let of = Imported {
            table: self.table,
            places: columns.read.iter().map(|(_, column)| *column).collect(),
            first: store.has_no_rows(self.table).await?,
        };
        let mut page = store.begin(&Scope::everywhere(), now).await?;
        let mut changes = Changes::default();
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH
                && let Some(row) = rows.next()?
            {
                batch.push(columns.values(self.table, row)?);
            }
            if batch.is_empty() {
                break;
            }
            changes += page.import(&of, batch).await?;
        }
        page.commit().await?;
        Ok(changes)
    }

    fn columns(&self, rows: &CsvRows<'_>) -> Result<Columns, Failure> {
        Columns::of(self.table, rows, self.foreign)
    }

    /// Reads every row with its values.
    fn each(&self, take: &mut TakesRow<'_>) -> Result<(), Failure> {
        let mut rows = CsvRows::of(self.input, Some(self.null))?;
        let columns = self.columns(&rows)?;
        while let Some(row) = rows.next()? {
            let values = columns.values(self.table, row)?;
            take(row, &columns, &values)?;
        }
        Ok(())
    }
}

impl Columns {
    fn of(table: &Table, rows: &CsvRows<'_>, foreign: bool) -> Result<Self, Failure> {
        let mut read = Vec::new();
        let mut seen = BTreeSet::new();
        for (field, name) in rows.header().iter().enumerate() {
            if !seen.insert(name) {
                let what = format_args!("the header has the column {name} twice");
                return Err(rows.top().wrong(what));
            }
            match table.position(name) {
                Some(column) => read.push((field, column)),
                None if foreign || OWN_COLUMNS.contains(&name.as_str()) => {}
                None => return Err(unknown_column(table, rows, name)),
            }
        }
        let place = |key: usize| {
            let place = read.iter().position(|(_, column)| *column == key);
            place.ok_or_else(|| {
                rows.top().wrong(format_args!(
                    "the header has no column {}, which is part of the key of {}",
                    table.columns[key].name, table.name
                ))
            })
        };
        let key: Vec<usize> = table.key_positions().map(place).collect::<Result<_, _>>()?;
        Ok(Self { read, key })
    }

    fn values(&self, table: &Table, row: CsvRow<'_>) -> Result<Vec<Value>, Failure> {
        let values = self.read.iter().map(|&(field, column)| {
            let text = row.field(field)?;
            cells::value_of(&table.columns[column], text).map_err(|misfit| row.wrong(field, misfit))
        });
        values.collect()
    }

    fn key_of<'v>(&self, values: &'v [Value]) -> Vec<&'v Value> {
        self.key.iter().map(|&place| &values[place]).collect()
    }
}

fn unknown_column(table: &Table, rows: &CsvRows<'_>, name: &str) -> Failure {
    let known: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
    let next = match closest(name, &known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("it has {}", known.join(", ")),
    };
    let table = table.name;
    rows.top().wrong(format_args!(
        "{table} has no column {}; {next}",
        crate::input::quoted(name)
    ))
}

/// What was imported, for people.
pub(crate) fn summary(table: &str, rows: u64, changes: Changes) -> String {
    let rows = crate::report::counted(rows, "row", "rows");
    format!("{table}: {rows} read, {} new or changed", changes.written)
}
