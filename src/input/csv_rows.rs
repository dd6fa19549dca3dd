//! Rows of a CSV file with a header, each with its line.

use std::fs::File;
use std::io::BufReader;

use csv::{ByteRecord, ErrorKind, Position};

use super::{Input, Place};
use crate::exit::Failure;

/// The rows of a CSV file, one at a time.
pub(crate) struct CsvRows<'i> {
    file: &'i str,
    null: Option<&'i str>,
    reader: csv::Reader<BufReader<&'i File>>,
    header: Vec<String>,
    record: ByteRecord,
}

/// The row that was read last.
#[derive(Clone, Copy)]
pub(crate) struct CsvRow<'r> {
    record: &'r ByteRecord,
    header: &'r [String],
    null: Option<&'r str>,
    /// Where it begins.
    pub(crate) place: Place<'r>,
}

impl<'i> CsvRows<'i> {
    /// Reads the header. A field that is exactly `null` is no value.
    ///
    /// # Errors
    /// Exit 3 when there is no header, or it is not UTF-8 text.
    pub(crate) fn of(input: &'i Input, null: Option<&'i str>) -> Result<Self, Failure> {
        let file = input.name();
        let mut reader = csv::ReaderBuilder::new().from_reader(input.reader()?);
        let header = reader.byte_headers().map_err(|error| wrong(file, &error))?;
        let first = Place { file, line: 1 };
        let names = header.iter().map(|name| match std::str::from_utf8(name) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => Err(first.wrong("the header is not UTF-8 text")),
        });
        let header: Vec<String> = names.collect::<Result<_, _>>()?;
        if header.is_empty() {
            return Err(first.wrong("the file is empty; its first line has to name the columns"));
        }
        Ok(Self {
            file,
            null,
            reader,
            header,
            record: ByteRecord::new(),
        })
    }

    /// Names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The place of the header, for messages.
    pub(crate) fn top(&self) -> Place<'i> {
        Place {
            file: self.file,
            line: 1,
        }
    }

    /// Reads the next row; none behind the last one.
    ///
    /// # Errors
    /// Exit 3 when it has more or fewer fields than the header; exit 2 when the file cannot be
    /// read.
    pub(crate) fn next(&mut self) -> Result<Option<CsvRow<'_>>, Failure> {
        let read = self.reader.read_byte_record(&mut self.record);
        if !read.map_err(|error| wrong(self.file, &error))? {
            return Ok(None);
        }
        Ok(Some(CsvRow {
            record: &self.record,
            header: &self.header,
            null: self.null,
            place: Place {
                file: self.file,
                line: self.record.position().map_or(1, Position::line),
            },
        }))
    }
}

impl<'r> CsvRow<'r> {
    /// The field in this column, counted from 0; none where it says that there is no value.
    ///
    /// # Errors
    /// Exit 3 when it is not UTF-8 text.
    pub(crate) fn field(&self, column: usize) -> Result<Option<&'r str>, Failure> {
        let bytes = self.record.get(column).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let readable = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            self.wrong(
                column,
                format_args!(
                    "{}: byte {} of the value is no UTF-8 text; save the file as UTF-8",
                    super::quoted(&readable),
                    error.valid_up_to() + 1
                ),
            )
        })?;
        Ok((Some(text) != self.null).then_some(text))
    }

    /// What is wrong with the field in a column.
    pub(crate) fn wrong(&self, column: usize, what: impl std::fmt::Display) -> Failure {
        let name = self.header.get(column).map_or("?", String::as_str);
        self.place.wrong(format_args!("column {name}: {what}"))
    }
}

fn wrong(file: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or(1, Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Place { file, line }.wrong(format_args!(
            "the row has {len} fields, and the header {expected_len}"
        )),
        ErrorKind::Io(error) => Failure::usage(format!("{file}: {error}")),
        _ => Place { file, line }.wrong(error),
    }
}
