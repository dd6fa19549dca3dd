//! Times in an `SQLite` file: declared as `timestamp`, which `DuckDB` and others recognise, and
//! written with a space between day and hour, as SQLite's own `datetime()` writes them and compares.
//!
//! All in one transaction, so that no program meets both forms. Only the text of the schema changes:
//! what is stored under `timestamp` is the text that was stored under `text`.

use std::collections::BTreeMap;

use crate::schema::NewTable;

pub(crate) fn tables() -> Vec<NewTable> {
    let mut times: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for table in crate::tables_before(crate::TIMES_DECLARED) {
        let columns = table.times_as_text();
        times
            .entry(table.name().to_owned())
            .or_default()
            .extend(columns);
    }
    times.retain(|_, columns| !columns.is_empty());
    let rows = times.iter().map(|(table, columns)| {
        let sets = columns.iter().map(|column| {
            let column = format!("\"{column}\"");
            format!("{column} = replace({column}, 'T', ' ')")
        });
        let sets: Vec<String> = sets.collect();
        format!("UPDATE \"{table}\" SET {}", sets.join(", "))
    });
    let declarations = times.iter().map(|(table, columns)| {
        let text = columns.iter().fold("sql".to_owned(), |text, column| {
            format!("replace({text}, '\"{column}\" text', '\"{column}\" timestamp')")
        });
        format!("UPDATE sqlite_master SET sql = {text} WHERE type = 'table' AND name = '{table}'")
    });
    let mut statements: Vec<String> = rows.collect();
    statements.push("PRAGMA writable_schema = ON".to_owned());
    statements.extend(declarations);
    // Other connections read the schema again when a view was made or dropped.
    statements.push("CREATE VIEW IF NOT EXISTS _headwater_declared AS SELECT 1".to_owned());
    statements.push("DROP VIEW IF EXISTS _headwater_declared".to_owned());
    // Reads the schema again, and forbids to write it.
    statements.push("PRAGMA writable_schema = RESET".to_owned());
    vec![NewTable::in_files("sqlite_master", statements)]
}
