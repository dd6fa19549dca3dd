//! A row before and after a change, as far as the statement that changes it knows.

use headwater_domain::Table;
use sea_orm::Value;

/// A row at one end of a change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Image<'r> {
    /// There is none.
    Absent,
    /// The values of all columns, in their order.
    Row(&'r [Value]),
    /// The values of some columns.
    Part(&'r [&'r str], &'r [Value]),
    /// There may be one: it was written without being read.
    Unknown,
}

/// A column at one end of a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'r> {
    /// There is no row.
    Absent,
    /// This.
    Is(&'r Value),
    /// It was not read.
    Unknown,
}

/// What a change of a row means for what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Nothing.
    Nothing,
    /// A key on the work list of a step.
    Work(&'static str, String),
    /// All of the scope.
    Everything,
}

/// One row before and after a change.
#[derive(Clone, Copy, Debug)]
pub struct RowChange<'r> {
    pub(crate) table: &'r Table,
    pub(crate) before: Image<'r>,
    pub(crate) after: Image<'r>,
    /// The columns that changed; none where the rows have to tell.
    pub(crate) changed: Option<&'r [&'r str]>,
}

impl<'r> RowChange<'r> {
    pub(crate) fn new(table: &'r Table, before: Image<'r>, after: Image<'r>) -> Self {
        Self {
            table,
            before,
            after,
            changed: None,
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Table {
        self.table
    }

    /// True for a row that certainly was not there.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self.before, Image::Absent)
    }

    /// True for a row that goes.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.after, Image::Absent)
    }

    /// True when both rows are known, so that what differs can be told.
    #[must_use]
    pub fn is_update(&self) -> bool {
        matches!((self.before, self.after), (Image::Row(_), Image::Row(_)))
    }

    /// True unless these columns certainly are what they were.
    #[must_use]
    pub fn differs(&self, columns: &[&str]) -> bool {
        if let Some(changed) = self.changed {
            return columns.iter().any(|column| changed.contains(column));
        }
        let (Image::Row(before), Image::Row(after)) = (self.before, self.after) else {
            return true;
        };
        let places = columns.iter().map(|column| self.table.position(column));
        places
            .into_iter()
            .any(|place| place.is_none_or(|place| before[place] != after[place]))
    }

    /// True unless a column certainly held other texts, before and after.
    #[must_use]
    pub fn may_be(&self, column: &str, text: &str) -> bool {
        [self.before(column), self.after(column)]
            .iter()
            .any(|cell| match cell {
                Cell::Absent => false,
                Cell::Unknown => true,
                Cell::Is(value) => matches!(value, Value::String(Some(it)) if it == text),
            })
    }

    /// True unless a column certainly was and is false.
    #[must_use]
    pub fn may_be_true(&self, column: &str) -> bool {
        let no =
            |cell: &Cell<'_>| matches!(cell, Cell::Absent | Cell::Is(Value::Bool(Some(false))));
        ![self.before(column), self.after(column)].iter().all(no)
    }

    /// True where a column certainly held no value, before and after.
    #[must_use]
    pub fn is_empty(&self, column: &str) -> bool {
        let no = |cell: &Cell<'_>| match cell {
            Cell::Absent => true,
            Cell::Unknown => false,
            Cell::Is(value) => **value == value.as_null(),
        };
        [self.before(column), self.after(column)].iter().all(no)
    }

    /// A key on the work list of a step: the text in a column, of the row as it is, or was.
    #[must_use]
    pub fn work(&self, step: &'static str, column: &str) -> Stale {
        let cell = match self.after(column) {
            Cell::Absent => self.before(column),
            cell => cell,
        };
        match cell {
            Cell::Is(Value::String(Some(key))) => Stale::Work(step, key.clone()),
            _ => Stale::Everything,
        }
    }

    pub(crate) fn before(&self, column: &str) -> Cell<'r> {
        match self.before {
            // What is written over has the same key.
            Image::Unknown if self.is_key(column) => self.cell(self.after, column),
            before => self.cell(before, column),
        }
    }

    pub(crate) fn after(&self, column: &str) -> Cell<'r> {
        self.cell(self.after, column)
    }

    fn is_key(&self, column: &str) -> bool {
        let place = self.table.position(column);
        place.is_some_and(|place| self.table.columns[place].key)
    }

    fn cell(&self, image: Image<'r>, column: &str) -> Cell<'r> {
        let value = match image {
            Image::Absent => return Cell::Absent,
            Image::Unknown => None,
            Image::Row(values) => self.table.position(column).map(|place| &values[place]),
            Image::Part(names, values) => {
                let place = names.iter().position(|name| *name == column);
                place.map(|place| &values[place])
            }
        };
        value.map_or(Cell::Unknown, Cell::Is)
    }
}
