//! Whether two databases hold the same tables: the meaning of "same answer as a full sync".

use std::cmp::Ordering;

use sea_orm::sea_query::ColumnType;
use sea_orm::{DbErr, Value};

use crate::database::Row;

use headwater_domain::{Scope, Table};

use crate::Store;
use crate::database::dialect::quoted;
use crate::database::sql::{behind_key, column_list};
use crate::database::values;
use crate::error::{During, StoreError};
use crate::rows::shape::RAW_DATA_PARAMS;

/// Columns that may differ: they tell when and in which order rows were written here, not what
/// the source says. This is the only list of exclusions.
pub const EXCLUDED_COLUMNS: [&str; 6] = [
    "created_at",
    "updated_at",
    "_raw_data_id",
    "_raw_data_remark",
    "changed_seq",
    "seen_walk",
];

/// Tables whose rows several scopes share: their origin names one of many contributions.
pub const SHARED_TABLES: [&str; 7] = [
    "_tool_bitbucket_accounts",
    "_tool_refdiff_finished_commits_diffs",
    "accounts",
    "commits",
    "commit_parents",
    "commit_files",
    "commits_diffs",
];

/// The tables to compare.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Raw tables by name.
    pub raw: Vec<String>,
    /// Tool and domain tables.
    pub rows: Vec<&'static Table>,
}

/// One difference between two databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Key of the row.
    pub key: String,
    /// The column, and its value left and right; none when the row is on one side only.
    pub cell: Option<(String, String, String)>,
    /// True when the row is only on the left, false when only on the right or on both.
    pub only_left: bool,
}

impl Difference {
    /// What is here and what is there: the cell, or whether there is a row.
    #[must_use]
    pub fn sides(&self) -> (String, String) {
        let row = || ("the row".to_owned(), "no row".to_owned());
        match &self.cell {
            Some((_, here, there)) => (here.clone(), there.clone()),
            None if self.only_left => row(),
            None => {
                let (row, none) = row();
                (none, row)
            }
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            table,
            key,
            cell,
            only_left,
        } = self;
        match cell {
            Some((column, left, right)) => {
                write!(
                    out,
                    "{table} {key}: {column} is {left} here and {right} there"
                )
            }
            None if *only_left => write!(out, "{table} {key}: only here"),
            None => write!(out, "{table} {key}: only there"),
        }
    }
}

/// Compares all rows of all tables; at most `limit` differences are listed. None: equal.
pub async fn tables_equal(
    left: &Store,
    right: &Store,
    tables: &Tables,
    limit: usize,
) -> Result<Vec<Difference>, StoreError> {
    compare(left, right, (tables, None), limit).await
}

/// Compares the rows of these scopes only. Rows that scopes share are left out: they may differ
/// by the contributions of others.
pub async fn scopes_equal(
    left: &Store,
    right: &Store,
    (tables, scopes): (&Tables, &[Scope]),
    limit: usize,
) -> Result<Vec<Difference>, StoreError> {
    let mut own = tables.clone();
    own.rows
        .retain(|table| !SHARED_TABLES.contains(&table.name));
    let params: Vec<String> = scopes.iter().map(Scope::params).collect();
    if params.is_empty() {
        return Ok(Vec::new());
    }
    compare(left, right, (&own, Some(&params)), limit).await
}

async fn compare(
    left: &Store,
    right: &Store,
    (tables, params): (&Tables, Option<&[String]>),
    limit: usize,
) -> Result<Vec<Difference>, StoreError> {
    let mut differences = Vec::new();
    let raw = tables.raw.iter().map(|name| Compared::raw(name));
    let rows = tables.rows.iter().map(|table| Compared::sourced(table));
    for mut compared in raw.chain(rows) {
        compared.params = params.map(<[String]>::to_vec).unwrap_or_default();
        let take = &mut |difference| {
            differences.push(difference);
            differences.len() < limit
        };
        let goes_on = limit > 0 && compared.compare(left, right, take).await?;
        if !goes_on {
            break;
        }
    }
    Ok(differences)
}

/// Compares the rows of one table in its key and these columns, and hands over every difference.
/// No value and empty text are the same here, as in files that cannot tell one from the other.
///
/// # Errors
/// When a database fails.
pub async fn differences_of(
    left: &Store,
    right: &Store,
    (table, columns): (&Table, &[&str]),
    mut take: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let mut compared = Compared::sourced(table);
    let mut places = 0..;
    compared.columns.retain(|(name, _)| {
        places.next().is_some_and(|place| place < compared.keys) || columns.contains(&name.as_str())
    });
    compared.empty_is_none = true;
    let take = &mut |difference| {
        take(difference);
        true
    };
    compared.compare(left, right, take).await?;
    Ok(())
}

/// A table as it is compared: key columns first, then the others that count.
struct Compared {
    table: String,
    columns: Vec<(String, ColumnType)>,
    keys: usize,
    /// Where a row names its scope.
    scope_column: &'static str,
    /// Only rows of these scopes; empty for all.
    params: Vec<String>,
    /// Whether no value and empty text are the same.
    empty_is_none: bool,
}

const PAGE: usize = 500;

impl Compared {
    fn raw(name: &str) -> Self {
        let text = |name: &str| (name.to_owned(), ColumnType::Text);
        let mut columns: Vec<_> = ["params", "parent", "item_key"].map(text).into();
        columns.push(("data".to_owned(), ColumnType::Blob));
        columns.extend(["url", "input", "content_hash", "child_counts"].map(text));
        Self {
            table: name.to_owned(),
            columns,
            keys: 3,
            scope_column: "params",
            params: Vec::new(),
            empty_is_none: false,
        }
    }

    fn sourced(table: &Table) -> Self {
        let (mut columns, others): (Vec<_>, Vec<_>) =
            table.columns.iter().partition(|column| column.key);
        let keys = columns.len();
        columns.extend(others);
        let named = |c: &headwater_domain::table::Column| (c.name.clone(), c.column_type.clone());
        let mut columns: Vec<_> = columns.into_iter().map(named).collect();
        if !SHARED_TABLES.contains(&table.name) {
            columns.push(("_raw_data_params".to_owned(), ColumnType::Text));
            columns.push(("_raw_data_table".to_owned(), ColumnType::Text));
        }
        columns.retain(|(name, _)| !EXCLUDED_COLUMNS.contains(&name.as_str()));
        Self {
            table: table.name.to_owned(),
            columns,
            keys,
            scope_column: RAW_DATA_PARAMS,
            params: Vec::new(),
            empty_is_none: false,
        }
    }

    /// Hands over every difference until `take` wants no more; says whether it wants more.
    async fn compare(
        &self,
        left: &Store,
        right: &Store,
        take: &mut impl FnMut(Difference) -> bool,
    ) -> Result<bool, StoreError> {
        let mut left = Cursor::new(self, left);
        let mut right = Cursor::new(self, right);
        loop {
            let (here, there) = (left.peek().await?, right.peek().await?);
            let order = match (here, there) {
                (None, None) => return Ok(true),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(here), Some(there)) => order(&here[..self.keys], &there[..self.keys]),
            };
            let goes_on = match (order, here, there) {
                (Ordering::Equal, Some(here), Some(there)) => {
                    self.cells(here, there).all(&mut *take)
                }
                (Ordering::Less, Some(row), _) => take(self.one_sided(row, true)),
                (_, _, Some(row)) => take(self.one_sided(row, false)),
                _ => true,
            };
            if !goes_on {
                return Ok(false);
            }
            if order.is_le() {
                left.advance();
            }
            if order.is_ge() {
                right.advance();
            }
        }
    }

    fn one_sided(&self, row: &[Value], only_left: bool) -> Difference {
        Difference {
            table: self.table.clone(),
            key: self.key_text(row),
            cell: None,
            only_left,
        }
    }

    fn cells<'a>(
        &'a self,
        left: &'a [Value],
        right: &'a [Value],
    ) -> impl Iterator<Item = Difference> + 'a {
        let cells = self.columns.iter().zip(left.iter().zip(right));
        cells
            .filter(|(_, (a, b))| !self.same(a, b))
            .map(|((column, _), (a, b))| Difference {
                table: self.table.clone(),
                key: self.key_text(left),
                cell: Some((column.clone(), shown(a), shown(b))),
                only_left: false,
            })
    }

    fn same(&self, left: &Value, right: &Value) -> bool {
        let is_empty = |value: &Value| match value {
            Value::String(text) => text.as_ref().is_none_or(String::is_empty),
            _ => false,
        };
        left == right || (self.empty_is_none && is_empty(left) && is_empty(right))
    }

    fn key_text(&self, row: &[Value]) -> String {
        let parts: Vec<String> = row[..self.keys].iter().map(values::key_text).collect();
        parts.join(" ")
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Bytes(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other}"),
    };
    text.chars().take(200).collect()
}

/// Orders keys as the databases do: numbers by size, text by bytes.
fn order(left: &[Value], right: &[Value]) -> Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|pair| match pair {
            (Value::BigInt(a), Value::BigInt(b)) => a.cmp(b),
            (a, b) => values::key_text(a).cmp(&values::key_text(b)),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Reads a table in key order, page by page.
struct Cursor<'a> {
    compared: &'a Compared,
    store: &'a Store,
    page: Vec<Vec<Value>>,
    place: usize,
    done: bool,
}

impl<'a> Cursor<'a> {
    fn new(compared: &'a Compared, store: &'a Store) -> Self {
        Self {
            compared,
            store,
            page: Vec::new(),
            place: 0,
            done: false,
        }
    }

    async fn peek(&mut self) -> Result<Option<&[Value]>, StoreError> {
        if self.place >= self.page.len() && !self.done {
            self.fetch().await?;
        }
        Ok(self.page.get(self.place).map(Vec::as_slice))
    }

    fn advance(&mut self) {
        self.place += 1;
    }

    async fn fetch(&mut self) -> Result<(), StoreError> {
        let Compared {
            table,
            columns,
            keys,
            scope_column,
            params,
            ..
        } = self.compared;
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let key = quoted(&names[..*keys]).join(", ");
        let mut conditions = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        if !params.is_empty() {
            let marks = vec!["?"; params.len()].join(", ");
            conditions.push(format!("{scope_column} IN ({marks})"));
            values.extend(params.iter().map(|params| params.clone().into()));
        }
        if let Some(last) = self.page.last() {
            let (behind, key) = behind_key(self.store.dialect(), &names[..*keys], last);
            conditions.push(behind);
            values.extend(key);
        }
        let within = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let names = column_list(table, names.into_iter());
        let text = format!("SELECT {names} FROM {table} {within} ORDER BY {key} LIMIT ?");
        values.push(i64::try_from(PAGE).unwrap_or(i64::MAX).into());
        let rows = self.store.query_all(&text, values).await?;
        let read = rows.iter().map(|row| read_row(row, columns));
        self.page = read.collect::<Result<_, _>>().during("comparing tables")?;
        self.place = 0;
        self.done = self.page.len() < PAGE;
        Ok(())
    }
}

fn read_row(row: &Row, columns: &[(String, ColumnType)]) -> Result<Vec<Value>, DbErr> {
    let cells = columns.iter().enumerate();
    cells
        .map(|(place, (_, kind))| match kind {
            ColumnType::Blob => Ok(Value::Bytes(row.get(place)?)),
            kind => values::read(row, place, kind),
        })
        .collect()
}
