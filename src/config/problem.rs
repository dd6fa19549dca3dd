//! What is wrong with a configuration file, and where.
//!
//! A problem never carries the value of a secret: [`quoted`] is the only way a value of the
//! file gets into a message, and it withholds whatever looks like a credential.

use std::fmt;

use serde::Serialize;

use super::excerpt::Excerpt;

/// Longest piece of the file that a message repeats.
const LONGEST_QUOTE: usize = 60;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the file can still be used.
    pub severity: Severity,
    /// The file as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in characters, counted from 1; 0 when the file as a whole is meant.
    pub column: usize,
    /// Dotted path such as `connection[0].auth.token`; empty when no key is meant.
    pub key: String,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// A line that can be pasted instead.
    pub write_instead: Option<String>,
    /// The line of the file, where it can be shown.
    #[serde(skip)]
    pub(super) excerpt: Option<Excerpt>,
}

impl Problem {
    /// A problem of the file as a whole, such as one that is missing.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            message: message.into(),
            expected: None,
            write_instead: None,
            excerpt: None,
        }
    }

    /// Says what would have been right.
    pub(super) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what to write.
    pub(super) fn write(mut self, line: impl Into<String>) -> Self {
        self.write_instead = Some(line.into());
        self
    }

    /// Whether this problem forbids using the file.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.file)?;
        if self.line > 0 {
            write!(formatter, "{}:{}:", self.line, self.column)?;
        }
        write!(formatter, " {}: ", self.severity)?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(formatter, "; expected {expected}")?;
        }
        if let Some(line) = &self.write_instead {
            write!(formatter, "; write: {line}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblems {
    file: String,
    problems: Vec<Problem>,
}

impl ConfigProblems {
    pub(super) fn new(file: &str, problems: Vec<Problem>) -> Self {
        Self {
            file: file.to_owned(),
            problems,
        }
    }

    /// The problems, in the order of their places in the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// One line that counts them.
    #[must_use]
    pub fn summary(&self) -> String {
        summary(&self.file, &self.problems)
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(formatter, "{problem}")?;
        }
        formatter.write_str(&summary(&self.file, &self.problems))
    }
}

impl std::error::Error for ConfigProblems {}

/// One line with counts, such as `headwater.toml: 2 errors, 1 warning`.
#[must_use]
pub fn summary(file: &str, problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = problems.len() - errors;
    match (errors, warnings) {
        (0, 0) => format!("{file}: no problems"),
        (errors, 0) => format!("{file}: {}", counted(errors, "error")),
        (0, warnings) => format!("{file}: {}", counted(warnings, "warning")),
        (errors, warnings) => format!(
            "{file}: {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// A value of the file in quotes, or a placeholder when it may hold a credential.
pub(super) fn quoted(value: &str) -> String {
    if may_hold_credential(value) {
        return "the value (not shown, it may hold a credential)".to_owned();
    }
    let mut shown: String = value.escape_debug().take(LONGEST_QUOTE).collect();
    if shown.chars().count() == LONGEST_QUOTE {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Whether a text looks like a URL with userinfo or like a token of Atlassian's.
///
/// Asked of values that should not be secret, because people paste into the wrong line.
pub(super) fn may_hold_credential(value: &str) -> bool {
    let userinfo = value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('@'));
    let token = ["ATATT", "ATCTT", "ATBB", "ATOA", "Bearer ", "Basic "]
        .iter()
        .any(|prefix| value.contains(prefix));
    userinfo || token
}

/// The text of the file, for turning byte offsets into lines and columns.
#[derive(Debug)]
pub(super) struct SourceText<'text> {
    pub(super) file: &'text str,
    text: &'text str,
    line_starts: Vec<usize>,
}

impl<'text> SourceText<'text> {
    pub(super) fn new(file: &'text str, text: &'text str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(offset, _)| offset + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self {
            file,
            text,
            line_starts,
        }
    }

    /// Line and column of a byte offset, both counted from 1, columns in characters.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        let before = &self.text.as_bytes()[start..offset];
        // Continuation bytes of UTF-8 are no characters of their own.
        let characters = before.iter().filter(|byte| *byte & 0xC0 != 0x80).count();
        (line, characters + 1)
    }
}
