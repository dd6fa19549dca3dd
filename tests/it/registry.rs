//! Rules that every stream obeys, checked over the registry.

use std::collections::BTreeSet;
use std::path::Path;

use headwater::commands::streams_markdown;
use headwater::config::DatabaseAddress;
use headwater::sources::Sources;
use headwater::sources::bitbucket::bitbucket;
use headwater_domain::table::Layer;

use headwater_testing::On::{self, MariaDb, Postgres, Sqlite};
use headwater_testing::TestDatabase;
use rstest::rstest;

use crate::lake::Answer;

async fn migrated(on: On) -> Option<(TestDatabase, DatabaseAddress)> {
    let database = TestDatabase::empty(on).await?;
    let address = DatabaseAddress::parse(&database.address).unwrap();
    let store = headwater::database::open(&address).await.unwrap();
    store.close().await.unwrap();
    Some((database, address))
}

/// Names of the columns, each with whether it is part of the primary key.
async fn columns_of(on: On, database: &DatabaseAddress, table: &str) -> BTreeSet<(String, bool)> {
    let sql = match on {
        Sqlite => format!("SELECT name, pk > 0 FROM pragma_table_info('{table}')"),
        Postgres => format!(
            "SELECT c.column_name::text, EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a \
             ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary \
             AND i.indrelid = '{table}'::regclass AND a.attname = c.column_name) \
             FROM information_schema.columns c \
             WHERE c.table_schema = current_schema() AND c.table_name = '{table}'"
        ),
        MariaDb => format!(
            "SELECT column_name, column_key = 'PRI' FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ),
    };
    let mut answer = Answer::default();
    headwater::database::query(database, &sql, &mut answer)
        .await
        .unwrap();
    let cell = |cell: &headwater_store::query::Cell| format!("{cell:?}");
    let rows = answer.rows.iter();
    rows.map(|row| (cell(&row[0]), cell(&row[1]).contains('1')))
        .collect()
}

#[rstest]
#[tokio::test]
async fn the_migrated_schema_is_what_the_entities_say(#[values(Sqlite, Postgres, MariaDb)] on: On) {
    let Some((_database, database)) = migrated(on).await else {
        return;
    };
    let source = bitbucket();
    let mut tables = source.tables().rows;
    for entry in &source.streams {
        tables.extend(&entry.extraction.tables);
    }
    tables.extend(headwater_extractors::git::tables());
    tables.extend(headwater::projects::tables());
    tables.extend(headwater::boards::tables());
    for table in tables {
        let stored = columns_of(on, &database, table.name).await;
        let text =
            |name: &str| format!("{:?}", headwater_store::query::Cell::Text(name.to_owned()));
        let mut declared: BTreeSet<(String, bool)> = table
            .columns
            .iter()
            .map(|c| (text(&c.name), c.key))
            .collect();
        let tracking = headwater_store::catalogue::TRACKING_COLUMNS.iter();
        let tracked = |name: &str| table.layer() != Layer::Domain || name != "changed_seq";
        let tracking = tracking
            .map(|(name, ..)| *name)
            .filter(|name| tracked(name));
        declared.extend(tracking.map(|name| (text(name), false)));
        assert_eq!(stored, declared, "{}", table.name);
    }
}

#[rstest]
#[tokio::test]
async fn every_raw_table_has_the_columns_that_are_documented(
    #[values(Sqlite, Postgres, MariaDb)] on: On,
) {
    let Some((_database, database)) = migrated(on).await else {
        return;
    };
    for entry in &bitbucket().streams {
        let table = &entry.collection.raw_table;
        let stored = columns_of(on, &database, table).await.len();
        assert_eq!(
            stored,
            headwater_store::catalogue::RAW_COLUMNS.len(),
            "{table}"
        );
    }
}

#[test]
fn every_table_and_column_says_what_it_holds() {
    for table in bitbucket().tables().rows {
        assert!(
            table.describes.ends_with('.'),
            "{} has no sentence",
            table.name
        );
        for column in &table.columns {
            assert!(
                !column.describes.is_empty(),
                "{}.{}",
                table.name,
                column.name
            );
        }
    }
}

#[test]
fn every_stream_reaches_a_conversion_that_reads_its_rows() {
    let source = bitbucket();
    for entry in &source.streams {
        let stream = entry.collection.stream;
        // Facts of their own, such as projects: the domain has no place for them.
        if entry.converted_by.is_empty() {
            continue;
        }
        let conversion = source
            .conversions
            .iter()
            .find(|c| c.name == entry.converted_by);
        let inputs = conversion
            .unwrap_or_else(|| panic!("{stream} reaches nothing"))
            .inputs();
        let written: Vec<&str> = entry.extraction.tables.iter().map(|t| t.name).collect();
        let reads: Vec<&str> = inputs.iter().map(|(table, _)| table.name).collect();
        assert!(
            written.iter().any(|table| reads.contains(table)),
            "{stream} writes {written:?}, its conversion reads {reads:?}"
        );
    }
}

#[test]
fn a_removed_row_still_tells_which_driver_it_belonged_to() {
    // Of a removed row only the primary key is kept.
    for conversion in &bitbucket().conversions {
        for (table, column) in conversion.inputs() {
            let key = table
                .columns
                .iter()
                .find(|c| c.name == column)
                .is_some_and(|c| c.key);
            assert!(
                key,
                "{}: {}.{column} is no part of the key",
                conversion.name, table.name
            );
        }
    }
}

#[test]
fn every_stream_speaks_the_dialect_of_its_source() {
    for (source, entry) in Sources::all().streams() {
        let own = source.api.unwrap().dialect;
        let stream = entry.collection.stream;
        assert!(
            std::ptr::eq(own, entry.collection.endpoint.dialect),
            "{stream}"
        );
    }
}

#[test]
fn parents_come_before_their_children() {
    let mut seen = BTreeSet::new();
    for entry in &bitbucket().streams {
        if let Some((parent, _)) = &entry.collection.parent {
            assert!(seen.contains(parent.stream), "{}", entry.collection.stream);
        }
        seen.insert(entry.collection.stream);
    }
}

#[test]
fn the_page_of_streams_is_made_of_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/streams.md");
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        page,
        streams_markdown(&Sources::all()).unwrap(),
        "run: cargo run -- streams --markdown > docs/streams.md"
    );
}
