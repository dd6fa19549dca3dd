//! A cursor over one table of the file: typed values in, problems out.
//!
//! A reader knows its path and place, remembers which keys were asked for, and reports the
//! rest as unknown. It reports and goes on, so that one look at the file finds everything.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml_edit::{Item, TableLike, Value};

use super::problem::{Problem, Severity, SourceText, may_hold_credential, quoted};

/// A key of the file and its place in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The file being read and what was found wrong in it so far.
#[derive(Debug)]
pub(super) struct FileReading<'text> {
    source: SourceText<'text>,
    problems: RefCell<Vec<Problem>>,
}

impl<'text> FileReading<'text> {
    pub(super) fn new(source: SourceText<'text>) -> Self {
        Self {
            source,
            problems: RefCell::default(),
        }
    }

    /// The problems found, in the order of their places.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|left, right| {
            (left.line, left.column, &left.key).cmp(&(right.line, right.column, &right.key))
        });
        problems
    }

    pub(super) fn add(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    fn problem(&self, severity: Severity, offset: usize, key: &str, message: String) -> Problem {
        let (line, column) = self.source.position(offset);
        Problem {
            severity,
            line,
            column,
            key: key.to_owned(),
            ..Problem::of_file(self.source.file, message)
        }
    }

    /// An error at an offset that belongs to no key.
    pub(super) fn syntax_error(&self, offset: usize, message: String) -> Problem {
        self.problem(Severity::Error, offset, "", message)
    }
}

/// One value of the file with its path and place.
#[derive(Clone)]
pub(super) struct Field<'file> {
    walk: &'file FileReading<'file>,
    path: String,
    offset: usize,
    content: Content<'file>,
}

/// An element of an array is a value; everything else is an item.
#[derive(Clone, Copy)]
enum Content<'file> {
    Item(&'file Item),
    Value(&'file Value),
}

impl<'file> Field<'file> {
    pub(super) fn error(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Error, self.offset, &self.path, message.into())
    }

    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Warning, self.offset, &self.path, message.into())
    }

    pub(super) fn report(&self, problem: Problem) {
        self.walk.add(problem);
    }

    pub(super) fn place(&self) -> Place {
        let (line, column) = self.walk.source.position(self.offset);
        Place {
            key: self.path.clone(),
            line,
            column,
        }
    }

    /// The last part of the path, for a line that can be pasted.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    fn value(&self) -> Option<&'file Value> {
        match self.content {
            Content::Item(item) => item.as_value(),
            Content::Value(value) => Some(value),
        }
    }

    fn type_name(&self) -> &'static str {
        match (self.value(), self.content) {
            (Some(Value::String(_)), _) => "a text",
            (Some(Value::Integer(_)), _) => "an integer",
            (Some(Value::Float(_)), _) => "a decimal number",
            (Some(Value::Boolean(_)), _) => "true or false",
            (Some(Value::Datetime(_)), _) => "a date",
            (Some(Value::Array(_)), _) => "a list",
            (Some(Value::InlineTable(_)), _) | (None, Content::Item(Item::Table(_))) => "a table",
            (None, _) => "a list of tables",
        }
    }

    fn wrong_type(&self, expected: &str) {
        let message = format!("{} cannot be used here", self.type_name());
        self.report(self.error(message).expecting(expected));
    }

    /// The text, or a problem that does not repeat the value.
    pub(super) fn text(&self) -> Option<&'file str> {
        let text = self.value().and_then(Value::as_str);
        if text.is_none() {
            self.wrong_type("a text in quotes");
        }
        text
    }

    /// A text, or a date written without quotes.
    pub(super) fn text_or_date(&self) -> Option<String> {
        match self.value() {
            Some(Value::Datetime(date)) => Some(date.value().to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    /// A text that parses; the error type's message says why it does not.
    pub(super) fn parsed<T>(&self) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text()?;
        text.parse()
            .map_err(|reason| self.report(self.error(refusal(text, &reason))))
            .ok()
    }

    /// An integer within a range.
    pub(super) fn integer<T>(&self, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let Some(number) = self.value().and_then(Value::as_integer) else {
            self.wrong_type("an integer");
            return None;
        };
        let value = T::try_from(number)
            .ok()
            .filter(|value| range.contains(value));
        if value.is_none() {
            let expected = format!("a number from {} to {}", range.start(), range.end());
            self.report(
                self.error(format!("{number} is out of range"))
                    .expecting(expected),
            );
        }
        value
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let value = self.value().and_then(Value::as_bool);
        if value.is_none() {
            self.wrong_type("true or false, without quotes");
        }
        value
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Option<Vec<Field<'file>>> {
        let Some(array) = self.value().and_then(Value::as_array) else {
            self.wrong_type("a list such as [\"one\", \"two\"]");
            return None;
        };
        let element = |(index, value): (usize, &'file Value)| Field {
            walk: self.walk,
            path: format!("{}[{index}]", self.path),
            offset: value.span().map_or(self.offset, |span| span.start),
            content: Content::Value(value),
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    /// The field as a table.
    pub(super) fn table(&self) -> Option<TableReader<'file>> {
        let table = match self.content {
            Content::Item(item) => item.as_table_like(),
            Content::Value(value) => value.as_inline_table().map(|table| table as &dyn TableLike),
        };
        let Some(table) = table else {
            self.wrong_type("a table");
            return None;
        };
        Some(TableReader::new(
            self.walk,
            table,
            self.path.clone(),
            self.offset,
        ))
    }

    /// The field as a list of tables, written `[[name]]` or inline.
    pub(super) fn tables(&self) -> Vec<TableReader<'file>> {
        if let Content::Item(Item::ArrayOfTables(tables)) = self.content {
            let reader = |(index, table): (usize, &'file toml_edit::Table)| {
                let offset = table.span().map_or(self.offset, |span| span.start);
                let path = format!("{}[{index}]", self.path);
                TableReader::new(self.walk, table, path, offset)
            };
            return tables.iter().enumerate().map(reader).collect();
        }
        if self.value().is_some_and(Value::is_array) {
            let elements = self.list().unwrap_or_default();
            return elements.iter().filter_map(Field::table).collect();
        }
        let problem = self
            .error(format!("{} cannot be used here", self.type_name()))
            .expecting("one table for each, with double brackets")
            .write(format!("[[{}]]", self.path));
        self.report(problem);
        Vec::new()
    }
}

/// A message for a value that was refused; it does not repeat what may be a credential.
pub(super) fn refusal(value: &str, reason: &dyn Display) -> String {
    format!("{} {reason}", quoted(value))
}

/// A table of the file.
pub(super) struct TableReader<'file> {
    walk: &'file FileReading<'file>,
    table: &'file dyn TableLike,
    path: String,
    offset: usize,
    asked: Vec<&'static str>,
}

impl<'file> TableReader<'file> {
    pub(super) fn new(
        walk: &'file FileReading<'file>,
        table: &'file dyn TableLike,
        path: String,
        offset: usize,
    ) -> Self {
        Self {
            walk,
            table,
            path,
            offset,
            asked: Vec::new(),
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn field(&mut self, name: &'static str) -> Option<Field<'file>> {
        self.asked.push(name);
        self.field_named(name)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, name: &'static str, example: &str) -> Option<Field<'file>> {
        let field = self.field(name);
        if field.is_none() {
            let problem = self
                .error(&join(&self.path, name), "is missing")
                .write(format!("{name} = {example}"));
            self.walk.add(problem);
        }
        field
    }

    /// All entries, for tables whose keys are names the user chose.
    pub(super) fn entries(&self) -> Vec<(&'file str, Field<'file>)> {
        let entry = |(name, _)| self.field_named(name).map(|field| (name, field));
        self.table.iter().filter_map(entry).collect()
    }

    fn field_named(&self, name: &str) -> Option<Field<'file>> {
        let (key, item) = self.table.get_key_value(name)?;
        let key_start = key.span().map(|span| span.start);
        let item_start = item.span().map(|span| span.start);
        // A table made of dotted keys has the place of its first key.
        let dotted = item.as_table_like().is_some_and(TableLike::is_dotted);
        let start = if dotted {
            key_start
        } else {
            item_start.or(key_start)
        };
        Some(Field {
            walk: self.walk,
            path: join(&self.path, name),
            offset: start.unwrap_or(self.offset),
            content: Content::Item(item),
        })
    }

    fn error(&self, key: &str, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Error, self.offset, key, message.into())
    }

    /// A warning about the table as a whole.
    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Warning, self.offset, &self.path, message.into())
    }

    pub(super) fn report(&self, problem: Problem) {
        self.walk.add(problem);
    }

    /// Whether the table has a key, without counting it as known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Reports every key that no reader asked for.
    pub(super) fn finish(self) {
        self.finish_with(&[]);
    }

    /// Like `finish`; `misplaced` maps names that people try to where they belong.
    pub(super) fn finish_with(self, misplaced: &[(&str, &str)]) {
        for (name, _) in self.table.iter() {
            if self.asked.contains(&name) {
                continue;
            }
            let offset = self.table.key(name).and_then(toml_edit::Key::span);
            let offset = offset.map_or(self.offset, |span| span.start);
            let path = join(&self.path, name);
            let moved = misplaced.iter().find(|(wrong, _)| *wrong == name);
            let meant = moved
                .map(|(_, right)| *right)
                .or_else(|| closest(name, &self.asked));
            let message = match meant {
                Some(meant) => format!("is not a known key (did you mean `{meant}`?)"),
                None => "is not a known key".to_owned(),
            };
            let problem = self
                .walk
                .problem(Severity::Error, offset, &path, message)
                .expecting(format!("one of {}", listed(&self.asked)));
            self.walk.add(problem);
        }
    }
}

/// The name most like the given one, if any is near enough to be meant.
pub(crate) fn closest<'name>(name: &str, known: &[&'name str]) -> Option<&'name str> {
    let lower = name.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace('-', "_");
            (strsim::jaro_winkler(&lower, &plain), *candidate)
        })
        .filter(|(similarity, _)| *similarity > 0.82)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Names as `a, b, c`; users choose some of them, so they are looked at like values.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown = names.iter().map(|name| {
        if may_hold_credential(name) {
            "***"
        } else {
            name
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn join(path: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
    let part = if may_hold_credential(name) {
        "\"***\"".to_owned()
    } else if bare {
        name.to_owned()
    } else {
        quoted(name)
    };
    if path.is_empty() {
        part
    } else {
        format!("{path}.{part}")
    }
}
