//! Incidents from CSV files or JSON lines, for trackers without a connection: all of a file or
//! none, as often as wanted.

mod rows;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use headwater_domain::ticket::incident;
use headwater_domain::{Row as _, Scope, Table};
use headwater_store::import::Imported;
use headwater_store::{Changes, Store};
use sea_orm::Value;

use crate::cli::RawFormat;
use crate::exit::Failure;
use crate::input::{Input, quoted};
use crate::table_files::{Part, Suspects, in_parts};
use rows::Incident;

/// Rows that are written together.
const BATCH: usize = 256;

/// What incidents have in the column `table` where the file says nothing.
pub(crate) const SOURCES: &str = "incident_sources";

/// A file of incidents.
pub(crate) struct IncidentFile<'f> {
    /// The file.
    pub(crate) input: &'f Input,
    /// Its form.
    pub(crate) format: RawFormat,
    /// What incidents have in the column `scope_id` where the file says nothing.
    pub(crate) source: &'f str,
    /// A field of a CSV file that is this text is no value.
    pub(crate) null: &'f str,
}

/// What a file says, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) incidents: u64,
    pub(crate) withdrawn: u64,
}

/// Incidents that are written together, by the columns that they have.
#[derive(Default)]
struct Batch {
    rows: BTreeMap<Vec<usize>, Vec<Vec<Value>>>,
    withdrawn: Vec<String>,
    length: usize,
}

impl IncidentFile<'_> {
    /// Reads all of it.
    ///
    /// # Errors
    /// Exit 3 with the first fault, or two rows with one id.
    pub(crate) fn check(&self) -> Result<Counts, Failure> {
        let read = |part: &mut Part| {
            let mut counts = Counts::default();
            self.each(&mut |incident| {
                counts.withdrawn += u64::from(incident.withdrawn);
                counts.incidents += u64::from(!incident.withdrawn);
                part.add(&[incident.id()]);
                Ok(())
            })?;
            Ok(counts)
        };
        in_parts(read, |suspects| self.find_repeated(suspects))
    }

    fn find_repeated(&self, mut suspects: Suspects) -> Result<(), Failure> {
        self.each(
            &mut |incident| match suspects.repeats(&[incident.id()], incident.place.line) {
                None => Ok(()),
                Some(first) => Err(incident.place.wrong(format_args!(
                    "the incident {} is on line {first} too; keep the line that says how it is now",
                    quoted(incident.id_text())
                ))),
            },
        )
    }

    /// Writes what it says, in one transaction.
    ///
    /// # Errors
    /// Exit 3 when the file is another than the one that was checked; exit 6 when the database
    /// fails.
    pub(crate) async fn import(
        &self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Changes, Failure> {
        let first = store.has_no_rows(incident::Model::table()).await?;
        let mut transaction = store.begin(&Scope::everywhere(), now).await?;
        let mut changes = Changes::default();
        let mut rows = self.rows()?;
        loop {
            let mut batch = Batch::default();
            while batch.length < BATCH
                && let Some(incident) = rows.next()?
            {
                batch.take(incident);
            }
            if batch.length == 0 {
                break;
            }
            for (places, rows) in batch.rows {
                let of = Imported {
                    table: incident::Model::table(),
                    places,
                    first,
                };
                changes += transaction.import(&of, rows).await?;
            }
            changes += transaction.withdraw_incidents(&batch.withdrawn).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }

    fn rows(&self) -> Result<rows::Rows<'_>, Failure> {
        rows::Rows::of(self)
    }

    fn each(
        &self,
        take: &mut dyn FnMut(Incident<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut rows = self.rows()?;
        while let Some(incident) = rows.next()? {
            take(incident)?;
        }
        Ok(())
    }
}

impl Batch {
    fn take(&mut self, incident: Incident<'_>) {
        self.length += 1;
        if incident.withdrawn {
            self.withdrawn.push(incident.id_text().to_owned());
            return;
        }
        let (places, values): (Vec<usize>, Vec<Value>) = incident.cells.into_iter().unzip();
        self.rows.entry(places).or_default().push(values);
    }
}

fn table() -> &'static Table {
    incident::Model::table()
}
