//! No text is wider than its column, which SQLite does not see to.

use std::collections::BTreeMap;

use headwater::config::DatabaseAddress;
use headwater::sources::bitbucket::bitbucket;
use headwater_store::query::Cell;

use crate::lake::Lake;

/// Asks how many rows have a text beyond its width, over all tables.
pub(super) async fn width_question(lake: &Lake) -> String {
    let sql = "SELECT tables.name, columns.name, columns.type FROM sqlite_master AS tables \
               JOIN pragma_table_info(tables.name) AS columns \
               WHERE tables.type = 'table' AND columns.type LIKE 'varchar(%' ORDER BY 1, 2";
    let mut conditions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in lake.ask(sql).await.rows {
        let [Cell::Text(table), Cell::Text(column), Cell::Text(declared)] = row.as_slice() else {
            panic!("{row:?}");
        };
        let width = declared.trim_matches(|letter: char| !letter.is_ascii_digit());
        let condition = format!("LENGTH(\"{column}\") > {width}");
        conditions.entry(table.clone()).or_default().push(condition);
    }
    let counts = conditions.into_iter().map(|(table, conditions)| {
        let any = conditions.join(" OR ");
        format!("(SELECT COUNT(*) FROM {table} WHERE {any})")
    });
    format!("SELECT {}", counts.collect::<Vec<_>>().join(" + "))
}

#[tokio::test]
async fn text_is_as_wide_in_the_migrated_schema_as_in_the_entities() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("headwater.db");
    let store = headwater::database::open(&DatabaseAddress::of_file(&path))
        .await
        .unwrap();
    store.close().await.unwrap();
    let source = bitbucket();
    let mut tables = source.tables().rows;
    tables.extend(
        source
            .streams
            .iter()
            .flat_map(|entry| &entry.extraction.tables),
    );
    for table in tables {
        let sql = format!("SELECT name, type FROM pragma_table_info('{}')", table.name);
        let stored = crate::lake::ask(&path, &sql).await.rows;
        for column in &table.columns {
            let declared = stored
                .iter()
                .find(|row| row[0] == Cell::Text(column.name.clone()));
            let Cell::Text(declared) = &declared.unwrap()[1] else {
                panic!("{}.{} has no type", table.name, column.name);
            };
            let width = declared
                .strip_prefix("varchar(")
                .and_then(|w| w.strip_suffix(')'));
            let width: Option<usize> = width.map(|width| width.parse().unwrap());
            assert_eq!(column.width(), width, "{}.{}", table.name, column.name);
        }
    }
}
