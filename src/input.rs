//! Files that rows are read from: again from the beginning as often as wanted, and row by row.

mod csv_rows;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use crate::exit::{Exit, Failure};

pub(crate) use csv_rows::{CsvRow, CsvRows};

/// Characters of a value that a message repeats.
const SHOWN: usize = 60;

/// A file, or what came in on standard input.
pub(crate) struct Input {
    name: String,
    file: File,
}

/// Where in a file a message points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// Name of the file.
    pub(crate) file: &'a str,
    /// Line, from 1.
    pub(crate) line: u64,
}

impl Place<'_> {
    /// What is wrong there, and that nothing was done.
    pub(crate) fn wrong(self, what: impl std::fmt::Display) -> Failure {
        let Self { file, line } = self;
        Failure::new(
            Exit::Configuration,
            format!("{file}:{line}: {what}; nothing was imported"),
        )
    }
}

impl Input {
    /// Opens a file, or standard input for `-`. What cannot be read twice is copied to a temporary
    /// file first.
    ///
    /// # Errors
    /// Exit 2 when it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let opened = if path == Path::new("-") {
            copied(io::stdin().lock())
        } else {
            File::open(path).and_then(|file| {
                let kind = file.metadata()?.file_type();
                if kind.is_dir() {
                    return Err(io::Error::other("it is a folder, and not a file"));
                }
                if kind.is_file() {
                    return Ok(file);
                }
                copied(file)
            })
        };
        match opened {
            Ok(file) => Ok(Self { name, file }),
            Err(error) => Err(Failure::usage(format!("{name}: {error}"))),
        }
    }

    /// A text as a file of that name.
    ///
    /// # Errors
    /// Exit 2 when there is no room for it.
    pub(crate) fn of_text(name: &str, text: &str) -> Result<Self, Failure> {
        match copied(text.as_bytes()) {
            Ok(file) => Ok(Self {
                name: name.to_owned(),
                file,
            }),
            Err(error) => Err(Failure::usage(format!("{name}: {error}"))),
        }
    }

    /// Its name, as the command line has it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reads it from the beginning, without its byte order mark.
    ///
    /// # Errors
    /// Exit 2 when it cannot be read.
    pub(crate) fn reader(&self) -> Result<BufReader<&File>, Failure> {
        let failed = |error| Failure::usage(format!("{}: {error}", self.name));
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        if reader
            .fill_buf()
            .map_err(failed)?
            .starts_with(b"\xef\xbb\xbf")
        {
            reader.consume(3);
        }
        Ok(reader)
    }
}

fn copied(mut from: impl io::Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

/// A value for a message: its beginning, in quotation marks.
pub(crate) fn quoted(value: &str) -> String {
    let mut characters = value.chars();
    let beginning: String = characters.by_ref().take(SHOWN).collect();
    match characters.next() {
        None => format!("{beginning:?}"),
        Some(_) => format!("{beginning:?}…"),
    }
}
