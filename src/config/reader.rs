//! A cursor over one table of the file: typed values in, problems out.
//!
//! A reader knows its path and place, remembers which keys were asked for, and reports the
//! rest as unknown. It reports and goes on, so that one look at the file finds everything.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml_edit::{Item, TableLike, Value};

use super::environment::{self, Override};
use super::problem::{Problem, Severity, may_hold_credential, quoted};
use super::walk::{FileReading, Place, ValueFrom};

/// One value of the file with its path and place.
#[derive(Clone)]
pub(super) struct Field<'file> {
    walk: &'file FileReading<'file>,
    path: String,
    from: ValueFrom<'file>,
    /// Variables that may stand for what is below it.
    variables: Vec<String>,
    content: Content<'file>,
}

/// An element of an array is a value; everything else is an item.
#[derive(Clone, Copy)]
enum Content<'file> {
    Item(&'file Item),
    Value(&'file Value),
    Override(&'file Override),
}

impl<'file> Field<'file> {
    pub(super) fn error(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Error, self.from, &self.path, message.into())
    }

    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Warning, self.from, &self.path, message.into())
    }

    pub(super) fn report(&self, problem: Problem) {
        self.walk.add(problem);
    }

    pub(super) fn place(&self) -> Place {
        self.walk.place(self.from, &self.path)
    }

    /// The last part of the path, for a line that can be pasted.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    fn value(&self) -> Option<&'file Value> {
        match self.content {
            Content::Item(item) => item.as_value(),
            Content::Value(value) => Some(value),
            Content::Override(it) => it.value.as_ref(),
        }
    }

    /// True when the value is a variable's, so that nobody reads it in the file.
    pub(super) fn is_of_environment(&self) -> bool {
        matches!(self.from, ValueFrom::Variable(_))
    }

    fn type_name(&self) -> &'static str {
        match (self.value(), self.content) {
            (Some(Value::String(_)), _) | (None, Content::Override(_)) => "a text",
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
        if let Content::Override(it) = self.content {
            return Some(&it.text);
        }
        let text = self.value().and_then(Value::as_str);
        if text.is_none() {
            self.wrong_type("a text in quotes");
        }
        text
    }

    /// The text, if it is one; nothing is reported.
    pub(super) fn plain_text(&self) -> Option<&'file str> {
        match self.content {
            Content::Override(it) => Some(&it.text),
            _ => self.value().and_then(Value::as_str),
        }
    }

    /// A text, or a date written without quotes.
    pub(super) fn text_or_date(&self) -> Option<String> {
        match (self.content, self.value()) {
            (Content::Item(_) | Content::Value(_), Some(Value::Datetime(date))) => {
                Some(date.value().to_string())
            }
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
        let elements = self.elements();
        if elements.is_none() {
            self.wrong_type("a list such as [\"one\", \"two\"]");
        }
        elements
    }

    /// A key of the table that this is, if it is one; nothing is reported.
    pub(super) fn of_table(&self, name: &str) -> Option<Field<'file>> {
        self.as_table()?.field_named(name)
    }

    /// The elements of a list, if it is one; nothing is reported.
    pub(super) fn elements(&self) -> Option<Vec<Field<'file>>> {
        let array = self.value().and_then(Value::as_array)?;
        let element = |(index, value): (usize, &'file Value)| Field {
            walk: self.walk,
            path: format!("{}[{index}]", self.path),
            from: self.from.or_at(value.span()),
            variables: Vec::new(),
            content: Content::Value(value),
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    /// The field as a table.
    pub(super) fn table(&self) -> Option<TableReader<'file>> {
        let table = self.as_table();
        if table.is_none() {
            self.wrong_type("a table");
        }
        table
    }

    fn as_table(&self) -> Option<TableReader<'file>> {
        let table = match self.content {
            Content::Item(item) => item.as_table_like(),
            Content::Value(_) | Content::Override(_) => {
                let value = self.value().and_then(Value::as_inline_table);
                value.map(|table| table as &dyn TableLike)
            }
        };
        Some(TableReader::new(
            self.walk,
            table?,
            (self.path.clone(), self.from, self.variables.clone()),
        ))
    }

    /// The field as a list of tables, written `[[name]]` or inline.
    pub(super) fn tables(&self) -> Vec<TableReader<'file>> {
        if let Content::Item(Item::ArrayOfTables(tables)) = self.content {
            let reader = |(index, table): (usize, &'file toml_edit::Table)| {
                let from = self.from.or_at(table.span());
                let path = format!("{}[{index}]", self.path);
                let variables = self.variables_of(index, table);
                TableReader::new(self.walk, table, (path, from, variables))
            };
            return tables.iter().enumerate().map(reader).collect();
        }
        if self.value().is_some_and(Value::is_array) {
            let elements = self.list().unwrap_or_default();
            let tables = elements.iter().enumerate().filter_map(|(index, element)| {
                let mut table = element.table()?;
                table.variables = self.variables_of(index, table.table);
                Some(table)
            });
            return tables.collect();
        }
        let problem = self
            .error(format!("{} cannot be used here", self.type_name()))
            .expecting("one table for each, with double brackets")
            .write(format!("[[{}]]", self.path));
        self.report(problem);
        Vec::new()
    }
}

impl Field<'_> {
    /// Variables of one of several tables: by its place and by its name.
    fn variables_of(&self, index: usize, table: &dyn TableLike) -> Vec<String> {
        let mut variables = environment::below(&self.variables, &index.to_string());
        if let Some(name) = table.get("name").and_then(Item::as_str) {
            variables.extend(environment::below(&self.variables, name));
        }
        variables
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
    from: ValueFrom<'file>,
    variables: Vec<String>,
    asked: Vec<&'static str>,
}

impl<'file> TableReader<'file> {
    /// The file itself.
    pub(super) fn root(walk: &'file FileReading<'file>, table: &'file dyn TableLike) -> Self {
        let place = (String::new(), ValueFrom::Offset(0), environment::root());
        Self::new(walk, table, place)
    }

    fn new(
        walk: &'file FileReading<'file>,
        table: &'file dyn TableLike,
        (path, from, variables): (String, ValueFrom<'file>, Vec<String>),
    ) -> Self {
        Self {
            walk,
            table,
            path,
            from,
            variables,
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
        let path = join(&self.path, name);
        let variables = environment::below(&self.variables, name);
        let overrides = self.walk.overrides;
        let (content, from) = if let Some(it) = overrides.of_key(&self.variables, name) {
            (Content::Override(it), ValueFrom::Variable(&it.variable))
        } else if let Some((key, item)) = self.table.get_key_value(name) {
            (Content::Item(item), self.from.or_at(place_of(key, item)))
        } else {
            let table = overrides.table_of(&self.variables, name)?;
            (Content::Value(table), self.from)
        };
        Some(Field {
            walk: self.walk,
            path,
            from,
            variables,
            content,
        })
    }

    fn error(&self, key: &str, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Error, self.from, key, message.into())
    }

    /// A warning about the table as a whole.
    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        self.walk
            .problem(Severity::Warning, self.from, &self.path, message.into())
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
            let span = self.table.key(name).and_then(toml_edit::Key::span);
            let from = self.from.or_at(span);
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
                .problem(Severity::Error, from, &path, message)
                .expecting(format!("one of {}", listed(&self.asked)));
            self.walk.add(problem);
        }
    }
}

/// The place of a value, or of its key.
fn place_of(key: &toml_edit::Key, item: &Item) -> Option<std::ops::Range<usize>> {
    // A table made of dotted keys has the place of its first key.
    let dotted = item.as_table_like().is_some_and(TableLike::is_dotted);
    if dotted {
        key.span()
    } else {
        item.span().or_else(|| key.span())
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
