//! Data on standard output: as a table, as JSON, as CSV.

use std::io::{self, IsTerminal as _, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use headwater_redaction::{one_line, printable};
use headwater_store::query::{Cell, Rows};

use super::layout;
use crate::cli::Format;

/// Most that a table may hold before it is printed, in bytes: its columns are as wide as the widest
/// cell.
const LARGEST_TABLE: usize = 64 << 20;

/// Prints rows in the wanted form, one by one where the form allows it.
pub struct Printer<W: Write> {
    out: W,
    form: Form,
    columns: Vec<String>,
    /// Longest cell of a table.
    width: usize,
    /// Bytes that a table holds until its end.
    held: usize,
    /// Who reads: a person at a terminal, which must obey nothing that is in the data.
    at_terminal: bool,
}

enum Form {
    Table(Vec<Vec<String>>),
    Json { first: bool },
    Csv,
}

impl<W: Write> Printer<W> {
    /// A printer that writes to `out`.
    pub fn new(format: Format, out: W) -> Self {
        let form = match format {
            Format::Table => Form::Table(Vec::new()),
            Format::Json => Form::Json { first: true },
            Format::Csv => Form::Csv,
        };
        Self {
            out,
            form,
            columns: Vec::new(),
            width: 80,
            held: 0,
            at_terminal: io::stdout().is_terminal(),
        }
    }

    /// A printer whose tables show every cell whole, because their texts are for reading.
    pub fn of_sentences(format: Format, out: W) -> Self {
        Self {
            width: usize::MAX,
            ..Self::new(format, out)
        }
    }

    /// Prints what is left.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        match &self.form {
            Form::Table(rows) => {
                for line in layout::lines(&self.columns, rows, layout::width()) {
                    writeln!(self.out, "{line}")?;
                }
            }
            Form::Json { first: true } => writeln!(self.out, "[]")?,
            Form::Json { .. } => writeln!(self.out, "\n]")?,
            Form::Csv => {}
        }
        self.out.flush()
    }

    fn csv_line<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.write_record(fields).map_err(io::Error::other);
        written?;
        let line = writer
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))?;
        self.out.write_all(&line)
    }
}

impl<W: Write> Rows for Printer<W> {
    fn columns(&mut self, names: Vec<String>) -> io::Result<()> {
        if matches!(self.form, Form::Csv) {
            self.csv_line(names.iter().map(String::as_str))?;
        }
        self.columns = names;
        Ok(())
    }

    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        match &mut self.form {
            Form::Table(rows) => {
                let width = self.width;
                let row: Vec<String> = cells.iter().map(|cell| shown(cell, width)).collect();
                self.held += row.iter().map(|text| text.len() + 32).sum::<usize>();
                if self.held > LARGEST_TABLE {
                    return Err(io::Error::other(
                        "it is too large for a table of aligned columns; use --format csv or json",
                    ));
                }
                rows.push(row);
                Ok(())
            }
            Form::Json { first } => {
                let begin = if *first { "[\n" } else { ",\n" };
                *first = false;
                let object = object(&self.columns, cells);
                let object = if self.at_terminal {
                    printable(&object)
                } else {
                    object
                };
                write!(self.out, "{begin}{object}")
            }
            Form::Csv => {
                let at_terminal = self.at_terminal;
                let written = |cell| {
                    if at_terminal {
                        printable(&text(cell))
                    } else {
                        text(cell)
                    }
                };
                let texts: Vec<String> = cells.iter().map(written).collect();
                self.csv_line(texts.iter().map(String::as_str))
            }
        }
    }
}

/// An object in the order of the columns.
fn object(columns: &[String], cells: Vec<Cell>) -> String {
    let fields = columns.iter().zip(cells).map(|(name, cell)| {
        let value = match cell {
            Cell::Null => serde_json::Value::Null,
            Cell::Integer(number) => number.into(),
            Cell::Real(number) => number.into(),
            Cell::Text(text) => text.into(),
        };
        format!("{}: {value}", serde_json::Value::from(name.as_str()))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// One line of limited width that a terminal can only show: a table is for reading, not for data.
fn shown(cell: &Cell, width: usize) -> String {
    let line = one_line(&text(cell));
    if line.chars().count() <= width {
        return line;
    }
    let mut cut: String = line.chars().take(width - 1).collect();
    cut.push('…');
    cut
}

/// Prints rows that are all there already.
///
/// # Errors
/// When the output cannot be written.
pub fn print(format: Format, columns: &[&str], rows: Vec<Vec<Cell>>) -> io::Result<()> {
    let mut printer = Printer::of_sentences(format, super::data());
    printer.columns(columns.iter().map(|&name| name.to_owned()).collect())?;
    for row in rows {
        printer.row(row)?;
    }
    printer.finish()
}

/// A moment (UTC) to the second; NULL for none.
#[must_use]
pub fn moment(at: Option<DateTime<Utc>>) -> Cell {
    at.map_or(Cell::Null, |at| {
        Cell::Text(at.to_rfc3339_opts(SecondsFormat::Secs, true))
    })
}

/// Rows as a table of a width, as [`print`] shows them to a person.
#[cfg(test)]
pub(crate) fn laid_out(columns: &[&str], rows: &[Vec<Cell>], width: Option<usize>) -> String {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let texts = |row: &Vec<Cell>| row.iter().map(|cell| shown(cell, usize::MAX)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(texts).collect();
    layout::lines(&columns, &rows, width).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(format, &mut out);
        printer
            .columns(vec!["a".to_owned(), "b c".to_owned()])
            .unwrap();
        printer.row(vec![Cell::Integer(1), Cell::Null]).unwrap();
        printer
            .row(vec![Cell::Real(1.5), Cell::Text("x, \"y\"\nz".to_owned())])
            .unwrap();
        printer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_what_needs_it_and_leaves_no_value_empty() {
        assert_eq!(printed(Format::Csv), "a,b c\n1,\n1.5,\"x, \"\"y\"\"\nz\"\n");
    }

    #[test]
    fn json_keeps_the_order_of_columns() {
        let expected =
            "[\n{\"a\": 1, \"b c\": null},\n{\"a\": 1.5, \"b c\": \"x, \\\"y\\\"\\nz\"}\n]\n";
        assert_eq!(printed(Format::Json), expected);
    }

    #[test]
    fn a_table_tells_a_terminal_nothing() {
        let cell = Cell::Text("a\u{1b}]0;owned\u{7}\u{9b}2Jb\nc".to_owned());
        assert_eq!(shown(&cell, 80), "ab c");
    }

    #[test]
    fn a_table_keeps_a_row_on_a_line() {
        assert_eq!(printed(Format::Table).lines().count(), 3);
    }
}
