//! Extracted rows as text that people can read, for snapshots.

use std::fmt::Write as _;
use std::sync::LazyLock;

use headwater_domain::rows::TableRows;
use headwater_domain::rules::Rules;
use headwater_domain::{Item, Origin, Rows, Scope};
use headwater_testing::show_row;

use crate::extraction::{Extract, Extraction};

pub(crate) use headwater_testing::scope;

/// What a payload becomes: its rows, or the reason why there are none.
pub(crate) fn extracted<S: Extract>(parent: &str, key: &str, payload: &str) -> String {
    let scope = scope();
    let item = item(&scope, parent, key);
    let mut rows = Rows::default();
    match (Extraction::of::<S>().extract)(&item, payload.as_bytes(), &mut rows) {
        Ok(()) => shown(rows),
        Err(bad) => {
            assert!(rows.is_empty(), "a bad payload leaves no rows behind");
            format!("bad payload at {}: {}\n", bad.path, bad.message)
        }
    }
}

/// An item under the usual rules.
pub(crate) fn item<'a>(scope: &'a Scope, parent: &'a str, key: &'a str) -> Item<'a> {
    static USUAL: LazyLock<Rules> = LazyLock::new(Rules::default);
    Item {
        scope,
        rules: &USUAL,
        parent,
        key,
        origin: Origin::default(),
    }
}

/// Every row as the name of its table and one line per column.
fn shown(mut rows: Rows) -> String {
    let mut text = String::new();
    for table in rows.tables() {
        write_table(&mut text, table, "");
    }
    for mention in rows.take_mentions() {
        writeln!(
            text,
            "mention of {} by {} at {}",
            mention.described.account_id,
            mention.item,
            mention
                .seen_at
                .map_or("no time".to_owned(), |time| time.to_rfc3339()),
        )
        .unwrap();
    }
    for table in rows.take_shared() {
        write_table(&mut text, &table, " (written when absent)");
    }
    text
}

fn write_table(text: &mut String, table: &TableRows, remark: &str) {
    let heading = format!("{}{remark}", table.table.name);
    for row in &table.rows {
        show_row(text, &heading, table.table, &row.values);
    }
}
