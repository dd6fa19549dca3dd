//! A file of rows of a table, such as DevLake's, against the rows that are stored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use headwater_domain::Table;
use headwater_store::Store;
use headwater_store::compare::{Difference, differences_of};

use super::{TableFile, domain_table};
use crate::deviations;
use crate::exit::Failure;
use crate::input::CsvRows;
use crate::sources::Sources;

/// What the column is called that says of a row that it is on one side only.
const ROW: &str = "(row)";

/// What differs between the rows of a file and those of the database.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Rows of the file.
    pub(crate) rows: u64,
    /// Columns that were compared beside the key.
    pub(crate) columns: usize,
    /// Columns of the file that this version does not have.
    pub(crate) foreign: Vec<String>,
    /// Differences by column.
    pub(crate) differing: BTreeMap<String, Differing>,
}

/// How one column differs.
#[derive(Debug)]
pub(crate) struct Differing {
    /// In how many rows.
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) example: Difference,
    /// Number of the decision by which it may; see `docs/decisions/README.md`.
    pub(crate) decision: Option<u32>,
}

/// The tool or domain table of this name.
///
/// # Errors
/// Exit 2 when there is none.
pub(crate) fn sourced_table(sources: &Sources, name: &str) -> Result<&'static Table, Failure> {
    let tables = sources.tables().rows;
    let found = tables.iter().copied().find(|table| table.name == name);
    found.map_or_else(|| domain_table(sources, name), Ok)
}

impl Comparison {
    /// Whether every difference has its decision.
    pub(crate) fn is_explained(&self) -> bool {
        self.differing.values().all(|it| it.decision.is_some())
    }

    fn take(&mut self, difference: Difference) {
        let column = match &difference.cell {
            Some((column, ..)) => column.clone(),
            None => ROW.to_owned(),
        };
        let decision = match &difference.cell {
            Some((column, ..)) => deviations::of_column(&difference.table, column),
            None => deviations::of_rows(&difference.table),
        };
        let found = self.differing.entry(column).or_insert(Differing {
            count: 0,
            example: difference,
            decision,
        });
        found.count += 1;
    }
}

impl TableFile<'_> {
    /// Compares its rows with those of a database, by way of an empty one. The file was checked.
    ///
    /// # Errors
    /// Exit 3 when the file is another than the one that was checked; exit 6 when a database fails.
    pub(crate) async fn compare(
        &self,
        here: &Store,
        empty: &Store,
        now: DateTime<Utc>,
    ) -> Result<Comparison, Failure> {
        let rows = CsvRows::of(self.input, Some(self.null))?;
        let columns = self.columns(&rows)?;
        let table = self.table;
        let read: Vec<&str> = columns
            .read
            .iter()
            .map(|&(_, column)| table.columns[column].name.as_str())
            .collect();
        let is_foreign = |name: &&String| {
            table.position(name).is_none() && !super::OWN_COLUMNS.contains(&name.as_str())
        };
        let mut comparison = Comparison {
            columns: read.len() - columns.key.len(),
            foreign: rows.header().iter().filter(is_foreign).cloned().collect(),
            ..Comparison::default()
        };
        comparison.rows = self.import(empty, now).await?.written;
        differences_of(here, empty, (table, &read), |difference| {
            comparison.take(difference);
        })
        .await?;
        Ok(comparison)
    }
}
