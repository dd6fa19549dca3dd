//! Everything the program writes: data and messages on standard output, messages and logs on
//! standard error.
//!
//! Nothing here panics, and broken output ends no run. A reader that closes the pipe early has
//! what it wanted. Text that a person reads passes [`printable`] and is without the secrets that
//! were made known by [`conceal`], wherever it comes from.

mod layout;
mod printer;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;
use std::time::Duration;

use headwater_redaction::known::without_known;
use headwater_redaction::printable;
use tracing_subscriber::fmt::MakeWriter;

use crate::exit::{Exit, Failure};

pub use headwater_redaction::known::{conceal, shown};
pub use layout::{indented, width, wrapped};
#[cfg(test)]
pub(crate) use printer::laid_out;
pub use printer::{Printer, moment, print};

/// Why standard output could not be written; the first reason.
static BROKEN: OnceLock<(ErrorKind, String)> = OnceLock::new();

/// Writes a line, or several, to standard output.
pub fn line(text: impl Display) {
    let text = shown(&text.to_string());
    // Remembered where it happens.
    let _ = writeln!(data(), "{text}");
}

/// How a line looks at a terminal. Elsewhere all are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// It went well.
    Good,
    /// It failed.
    Bad,
    /// Not important.
    Faint,
}

/// Writes a line to standard output, in the colour of its tone.
pub fn toned(tone: Tone, text: impl Display) {
    let text = in_tone(tone, &shown(&text.to_string()), &io::stdout());
    // Remembered where it happens.
    let _ = writeln!(data(), "{text}");
}

/// A text that was cleaned before, in the colour of its tone where its reader wants colours.
#[must_use]
pub fn in_tone(tone: Tone, text: &str, reader: &impl io::IsTerminal) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Good => 32,
        Tone::Bad => 31,
        Tone::Faint => 2,
    };
    if wants_colours(reader) {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// The usual rules: `NO_COLOR` says no, then `CLICOLOR_FORCE` says yes, then a terminal does.
#[must_use]
pub fn wants_colours(reader: &impl io::IsTerminal) -> bool {
    let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let forced = value("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    value("NO_COLOR").is_none() && (forced || reader.is_terminal())
}

/// Writes lines whose pieces passed [`shown`] before they were coloured.
pub fn cleaned_line(text: &str) {
    // Remembered where it happens.
    let _ = writeln!(data(), "{}", without_known(text));
}

/// Writes a line of JSON to standard output; it is data, in which texts are escaped.
pub fn json_line(text: &str) {
    let text = without_known(text);
    // Remembered where it happens.
    let _ = writeln!(data(), "{text}");
}

/// Writes a message to standard error.
pub fn note(text: impl Display) {
    let text = shown(&text.to_string());
    // There is no other place to say that this cannot be written.
    let _ = writeln!(Patient(io::stderr().lock()), "{text}");
}

/// Standard output for data. Once it is broken nothing more is written to it, so that what has
/// arrived has no gap.
#[must_use]
pub fn data() -> Data {
    Data
}

/// Standard output; see [`data`].
#[derive(Clone, Copy, Debug)]
pub struct Data;

impl Data {
    fn attempt<T>(
        write: impl FnOnce(&mut Patient<io::StdoutLock<'static>>) -> io::Result<T>,
    ) -> io::Result<T> {
        if let Some((kind, message)) = BROKEN.get() {
            return Err(io::Error::new(*kind, message.as_str()));
        }
        let written = write(&mut Patient(io::stdout().lock()));
        if let Err(error) = &written {
            // Of several threads the first one reports it.
            let _ = BROKEN.set((error.kind(), error.to_string()));
        }
        written
    }
}

impl Write for Data {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::attempt(|out| out.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::attempt(|out| out.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::attempt(Write::flush)
    }
}

/// Waits for a pipe that another process made non-blocking, as terminals' owners do.
struct Patient<W>(W);

impl<W: Write> Patient<W> {
    fn again<T>(&mut self, mut write: impl FnMut(&mut W) -> io::Result<T>) -> io::Result<T> {
        loop {
            match write(&mut self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.again(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.again(Write::flush)
    }
}

/// The exit code in the end: a command that does nothing but print has failed when its output is
/// lost, unless its reader went away. What a run has done stays done, whoever reads of it.
#[must_use]
pub fn finish(exit: Exit, only_prints: bool) -> Exit {
    // Remembered where it happens.
    let _ = data().flush();
    let Some((_, message)) = BROKEN.get() else {
        return exit;
    };
    if reader_left() || exit != Exit::Ok {
        return exit;
    }
    note(format_args!(
        "headwater: standard output could not be written: {message}"
    ));
    if only_prints { Exit::Failed } else { exit }
}

/// The exit code of a command that printed this: a reader that closes the pipe early has what it
/// wanted.
///
/// # Errors
/// Exit 6 when the output cannot be written for another reason.
pub(crate) fn written(printed: io::Result<()>) -> Result<Exit, Failure> {
    match printed {
        Ok(()) => Ok(Exit::Ok),
        Err(_) if reader_left() => Ok(Exit::Ok),
        Err(error) => Err(Failure::because(Exit::Failed, "writing the output", error)),
    }
}

/// Whether the reader of standard output closed its pipe.
#[must_use]
pub fn reader_left() -> bool {
    matches!(BROKEN.get(), Some((ErrorKind::BrokenPipe, _)))
}

/// Where logs go: each event in one piece, without secrets. It never fails: a log that cannot be
/// written is lost, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// Whether sequences of colour, which our own log makes, are kept.
    pub coloured: bool,
}

/// One event of the log.
#[derive(Debug)]
pub struct LogLine {
    text: Vec<u8>,
    coloured: bool,
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine {
            text: Vec::new(),
            coloured: self.coloured,
        }
    }
}

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let hidden = without_known(&text);
        // With colours the log itself escapes what is in values.
        let hidden = if self.coloured {
            hidden
        } else {
            printable(&hidden)
        };
        let _ = Patient(io::stderr().lock()).write_all(hidden.as_bytes());
    }
}
