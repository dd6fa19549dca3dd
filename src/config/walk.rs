//! The file being read: where its keys have their values from, and what is wrong with them.

use std::cell::RefCell;
use std::ops::Range;

use super::environment::Overrides;
use super::problem::{Problem, Severity, SourceText};

/// A key of the file and its place in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The key; of a value that the environment gives, the variable.
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Where a key has its value from.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValueFrom<'file> {
    /// An offset in the file.
    Offset(usize),
    /// A variable of the environment.
    Variable(&'file str),
}

impl ValueFrom<'_> {
    /// The same, or a more exact place in the file.
    pub(super) fn or_at(self, span: Option<Range<usize>>) -> Self {
        match (self, span) {
            (Self::Offset(_), Some(span)) => Self::Offset(span.start),
            (from, _) => from,
        }
    }
}

/// The file being read and what was found wrong in it so far.
#[derive(Debug)]
pub(super) struct FileReading<'text> {
    source: SourceText<'text>,
    pub(super) overrides: &'text Overrides,
    problems: RefCell<Vec<Problem>>,
}

impl<'text> FileReading<'text> {
    pub(super) fn new(source: SourceText<'text>, overrides: &'text Overrides) -> Self {
        Self {
            source,
            overrides,
            problems: RefCell::default(),
        }
    }

    /// The problems found, in the order of their places.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.extend(self.overrides.problems());
        problems.sort_by(|left, right| {
            (left.line, left.column, &left.key).cmp(&(right.line, right.column, &right.key))
        });
        problems
    }

    pub(super) fn add(&self, problem: Problem) {
        let problem = self.overrides.without_value(problem);
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn problem(
        &self,
        severity: Severity,
        from: ValueFrom<'_>,
        key: &str,
        message: String,
    ) -> Problem {
        let (file, (line, column)) = match from {
            ValueFrom::Offset(offset) => (self.source.file, self.source.position(offset)),
            ValueFrom::Variable(variable) => (variable, (0, 0)),
        };
        Problem {
            severity,
            line,
            column,
            key: key.to_owned(),
            ..Problem::of_file(file, message)
        }
    }

    /// The place of a key.
    pub(super) fn place(&self, from: ValueFrom<'_>, path: &str) -> Place {
        let (key, (line, column)) = match from {
            ValueFrom::Offset(offset) => (path, self.source.position(offset)),
            ValueFrom::Variable(variable) => (variable, (0, 0)),
        };
        Place {
            key: key.to_owned(),
            line,
            column,
        }
    }

    /// An error at an offset that belongs to no key.
    pub(super) fn syntax_error(&self, offset: usize, message: String) -> Problem {
        self.problem(Severity::Error, ValueFrom::Offset(offset), "", message)
    }
}
