//! Rows of a file of incidents, as values of columns of `incidents`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

use chrono::{DateTime, Utc};
use sea_orm::Value;
use serde_json::Value as Json;

use super::{IncidentFile, SOURCES, table};
use crate::cli::RawFormat;
use crate::config::closest;
use crate::exit::Failure;
use crate::input::{CsvRows, Place, quoted};
use crate::table_files::{OWN_COLUMNS, value_of};

/// The column that takes an incident back.
const WITHDRAWN: &str = "withdrawn";

/// One incident of a file.
pub(super) struct Incident<'f> {
    pub(super) place: Place<'f>,
    /// Values by the places of their columns.
    pub(super) cells: BTreeMap<usize, Value>,
    /// It is taken back.
    pub(super) withdrawn: bool,
}

/// The incidents of a file, one at a time.
pub(super) struct Rows<'f> {
    of: &'f IncidentFile<'f>,
    lines: Lines<'f>,
}

enum Lines<'f> {
    Csv(CsvRows<'f>),
    Json {
        reader: BufReader<&'f File>,
        line: u64,
    },
}

impl<'f> Rows<'f> {
    pub(super) fn of(of: &'f IncidentFile<'f>) -> Result<Self, Failure> {
        let lines = match of.format {
            RawFormat::Csv => Lines::Csv(csv(of)?),
            RawFormat::Jsonl => Lines::Json {
                reader: of.input.reader()?,
                line: 0,
            },
        };
        Ok(Self { of, lines })
    }

    /// Reads the next incident; none behind the last one.
    pub(super) fn next(&mut self) -> Result<Option<Incident<'f>>, Failure> {
        let mut incident = Incident {
            place: Place {
                file: self.of.input.name(),
                line: 0,
            },
            cells: BTreeMap::new(),
            withdrawn: false,
        };
        let there = match &mut self.lines {
            Lines::Csv(rows) => next_csv(rows, &mut incident)?,
            Lines::Json { reader, line } => next_json((reader, line), &mut incident)?,
        };
        if !there {
            return Ok(None);
        }
        incident.complete(self.of.source)?;
        Ok(Some(incident))
    }
}

fn csv<'f>(of: &IncidentFile<'f>) -> Result<CsvRows<'f>, Failure> {
    let rows = CsvRows::of(of.input, Some(of.null))?;
    let mut seen = Vec::new();
    for name in rows.header() {
        if let Err(what) = check_name(name) {
            return Err(rows.top().wrong(what));
        }
        if seen.contains(&name) {
            let what = format_args!("the header has the column {name} twice");
            return Err(rows.top().wrong(what));
        }
        seen.push(name);
    }
    for required in ["id", "created_date"] {
        if !rows.header().iter().any(|name| name == required) {
            let what = format_args!("the header has no column {required}, which incidents need");
            return Err(rows.top().wrong(what));
        }
    }
    Ok(rows)
}

fn next_csv(rows: &mut CsvRows<'_>, incident: &mut Incident<'_>) -> Result<bool, Failure> {
    let header = rows.header().to_vec();
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    incident.place.line = row.place.line;
    for (field, name) in header.iter().enumerate() {
        let text = row.field(field)?;
        incident.set(name, text)?;
    }
    Ok(true)
}

fn next_json(
    (reader, line): (&mut BufReader<&File>, &mut u64),
    incident: &mut Incident<'_>,
) -> Result<bool, Failure> {
    let mut bytes = Vec::new();
    loop {
        *line += 1;
        incident.place.line = *line;
        bytes.clear();
        let file = incident.place.file;
        let read = reader.read_until(b'\n', &mut bytes);
        if read.map_err(|error| Failure::usage(format!("{file}: {error}")))? == 0 {
            return Ok(false);
        }
        if !bytes.trim_ascii().is_empty() {
            break;
        }
    }
    let place = incident.place;
    let json: Json = serde_json::from_slice(&bytes)
        .map_err(|error| place.wrong(format_args!("the line is not JSON: {error}")))?;
    let Json::Object(members) = json else {
        return Err(place.wrong("the line is not a JSON object"));
    };
    for (name, value) in &members {
        check_name(name).map_err(|what| place.wrong(what))?;
        let text = match value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            Json::Bool(flag) => Some(flag.to_string()),
            Json::Number(number) => Some(number.to_string()),
            Json::Array(_) | Json::Object(_) => {
                let what = format_args!("column {name}: a list or an object is no value of it");
                return Err(place.wrong(what));
            }
        };
        incident.set(name, text.as_deref())?;
    }
    Ok(true)
}

/// Whether incidents have a column of this name.
fn check_name(name: &str) -> Result<(), String> {
    if name == WITHDRAWN || OWN_COLUMNS.contains(&name) || table().has(name) {
        return Ok(());
    }
    let columns = table().columns.iter().map(|column| column.name.as_str());
    let known: Vec<&str> = columns.chain([WITHDRAWN]).collect();
    let next = match closest(name, &known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("they have {}", known.join(", ")),
    };
    Err(format!("incidents have no column {}; {next}", quoted(name)))
}

impl Incident<'_> {
    fn set(&mut self, name: &str, text: Option<&str>) -> Result<(), Failure> {
        if name == WITHDRAWN {
            self.withdrawn = match text.unwrap_or_default().to_ascii_lowercase().as_str() {
                "" | "0" | "false" => false,
                "1" | "true" => true,
                other => {
                    return Err(self.place.wrong(format_args!(
                        "column {WITHDRAWN}: {} is not 0, 1, true or false",
                        quoted(other)
                    )));
                }
            };
            return Ok(());
        }
        let Some(place) = table().position(name) else {
            // Headwater fills it itself.
            return Ok(());
        };
        let value = value_of(&table().columns[place], text)
            .map_err(|misfit| self.place.wrong(format_args!("column {name}: {misfit}")))?;
        self.cells.insert(place, value);
        Ok(())
    }

    fn cell(&self, name: &str) -> Option<&Value> {
        self.cells.get(&table().position(name)?)
    }

    fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        match self.cell(name) {
            Some(Value::ChronoDateTimeUtc(time)) => *time,
            _ => None,
        }
    }

    fn fill(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(place) = table().position(name) {
            self.cells.entry(place).or_insert_with(|| value.into());
        }
    }

    /// Checks that it has what incidents need, and adds what follows from that.
    fn complete(&mut self, source: &str) -> Result<(), Failure> {
        if self.id_text().is_empty() {
            return Err(self
                .place
                .wrong("column id: there is no value; expected what tells incidents apart"));
        }
        if self.withdrawn {
            return Ok(());
        }
        let Some(created) = self.time("created_date") else {
            return Err(self.place.wrong(
                "column created_date: there is no value; expected when the incident began, such \
                 as 2026-01-31T09:30:00Z",
            ));
        };
        let resolved = self.time("resolution_date");
        if self.cell("resolution_date").is_some() {
            // Clocks of two programs may disagree; such a time is left out.
            let resolved_later = resolved.filter(|resolved| *resolved >= created);
            let minutes = resolved_later.map(|resolved| (resolved - created).num_minutes());
            self.fill("lead_time_minutes", minutes);
            let status = if resolved.is_some() { "DONE" } else { "TODO" };
            self.fill("status", status);
        }
        if self.cell("scope_id").is_none() {
            self.fill("table", SOURCES);
            self.fill("scope_id", source);
        }
        Ok(())
    }

    /// Its id.
    pub(super) fn id(&self) -> &Value {
        static NONE: Value = Value::String(None);
        self.cell("id").unwrap_or(&NONE)
    }

    /// Its id as text.
    pub(super) fn id_text(&self) -> &str {
        match self.id() {
            Value::String(Some(id)) => id,
            _ => "",
        }
    }
}
